import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { LiveClient, type LiveSocket } from "./live-client.js";

class FakeSocket implements LiveSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closed: number | undefined;

  send(data: Buffer): void {
    this.sent.push(data.toString());
    this.bufferedAmount += data.length;
  }

  close(code: number): void {
    this.closed = code;
  }
}

function setUp(): { socket: FakeSocket; clock: ManualClock; client: LiveClient } {
  const socket = new FakeSocket();
  const clock = new ManualClock(0);
  return { socket, clock, client: new LiveClient(socket, { clock, bufferedBytesMax: 100, slowMsMax: 1000 }) };
}

test("LiveClient never lets more wait than its bound, and starts over with a snapshot", () => {
  const { socket, client } = setUp();
  const frame = Buffer.alloc(40, "c");

  for (let i = 0; i < 10; i += 1) client.sendChanges(frame);

  assert.equal(socket.sent.length, 2);
  assert.equal(client.skipped, 8);
  assert.equal(client.needsSnapshot, false, "not before all has left");
  socket.bufferedAmount = 0;
  assert.equal(client.needsSnapshot, true);
  client.sendSnapshot(Buffer.from("snapshot"));
  client.sendChanges(Buffer.from("next"));
  assert.deepEqual(socket.sent.slice(2), ["snapshot", "next"]);
});

test("LiveClient closes a page that takes nothing for too long, once", () => {
  const { socket, client, clock } = setUp();
  socket.bufferedAmount = 100;
  client.sendChanges(Buffer.from("x"));

  clock.advance(999);
  client.sendChanges(Buffer.from("x"));
  assert.equal(socket.closed, undefined);
  clock.advance(2);
  client.sendChanges(Buffer.from("x"));

  assert.equal(socket.closed, 4001);
  assert.deepEqual(socket.sent, []);
});

test("LiveClient does not send snapshots on top of each other, however often a page asks", () => {
  const { socket, client } = setUp();
  const frame = Buffer.alloc(60, "s");

  for (let i = 0; i < 10; i += 1) {
    client.wantSnapshot();
    if (client.needsSnapshot) client.sendSnapshot(frame);
  }

  assert.equal(socket.sent.length, 1);
  socket.bufferedAmount = 0;
  assert.equal(client.needsSnapshot, true, "once all has left");
  client.sendSnapshot(frame);
  assert.equal(socket.sent.length, 2);
});

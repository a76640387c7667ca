import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeSource } from "../../test/kit/fake-source.js";
import { madeUpLetter, madeUpRequest, seededRandom } from "../../test/kit/feed.js";
import { ManualClock, type Notice } from "../base/index.js";
import { LiveClient, type LiveSocket } from "./live-client.js";
import { LiveHub } from "./live-hub.js";
import type { WireFrame, WireParts } from "./wire.js";

const startMs = Date.UTC(2026, 0, 2, 12);

class Page implements LiveSocket {
  bufferedAmount = 0;
  readonly frames: WireFrame[] = [];
  readonly raw: Buffer[] = [];
  parts: WireParts = {};
  closed: number | undefined;

  send(data: Buffer): void {
    this.raw.push(data);
    const frame = JSON.parse(data.toString()) as WireFrame;
    const previous = this.frames.at(-1);
    if (frame.type === "changes") assert.equal(frame.seq, previous!.seq + 1, "no gap");
    this.parts = frame.type === "snapshot" ? frame.parts : { ...this.parts, ...frame.parts };
    this.frames.push(frame);
  }

  close(code: number): void {
    this.closed = code;
  }
}

interface Setup extends AsyncDisposable {
  readonly source: FakeSource;
  readonly clock: ManualClock;
  readonly hub: LiveHub;
  readonly notices: Notice[];
  open(windowMs?: number): Promise<{ page: Page; client: LiveClient }>;
  settle(count: number): void;
}

function setUp(): Setup {
  const source = new FakeSource(startMs);
  const clock = new ManualClock(startMs);
  const notices: Notice[] = [];
  const hub = new LiveHub({ source, clock, notices: (notice) => notices.push(notice) });
  const random = seededRandom(1);
  return {
    source,
    clock,
    hub,
    notices,
    async open(windowMs) {
      const page = new Page();
      const client = new LiveClient(page, { clock, bufferedBytesMax: 50_000 });
      assert.equal(await hub.join(client, windowMs), true);
      await settled();
      return { page, client };
    },
    settle(count) {
      source.settle(Array.from({ length: count }, () => madeUpRequest(clock.now(), random)));
    },
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

/** Lets every promise that can go on go on; time stands still. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("LiveHub sends a snapshot with every part, then only what changed", async () => {
  await using set = setUp();
  set.settle(20);
  const { page } = await set.open(60_000);

  assert.equal(page.frames.length, 1);
  assert.equal(page.frames[0]!.type, "snapshot");
  assert.deepEqual(Object.keys(page.parts).sort(), [
    "answer:errors",
    "answer:latency",
    "answer:requests",
    "dead",
    "ledger",
    "metrics",
    "series:errors",
    "series:latency",
    "series:requests",
    "sources",
    "status",
    "trouble",
  ]);

  set.clock.advance(200);
  set.source.bury(madeUpLetter(1, startMs, "{broken"));
  await settled();
  set.clock.advance(0);
  await settled();

  const changes = page.frames[1]!;
  assert.equal(changes.type, "changes");
  assert.deepEqual(Object.keys(changes.parts).sort(), ["dead", "ledger", "status"]);
  assert.equal(page.parts.dead!.total, 1);
  assert.equal(page.parts.dead!.items[0]!.text, "{broken");
});

test("LiveHub sends the first change at once, then at most ten frames a second, the last state in the end", async () => {
  await using set = setUp();
  const { page } = await set.open();
  set.clock.advance(500);
  await settled();
  const before = page.frames.length;

  for (let i = 0; i < 100; i += 1) {
    set.settle(1);
    await settled();
    set.clock.advance(10);
    await settled();
    if (i === 0)
      assert.equal(page.parts["answer:requests"]!.all.value, 1, "the first change waits for nothing");
  }
  set.clock.advance(200);
  await settled();

  const sent = page.frames.length - before;
  assert.ok(sent >= 5 && sent <= 13, `${sent} frames in 1.2 s`);
  assert.equal(page.parts["answer:requests"]!.all.value, 100);
});

test("LiveHub makes a frame once for all pages of a window", async () => {
  await using set = setUp();
  const a = await set.open(60_000);
  const b = await set.open(60_000);
  const other = await set.open(300_000);
  const { queries } = set.source;
  set.clock.advance(500);
  set.settle(1);
  await settled();
  set.clock.advance(0);
  await settled();

  assert.equal(a.page.raw.at(-1), b.page.raw.at(-1), "the same buffer");
  assert.equal(set.source.queries - queries, 6, "three metrics, two windows");
  assert.equal(other.page.frames.at(-1)!.windowMs, 300_000);
});

test("LiveHub gives a slow page a snapshot when it has taken everything, and others lose nothing", async () => {
  await using set = setUp();
  const slow = await set.open();
  const fast = await set.open();
  slow.page.bufferedAmount = 50_000;
  const round = async (): Promise<void> => {
    set.settle(1);
    await settled();
    set.clock.advance(1000);
    await settled();
  };

  for (let i = 0; i < 5; i += 1) await round();
  assert.equal(slow.page.frames.length, 1);
  assert.ok(slow.client.skipped > 0);
  assert.equal(fast.page.parts["answer:requests"]!.all.value, 5);
  slow.page.bufferedAmount = 0;
  await round();

  assert.equal(slow.page.frames[1]!.type, "snapshot");
  assert.equal(slow.page.parts["answer:requests"]!.all.value, 6);
});

test("LiveHub starts over with a snapshot on a new generation and on a gap", async () => {
  await using set = setUp();
  set.settle(3);
  const { page } = await set.open();
  set.clock.advance(500);
  await settled();

  set.source.generation = "g2";
  set.source.version = 0;
  set.source.events.length = 0;
  set.settle(1);
  await settled();
  set.clock.advance(100);
  await settled();
  const snapshot = page.frames.findLast(({ type }) => type === "snapshot")!;
  assert.equal(snapshot.generation, "g2");
  assert.equal(page.parts["answer:requests"]!.all.value, 1);

  const before = page.frames.filter(({ type }) => type === "snapshot").length;
  set.source.emit({ kind: "snapshot-needed", generation: "g2", version: 900 });
  await settled();
  set.clock.advance(1000);
  await settled();
  assert.equal(page.frames.filter(({ type }) => type === "snapshot").length, before + 1);
});

test("LiveHub lets a window that ends now decay while nothing comes in", async () => {
  await using set = setUp();
  set.settle(10);
  const { page } = await set.open(60_000);
  assert.equal(page.parts["answer:requests"]!.all.value, 10);

  for (let second = 0; second < 59; second += 1) {
    set.clock.advance(1000);
    set.source.nowMs += 1000;
    await settled();
  }
  assert.equal(page.parts["answer:requests"]!.all.value, 10);
  for (let second = 0; second < 3; second += 1) {
    set.clock.advance(1000);
    set.source.nowMs += 1000;
    await settled();
  }

  // Past a minute without events the fake's window stands at the newest one, as the engine's does.
  assert.equal((page.parts["answer:requests"]!.span as { anchor?: string }).anchor, "data");
});

test("LiveHub says what is wrong while the store fails, and that it is over", async () => {
  await using set = setUp();
  const { page } = await set.open();
  set.source.failure = new Error("disk on fire");

  set.clock.advance(1000);
  await settled();
  assert.deepEqual(page.parts.trouble, { code: "UNKNOWN", message: "disk on fire" });
  assert.ok(set.notices.some(({ name }) => name === "server.refresh-failed"));
  set.source.failure = undefined;
  for (let i = 0; i < 3; i += 1) {
    set.clock.advance(1000);
    await settled();
  }

  assert.equal(page.parts.trouble, null);
});

test("LiveHub asks for nothing while nobody looks", async () => {
  await using set = setUp();
  const { client } = await set.open();
  set.hub.leave(client);
  await settled();
  const { queries } = set.source;

  for (let i = 0; i < 10; i += 1) {
    set.settle(1);
    set.clock.advance(1000);
    await settled();
  }

  assert.equal(set.source.queries, queries);
  const frame = JSON.parse((await set.hub.snapshot(undefined))!.toString()) as WireFrame;
  assert.equal(frame.parts["answer:requests"]!.all.value, 10, "and catches up when somebody does");
});

test("LiveHub bounds the number of windows", async () => {
  await using set = setUp();
  for (let i = 1; i <= 16; i += 1) assert.ok(await set.hub.snapshot(i * 1000));

  assert.equal(await set.hub.snapshot(17_000), undefined);
  set.clock.advance(20_000);
  assert.ok(await set.hub.snapshot(17_000), "those nobody looks at make room");
});

test("LiveHub.close() says goodbye", async () => {
  const set = setUp();
  const { page } = await set.open();

  await set.hub.close();

  assert.equal(page.closed, 1001);
});

test("LiveHub.close() does not wait for a store that never answers", async () => {
  const set = setUp();
  await set.open();
  set.source.ledger = () => new Promise(() => {});
  set.clock.advance(500);
  set.settle(1);
  await settled();
  set.clock.advance(100);
  await settled();

  const closed = set.hub.close();
  await settled();
  set.clock.advance(1000);

  await closed;
});

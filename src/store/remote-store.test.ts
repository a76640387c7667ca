import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { ManualClock, pause } from "../base/index.js";
import type { ChangeItem, Settlement, Store } from "./contract.js";
import { type Delta, emptyDelta, encodeDelta } from "./delta.js";
import { hostStore, RelayedClock } from "./host-store.js";
import { openMemoryStore } from "./memory/memory-store.js";
import { RemoteStore } from "./remote-store.js";

const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
});

interface Pair {
  readonly remote: RemoteStore;
  readonly hosted: Store;
  /** What a thread's death does to the port. */
  die(): void;
}

function makePair(clock?: ManualClock): Pair {
  const { port1, port2 } = new MessageChannel();
  const relayed = clock === undefined ? undefined : new RelayedClock();
  const hosted = openMemoryStore(relayed === undefined ? {} : { clock: relayed });
  hostStore(port2, hosted, relayed === undefined ? {} : { clock: relayed });
  const remote = new RemoteStore(port1, clock === undefined ? {} : { clock });
  stores.push(remote);
  return { remote, hosted, die: () => port2.close() };
}

const metric = { key: "k", name: "events", kind: "count", by: ["status"] } as const;

function settlement(generation: string, start: number, delta: Delta = emptyDelta): Settlement {
  const identity = { path: "/a", device: "1", inode: "1", prefixLength: 0, prefixHash: "", size: 0 };
  return {
    generation,
    take: { kind: "file", source: "s", file: "f", start, end: start + 10, identity },
    delta: encodeDelta(delta),
    failures: [],
    ledger: [
      {
        source: "s",
        accepted: 1,
        settled: 1,
        dropped: 0,
        dead: 0,
        retrying: 0,
        duplicate: 0,
        lost: {},
        absent: {},
        bytes: 10,
      },
    ],
  };
}

const oneOpen: Delta = {
  ...emptyDelta,
  newestMs: 1_000,
  add: [
    {
      metric: "k",
      kind: "count",
      changes: [{ group: ["open"], slot: { startMs: 1_000, widthMs: 1_000 }, cell: { kind: "count", n: 1 } }],
    },
  ],
};

test("RemoteStore settles and reads as the store it stands for", async () => {
  const { remote, hosted } = makePair();
  await remote.define([metric]);
  const { generation } = await remote.info();

  const sent = settlement(generation, 0, oneOpen);
  const result = await remote.settle(sent);

  assert.deepEqual(result, { kind: "settled", version: (await hosted.info()).version });
  assert.ok(sent.delta.byteLength > 0, "the delta stays the caller's");
  for (const span of ["total", { fromMs: 0, toMs: 10_000 }] as const)
    assert.deepEqual(await remote.read({ metric: "k", span }), await hosted.read({ metric: "k", span }));
  assert.deepEqual(await remote.ledger(), await hosted.ledger());
  assert.deepEqual(await remote.watermarks("s"), await hosted.watermarks("s"));
});

test("RemoteStore sends a view's own bytes, not the buffer that it looks at", async () => {
  const { remote } = makePair();
  const { generation } = await remote.info();
  const buffer = Buffer.alloc(1_000_000, "x");
  const at = { kind: "file", file: "f", path: "/a", offset: 0, length: 5, index: 0 } as const;
  const whole = settlement(generation, 0);
  const posting = whole.ledger[0]!;
  await remote.settle({
    ...whole,
    delta: Buffer.concat([Buffer.alloc(64), whole.delta]).subarray(64),
    failures: [
      {
        source: "s",
        at,
        bytes: buffer.subarray(10, 15),
        length: 5,
        reason: "parse",
        message: "no",
        disposition: "dead",
      },
    ],
    ledger: [{ ...posting, accepted: 1, settled: 0, dead: 1 }],
  });

  const { items } = await remote.deadLetters({});

  assert.equal(Buffer.from(items[0]!.bytes).toString(), "xxxxx");
  assert.equal(items[0]!.bytes.buffer.byteLength, 5);
  assert.equal(buffer.length, 1_000_000);
});

test("RemoteStore rejects with the code of the hosted store's error", async () => {
  const { remote } = makePair();

  await assert.rejects(remote.read({ metric: "none", span: "total" }), { code: "QUERY_UNKNOWN_METRIC" });
});

test("RemoteStore rejects every pending and later call with STORE_DIED when the far end goes away", async () => {
  const { remote, die } = makePair();
  const waiting = remote.lease(
    "w",
    { framesMax: 1, bytesMax: 1, leaseMs: 1_000, waitMs: 60_000 },
    new AbortController().signal,
  );
  const watching = remote.changes(0, new AbortController().signal)[Symbol.asyncIterator]().next();
  await remote.info();

  die();

  await assert.rejects(waiting, { code: "STORE_DIED" });
  await assert.rejects(watching, { code: "STORE_DIED" });
  await assert.rejects(remote.info(), { code: "STORE_DIED" });
});

test("RemoteStore.lease() ends with its signal's reason, and keeps a batch that was granted all the same", async () => {
  const { remote } = makePair();
  const limits = { framesMax: 1, bytesMax: 1_000, leaseMs: 1_000, waitMs: 60_000 };
  const stop = new AbortController();
  const waiting = remote.lease("w", limits, stop.signal);
  await remote.info();
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);

  const frame = {
    source: "s",
    producer: "p",
    epoch: "e",
    sequence: 1,
    events: 1,
    payload: Buffer.from("{}\n"),
  };
  await remote.append([frame]);
  const late = new AbortController();
  const granted = remote.lease("w", limits, late.signal);
  late.abort();

  const batch = await granted.catch(() => undefined);
  const again = await remote.lease("w2", { ...limits, waitMs: 0 }, new AbortController().signal);
  assert.equal(
    (batch?.frames.length ?? 0) + (again?.frames.length ?? 0),
    1,
    "the frame is with exactly one of them",
  );
});

test("RemoteStore.changes() delivers each change, is asked for one at a time, and ends with its signal", async () => {
  const { remote } = makePair();
  const { generation, version } = await remote.info();
  const stop = new AbortController();
  const seen: ChangeItem[] = [];
  const reading = (async () => {
    for await (const item of remote.changes(version, stop.signal)) {
      seen.push(item);
      if (item.version === version + 3) stop.abort();
    }
  })();
  for (let start = 0; start < 30; start += 10) await remote.settle(settlement(generation, start));

  await reading.catch((error: unknown) => assert.equal((error as Error).name, "AbortError"));

  assert.equal(seen.at(-1)?.version, version + 3);
});

test("RemoteStore.changes() can be left in the middle without an end to wait for", async () => {
  const { remote } = makePair();
  const { generation, version } = await remote.info();
  await remote.settle(settlement(generation, 0));

  for await (const _item of remote.changes(version, new AbortController().signal)) break;

  await remote.settle(settlement(generation, 10));
  assert.equal((await remote.info()).version, version + 2);
});

test("RemoteStore shows its caller's time to the hosted store", async () => {
  const clock = new ManualClock(5_000_000);
  const { remote } = makePair(clock);
  const claim = await remote.claim("name", "me", 1_000);
  assert.equal(claim?.untilMs, 5_001_000);

  clock.advance(1_001);

  assert.notEqual(await remote.claim("name", "you", 1_000), undefined);
});

test("RemoteStore after its disposal rejects with STORE_CLOSED, and may be disposed of twice", async () => {
  const { remote, hosted } = makePair();
  const pending = remote.info();

  await remote[Symbol.asyncDispose]();
  await remote[Symbol.asyncDispose]();

  assert.equal((await pending).kind, "memory");
  await assert.rejects(remote.info(), { code: "STORE_CLOSED" });
  await assert.rejects(hosted.info(), { code: "STORE_CLOSED" });
});

test("RelayedClock runs timers when the time that it is told has passed them", async () => {
  const clock = new RelayedClock();
  clock.set({ nowMs: 100, monotonicMs: 50 });
  const order: string[] = [];
  const waiting = pause(clock, 20).then(() => order.push("passed"));

  clock.set({ nowMs: 119, monotonicMs: 69 });
  order.push("not yet");
  clock.set({ nowMs: 10, monotonicMs: 70 });
  await waiting;

  assert.deepEqual(order, ["not yet", "passed"]);
  assert.equal(clock.now(), 10);
});

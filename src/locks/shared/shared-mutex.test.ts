import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { until } from "../../../test/kit/until.js";
import { ManualClock, OptionError } from "../../base/index.js";
import { SharedMutex, type SharedMutexHandle } from "./shared-mutex.js";
import type { ThreadJob } from "./shared-mutex.test.thread.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const entry = new URL("./shared-mutex.test.thread.js", import.meta.url);

function numbers(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(64));
}

function start(t: TestContext, mutex: SharedMutex, job: Partial<ThreadJob> & Pick<ThreadJob, "do">): Worker {
  const workerData: ThreadJob = { handle: mutex.handle, shared: numbers(), times: 1, ...job };
  const worker = new Worker(entry, { workerData });
  mutex.watch(worker);
  t.after(() => worker.terminate());
  return worker;
}

/** Free, and nobody waits: a second one gets it at once and leaves it as it was. */
function assertAtRest(mutex: SharedMutex): void {
  const hold = mutex.tryAcquire();
  assert.ok(hold, "somebody still holds it");
  assert.equal(mutex.tryAcquire(), undefined);
  hold.release();
}

test("SharedMutex lets one thread in at a time, blocking or not, so that a plain counter comes out right", async (t) => {
  const mutex = SharedMutex.create();
  const shared = numbers();
  const kinds = ["count", "count-blocking", "count", "count-blocking"] as const;
  const times = 20_000;

  const workers = kinds.map((what) => start(t, mutex, { do: what, shared, times }));
  const codes = await Promise.all(workers.map(async (worker) => (await once(worker, "exit"))[0]));

  assert.deepEqual(codes, [0, 0, 0, 0]);
  assert.equal(shared[0], kinds.length * times);
  assertAtRest(mutex);
});

test("SharedMutex.acquire() serves threads and tasks in the order in which they came", async (t) => {
  const mutex = SharedMutex.create();
  const shared = numbers();
  const hold = await mutex.acquire();
  const order: number[] = [];
  const exits: Promise<unknown>[] = [];
  const note = async (): Promise<void> => {
    using _ = await mutex.acquire();
    shared[2 + shared[1]!] = -1;
    shared[1] = shared[1]! + 1;
  };
  for (let n = 0; n < 3; n += 1) {
    const worker = start(t, mutex, { do: "queue", shared });
    await once(worker, "message");
    order.push(worker.threadId, -1);
    exits.push(once(worker, "exit"), note());
  }

  hold.release();
  await Promise.all(exits);

  assert.deepEqual([...shared.subarray(2, 8)], order);
});

test("SharedMutex.acquire() ends with the signal's reason and strands nobody behind", async () => {
  const mutex = SharedMutex.create();
  const hold = await mutex.acquire();
  const stop = new AbortController();
  const first = mutex.acquire({ signal: stop.signal });
  const second = mutex.acquire();

  stop.abort(new RangeError("enough"));

  await assert.rejects(first, /enough/);
  hold.release();
  (await second).release();
  await assert.rejects(mutex.acquire({ signal: stop.signal }), /enough/);
  assertAtRest(mutex);
});

test("SharedMutex.acquire() throws at its limit, or answers undefined when asked as a question", async () => {
  const clock = new ManualClock(0);
  const mutex = SharedMutex.create({ name: "cache", clock });
  const hold = await mutex.acquire();
  const waiter = mutex.acquire({ waitMs: 50 });
  const question = mutex.acquire({ waitMs: 50, onTimeout: "undefined" });
  const patient = mutex.acquire();

  clock.advance(50);

  await assert.rejects(waiter, { code: "LOCK_TIMEOUT", lock: "cache", waitMs: 50 });
  assert.equal(await question, undefined);
  hold.release();
  (await patient).release();
  assertAtRest(mutex);
});

test("SharedMutex.acquire() waits 30 s by default, and no longer than the mutex or the call says", async () => {
  const clock = new ManualClock(0);
  const mutex = SharedMutex.create({ clock });
  const brief = SharedMutex.attach({ ...mutex.handle, waitMs: 10 }, { clock });
  using _hold = await mutex.acquire();
  const outcomes: string[] = [];
  const note = (name: string) => () => outcomes.push(name);
  void mutex.acquire().catch(note("default"));
  const last = mutex.acquire({ waitMs: 30_001 }).catch(note("call"));
  void brief.acquire().catch(note("mutex"));

  clock.advance(10);
  await Promise.resolve();
  clock.advance(29_990);
  await Promise.resolve();
  clock.advance(1);
  await last;

  assert.deepEqual(outcomes, ["mutex", "default", "call"]);
});

test("SharedMutex.acquire() may be interrupted at any moment without losing the mutex or a wake-up", async (t) => {
  t.diagnostic(`seed ${seed}`);
  const mutex = SharedMutex.create();
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
  const shared = numbers();
  const worker = start(t, mutex, { do: "churn", shared });
  await until("the other thread is at work", () => shared[2]! > 0);

  for (let n = 0; n < 400; n += 1) {
    const stop = new AbortController();
    const waiters = [mutex.acquire({ signal: stop.signal }), mutex.acquire({ signal: stop.signal })];
    for (let ticks = below(12); ticks > 0; ticks -= 1) {
      if (below(3) === 0) await new Promise(setImmediate);
      else await Promise.resolve();
    }
    stop.abort(new Error("interrupted"));
    for (const settled of await Promise.allSettled(waiters)) {
      if (settled.status === "fulfilled") settled.value.release();
      else assert.match(String(settled.reason), /interrupted/);
    }
  }

  await worker.terminate();
  (await mutex.acquire()).release();
  assertAtRest(mutex);
});

test("SharedMutex.run() releases when the body throws, and does not run it after an abort", async () => {
  const mutex = SharedMutex.create();
  const stop = new AbortController();
  const hold = await mutex.acquire();
  let hasRun = false;
  const late = mutex.run({ signal: stop.signal }, () => {
    hasRun = true;
  });

  hold.release();
  stop.abort(new Error("too late"));

  await assert.rejects(late, /too late/);
  assert.equal(hasRun, false);
  const failing = mutex.run(() => {
    throw new RangeError("body");
  });
  await assert.rejects(failing, /body/);
  assert.equal(await mutex.run({ waitMs: 5 }, (inner) => inner.abandoned), false);
  assertAtRest(mutex);
});

test("SharedHold.release() may be called twice and frees nobody else's hold", async () => {
  const mutex = SharedMutex.create();
  const hold = await mutex.acquire();
  const next = mutex.acquire();

  hold.release();
  const held = await next;
  hold.release();

  assert.equal(mutex.tryAcquire(), undefined);
  assert.deepEqual([hold.isReleased, held.isReleased], [true, false]);
  held.release();
});

test("SharedMutex.watch() passes on what a dead thread held, and says so to the next holder only", async (t) => {
  const mutex = SharedMutex.create();
  for (let n = 0; n < 5; n += 1) {
    const worker = start(t, mutex, { do: "hold" });
    await once(worker, "message");
    const next = mutex.acquire();
    const afterNext = mutex.acquire();

    await worker.terminate();

    using hold = await next;
    assert.equal(hold.abandoned, true);
    hold.release();
    assert.equal((await afterNext).abandoned, false);
    (await afterNext).release();
  }
  const exiting = start(t, mutex, { do: "exit-holding" });
  await once(exiting, "exit");
  using hold = await mutex.acquire();
  assert.equal(hold.abandoned, true);
});

test("SharedMutex.watch() takes dead waiters out of the queue", async (t) => {
  const mutex = SharedMutex.create();
  for (let n = 0; n < 5; n += 1) {
    const hold = await mutex.acquire();
    const workers = [start(t, mutex, { do: "queue" }), start(t, mutex, { do: "queue" })];
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const behind = mutex.acquire();

    // One dies as a waiter, the other with the grant on its way to it.
    await workers[0]!.terminate();
    const isEnded = workers[1]!.terminate();
    hold.release();
    await isEnded;

    (await behind).release();
    assertAtRest(mutex);
  }
});

test("SharedMutex.watch() sets things right whatever the thread was doing when it died", async (t) => {
  const mutex = SharedMutex.create();
  const shared = numbers();
  for (let n = 0; n < 8; n += 1) {
    const workers = [start(t, mutex, { do: "churn", shared }), start(t, mutex, { do: "churn", shared })];
    const before = Atomics.load(shared, 2);
    await until("both are at it", () => Atomics.load(shared, 2) > before + 20);

    await workers[0]!.terminate();

    const hold = await mutex.acquire();
    // Only one that died inside can have left its mark.
    assert.equal(shared[0] === 0 || hold.abandoned, true);
    shared[0] = 0;
    hold.release();
    await workers[1]!.terminate();
    const last = await mutex.acquire();
    shared[0] = 0;
    last.release();
  }
  assertAtRest(mutex);
});

test("SharedMutex.acquire() refuses to queue when all places are in use, and goes on when there are some again", async () => {
  const mutex = SharedMutex.create({ waitersMax: 4 });
  const hold = await mutex.acquire();
  const stop = new AbortController();
  const waiters = Array.from({ length: 4 }, () => mutex.acquire({ signal: stop.signal }));

  await assert.rejects(mutex.acquire(), { code: "LOCK_SHARED_FULL", waitersMax: 4 });

  stop.abort(new Error("enough"));
  await Promise.allSettled(waiters);
  // Many more than there are places give up behind one hold.
  for (let n = 0; n < 20; n += 1)
    assert.equal(await mutex.acquire({ waitMs: 0, onTimeout: "undefined" }), undefined);
  hold.release();
  assertAtRest(mutex);
});

test("SharedMutex.acquireSync() is refused on the main thread, and attach() takes nothing but a handle", () => {
  const mutex = SharedMutex.create();

  assert.throws(() => mutex.acquireSync(), OptionError);
  const wrong = { ...mutex.handle, buffer: new SharedArrayBuffer(1_024) };
  assert.throws(() => SharedMutex.attach(wrong), { code: "OPTION_INVALID", option: "handle" });
  assert.throws(() => SharedMutex.attach(undefined as unknown as SharedMutexHandle), OptionError);
  assert.throws(() => SharedMutex.create({ waitMs: -1 }), { option: "waitMs" });
});

test("SharedMutex keeps a process alive while somebody waits, and lets it end afterwards", async () => {
  const script = `
    import { once } from "node:events";
    import { Worker } from "node:worker_threads";
    import { SharedMutex } from ${JSON.stringify(new URL("./shared-mutex.js", import.meta.url).href)};
    const mutex = SharedMutex.create();
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { do: "hold-briefly", handle: mutex.handle, shared, times: 1 };
    const worker = new Worker(new URL(${JSON.stringify(entry.href)}), { workerData, execArgv: [] });
    await once(worker, "message");
    worker.unref();
    (await mutex.acquire()).release();
    process.stdout.write("acquired");
  `;

  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);

  assert.equal(stdout, "acquired");
});

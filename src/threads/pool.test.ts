import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../../test/kit/until.js";
import {
  type Clock,
  codeOf,
  ManualClock,
  type Notice,
  OptionError,
  pause,
  systemClock,
} from "../base/index.js";
import type { FaultLoad, FaultTask } from "./faults.test.thread.js";
import { type ThreadDiedError, type ThreadHungError, ThreadPool, type ThreadPoolOptions } from "./index.js";

const entry = new URL("./faults.test.thread.js", import.meta.url);
type Pool = ThreadPool<FaultTask, unknown>;

test("ThreadPool.run() answers 10,000 small tasks, in order of submission on one thread", async () => {
  await using pool = poolOf({ size: 1 });
  const order: number[] = [];

  await Promise.all(
    Array.from({ length: 10_000 }, async (_, value) => {
      assert.equal(await pool.run({ do: "echo", value }), value);
      order.push(value);
    }),
  );

  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.equal(order.length, 10_000);
});

test("ThreadPool runs as many tasks at once as it has threads, and starts no more than needed", async () => {
  const loads = new Int32Array(new SharedArrayBuffer(4));
  await using pool = poolOf({ size: 3, workerData: { load: { loads, failures: 0, how: "throw" } } });
  const shared = gate();

  await pool.run({ do: "echo", value: 1 });
  await pool.run({ do: "echo", value: 2 });
  assert.equal(loads[0], 1);

  const waiting = [1, 2, 3, 4, 5].map(() => pool.run({ do: "wait", shared }));
  await until("three tasks run", () => shared[0] === 3);
  assert.equal(loads[0], 3);
  open(shared);
  assert.deepEqual(await Promise.all(waiting), Array(5).fill("waited"));
});

test("ThreadPool with prestart starts all threads before there are tasks", async () => {
  const loads = new Int32Array(new SharedArrayBuffer(4));
  await using _pool = poolOf({
    size: 2,
    prestart: true,
    workerData: { load: { loads, failures: 0, how: "throw" } },
  });

  await until("two threads were loaded", () => loads[0] === 2);
});

test("ThreadPool gives workerData to threads and to their replacements", async () => {
  await using pool = poolOf({ size: 1, workerData: { a: [1, "x"] } });

  assert.deepEqual(await pool.run({ do: "worker-data" }), { a: [1, "x"] });
  await assert.rejects(pool.run({ do: "exit", code: 0 }));

  assert.deepEqual(await pool.run({ do: "worker-data" }), { a: [1, "x"] });
});

test("ThreadPool.run() rejects with what the task threw, code and all, and the thread goes on", async () => {
  await using pool = poolOf({ size: 1 });

  for (const isLater of [false, true]) {
    await assert.rejects(pool.run({ do: "throw", what: "known", isLater }), {
      name: "OptionError",
      code: "OPTION_INVALID",
      message: "Cannot use depth = 7: made to fail",
    });
    await assert.rejects(pool.run({ do: "throw", what: "error", isLater }), {
      name: "TypeError",
      code: "UNKNOWN",
    });
    await assert.rejects(pool.run({ do: "throw", what: "unsendable", isLater }), { name: "DataCloneError" });
  }
  await assert.rejects(pool.run({ do: "answer-unsendable" }), { name: "DataCloneError" });

  assert.equal(await pool.run({ do: "echo", value: 5, isLater: true }), 5);
  assert.equal(pool.replaced, 0);
});

test("ThreadPool.run() rejects a task that can't be sent, and goes on", async () => {
  await using pool = poolOf({ size: 1 });
  const unsendable = pool.run({ do: "echo", value: () => {} });
  const next = pool.run({ do: "echo", value: 1 });

  await assert.rejects(unsendable, { name: "DataCloneError" });
  assert.equal(await next, 1);
});

test("ThreadPool.run() moves buffers both ways", async () => {
  await using pool = poolOf({ size: 1 });
  const bytes = new Uint8Array(1000);

  const answer = (await pool.run({ do: "double", bytes }, [bytes.buffer])) as Uint8Array;

  assert.equal(bytes.byteLength, 0);
  assert.equal(answer.byteLength, 2000);
  assert.equal(await pool.run({ do: "doubled-length" }), 0);
});

const deaths: Record<string, { task: FaultTask; reason: string | undefined; message: RegExp }> = {
  "process.exit()": { task: { do: "exit", code: 0 }, reason: undefined, message: /exit code 0/ },
  "an uncaught error": { task: { do: "throw-uncaught" }, reason: "UNKNOWN", message: /made to fail/ },
  "its memory limit": {
    task: { do: "fill-memory" },
    reason: "ERR_WORKER_OUT_OF_MEMORY",
    message: /memory limit/,
  },
};

for (const [how, { task, reason, message }] of Object.entries(deaths)) {
  test(`ThreadPool replaces a thread that dies by ${how}, and touches no other task`, async () => {
    const notices: Notice[] = [];
    await using pool = poolOf({
      size: 2,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
      notices: (notice) => notices.push(notice),
    });
    const shared = gate();
    const other = pool.run({ do: "wait", shared });
    await until("the other task runs", () => shared[0] === 1);
    const dying = pool.run(task);
    const queued = pool.run({ do: "echo", value: "queued" });

    await assert.rejects(dying, { code: "THREAD_DIED", hasBegun: true, reason, message });

    assert.equal(await queued, "queued");
    open(shared);
    assert.equal(await other, "waited");
    assert.equal(pool.replaced, 1);
    assert.deepEqual(
      notices.map(({ name }) => name),
      ["threads.died"],
    );
  });
}

test("ThreadPool replaces a thread that dies while it is idle", async () => {
  await using pool = poolOf({ size: 1 });

  await pool.run({ do: "exit-when-idle" });
  await until("the thread is gone", () => pool.replaced === 1);

  assert.equal(await pool.run({ do: "echo", value: 1 }), 1);
});

const hangs: Record<string, (shared: Int32Array) => FaultTask> = {
  "an infinite loop": (shared) => ({ do: "loop", shared }),
  "a wait for ever": (shared) => ({ do: "wait", shared }),
  "a regular expression that backtracks": (shared) => ({ do: "regex", text: `${"a".repeat(60)}!`, shared }),
};

for (const [what, makeTask] of Object.entries(hangs)) {
  test(`ThreadPool ends ${what} when its time is up and not before`, async () => {
    const clock = new ManualClock(0);
    await using pool = poolOf({ size: 2, taskTimeoutMs: 10_000, clock });
    const [hung, other] = [gate(), gate()];
    const hanging = outcome(pool.run(makeTask(hung)));
    await until("the task hangs", () => hung[0] === 1);
    clock.advance(9_999);
    const waiting = outcome(pool.run({ do: "wait", shared: other }));
    const queued = outcome(pool.run({ do: "echo", value: "queued" }));
    await until("the other task runs", () => other[0] === 1);
    assert.equal(hanging.settled, undefined);

    clock.advance(1);
    await until("the hanging task is rejected", () => hanging.settled !== undefined);
    await until("the queued task is answered by a new thread", () => queued.settled !== undefined);

    assert.equal(codeOf(hanging.settled), "THREAD_HUNG");
    assert.equal(queued.settled, "queued");
    assert.equal(waiting.settled, undefined);
    assert.equal(pool.replaced, 1);
    open(other);
    await until("the other task is answered", () => waiting.settled === "waited");
  });
}

test("ThreadPool does not blame a task that its thread never took up", async () => {
  const clock = new ManualClock(0);
  await using pool = poolOf({ size: 1, clock });
  await pool.run({ do: "hang-when-idle" });
  const victim = outcome(pool.run({ do: "echo", value: 1 }));

  clock.advance(30_000);
  await until("the task is rejected", () => victim.settled !== undefined);

  assert.equal(codeOf(victim.settled), "THREAD_DIED");
  assert.equal((victim.settled as ThreadDiedError).hasBegun, false);
});

test("ThreadPool.run() rejects only when nothing of the task runs any more", async () => {
  const pool = poolOf({ size: 2, taskTimeoutMs: 100 });
  const [hung, closed] = [gate(), gate()];

  await assert.rejects(pool.run({ do: "loop", shared: hung }), { code: "THREAD_HUNG" });
  assert.equal(await isBeating(hung), false);
  const running = pool.run({ do: "loop", shared: closed });
  const rejected = assert.rejects(running, { code: "THREADS_CLOSED" }).then(() => isBeating(closed));
  await until("it runs", () => closed[1]! > 0);
  assert.equal(await isBeating(closed), true);
  await pool.close();

  assert.equal(await isBeating(closed), false);
  assert.equal(await rejected, false);
});

test("ThreadPool gives up a thread that can't even be ended", {
  skip: process.platform === "win32",
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), "threads-"));
  const path = join(dir, "pipe");
  execFileSync("mkfifo", [path]);
  const clock = new ManualClock(0);
  await using pool = poolOf({ size: 1, clock });
  const shared = gate();
  const stuck = outcome(pool.run({ do: "read-file", path, shared }));
  await until("the task is inside a system call", () => shared[0] === 1);

  clock.advance(30_000);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(stuck.settled, undefined);
  clock.advance(5_000);
  await until("the task is rejected", () => stuck.settled !== undefined);

  assert.equal(codeOf(stuck.settled), "THREAD_HUNG");
  assert.equal(await pool.run({ do: "echo", value: 1 }), 1);
  // A writer lets the thread's read come to its end, and with it the thread.
  writeFileSync(path, "at last");
  rmSync(dir, { recursive: true });
});

test("ThreadPool counts a task's time from its start, not from its submission", async () => {
  const clock = new ManualClock(0);
  await using pool = poolOf({ size: 1, taskTimeoutMs: 1_000, clock });
  const gates = [gate(), gate(), gate()];
  const answers = gates.map((shared) => pool.run({ do: "wait", shared }));

  for (const shared of gates) {
    await until("the task runs", () => shared[0] === 1);
    clock.advance(900);
    open(shared);
  }

  assert.deepEqual(await Promise.all(answers), ["waited", "waited", "waited"]);
});

test("ThreadPool.run() with timeoutMs gives the task a limit of its own", async () => {
  const clock = new ManualClock(0);
  await using pool = poolOf({ size: 1, taskTimeoutMs: 10_000, clock });
  const [short, long] = [gate(), gate()];

  const hung = outcome(pool.run({ do: "wait", shared: short }, [], { timeoutMs: 500 }));
  await until("the first task runs", () => short[0] === 1);
  clock.advance(500);
  await until("it is rejected", () => hung.settled !== undefined);
  const answer = pool.run({ do: "wait", shared: long }, [], { timeoutMs: 20_000 });
  await until("the second task runs", () => long[0] === 1);
  clock.advance(19_999);
  open(long);

  assert.equal((hung.settled as ThreadHungError).timeoutMs, 500);
  assert.equal(await answer, "waited");
  assert.throws(() => pool.run({ do: "echo", value: 1 }, [], { timeoutMs: 1 }), OptionError);
});

test("ThreadPool takes an answer that came in time for one, even if main was too busy to look", async () => {
  await using pool = poolOf({ size: 1, taskTimeoutMs: 30 });
  await pool.run({ do: "echo", value: 0 });
  const shared = gate();
  // After an immediate come the timers, so the limit's is looked at before the port is.
  await new Promise(setImmediate);

  const answer = pool.run({ do: "wait", shared });
  open(shared);
  // Main does nothing for longer than the task may take; the answer arrives meanwhile.
  Atomics.wait(gate(), 0, 0, 200);

  assert.equal(await answer, "waited");
});

for (const how of ["throw", "throw-after-serving", "return"] as const) {
  test(`ThreadPool starts again after a failed start: ${how}`, async () => {
    const { load, loads } = loadOf(how, 1);
    const clock = new ManualClock(0);
    await using pool = poolOf({ size: 2, clock, workerData: { load } });

    const answer = outcome(pool.run({ do: "echo", value: 1 }));
    await until("it was started twice", () => {
      clock.advance(10);
      return loads[0] === 2;
    });
    await until("the task is answered", () => answer.settled !== undefined);

    assert.equal(answer.settled, 1);
    assert.equal(pool.replaced, 0);
  });
}

test("ThreadPool rejects tasks when threads can't be started, and does not spin", async () => {
  const { load, loads } = loadOf("throw", Number.POSITIVE_INFINITY);
  const clock = new ManualClock(0);
  const pausesMs: number[] = [];
  const watched: Clock = {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    after(delayMs, run) {
      if (delayMs < 5_000) pausesMs.push(delayMs);
      return clock.after(delayMs, run);
    },
  };
  await using pool = poolOf({ size: 4, clock: watched, workerData: { load } });

  const answers = [1, 2, 3, 4, 5, 6].map((value) => outcome(pool.run({ do: "echo", value })));
  await until("the four starts at once have failed", () => pausesMs.length === 1);
  clock.advance(50);
  await until("one more start has failed", () => pausesMs.length === 2);
  assert.ok(answers.every(({ settled }) => settled === undefined));
  clock.advance(100);
  await until("all tasks are rejected", () => answers.every(({ settled }) => settled !== undefined));
  const late = outcome(pool.run({ do: "echo", value: 7 }));
  clock.advance(200);
  await until("the late task is rejected too", () => late.settled !== undefined);

  for (const { settled } of [...answers, late]) assert.equal(codeOf(settled), "THREAD_FAILED");
  assert.deepEqual(pausesMs, [50, 100, 200]);
  assert.equal(loads[0], 4 + 1 + 1 + 1);
});

test("ThreadPool says why threads can't be started", async () => {
  const { load } = loadOf("throw", Number.POSITIVE_INFINITY);
  await using pool = poolOf({ size: 1, workerData: { load } });
  await using absent = poolOf({ size: 1, entry: new URL("./absent.thread.js", import.meta.url) });
  await using remote = poolOf({ size: 1, entry: new URL("https://localhost/x.js") });

  await assert.rejects(pool.run({ do: "echo", value: 1 }), (error: Error & { code: string }) => {
    assert.equal(error.code, "THREAD_FAILED");
    assert.match(error.message, /3 attempts failed, the last with: Cannot use rules: made to fail/);
    assert.equal(codeOf(error.cause), "OPTION_INVALID");
    return true;
  });
  await assert.rejects(absent.run({ do: "echo", value: 1 }), /absent\.thread\.js/);
  await assert.rejects(remote.run({ do: "echo", value: 1 }), { code: "THREAD_FAILED" });
});

test("ThreadPool gives up a thread that hangs while it loads", async () => {
  const { load, loads } = loadOf("hang", 1);
  const clock = new ManualClock(0);
  await using pool = poolOf({ size: 1, clock, workerData: { load } });
  const answer = outcome(pool.run({ do: "echo", value: 1 }));
  await until("the first thread hangs", () => loads[0] === 1);

  clock.advance(30_000);
  await until("the second thread answers", () => {
    clock.advance(10);
    return answer.settled !== undefined;
  });

  assert.equal(answer.settled, 1);
});

test("ThreadPool.close() rejects running and waiting tasks, ends all threads, and refuses more", async () => {
  const pool = poolOf({ size: 2 });
  const shared = gate();
  const tasks = [1, 2, 3].map(() => pool.run({ do: "loop", shared }));
  const rejected = Promise.allSettled(tasks);
  await until("two tasks run", () => shared[0] === 2);

  await Promise.all([pool.close(), pool.close()]);

  for (const result of await rejected)
    assert.equal(result.status === "rejected" && result.reason.code, "THREADS_CLOSED");
  await assert.rejects(pool.run({ do: "echo", value: 1 }), { code: "THREADS_CLOSED" });
  assert.equal(pool.replaced, 0);
});

test("ThreadPool.close() ends threads that are still starting, and needs none", async () => {
  const starting = poolOf({ size: 1 });
  const task = outcome(starting.run({ do: "echo", value: 1 }));

  await starting.close();
  await poolOf({ size: 1 }).close();

  assert.equal(codeOf(task.settled), "THREADS_CLOSED");
});

test("ThreadPool refuses options out of range", () => {
  for (const options of [
    { size: 0 },
    { size: 65 },
    { size: 1, taskTimeoutMs: 9 },
    { size: 1, taskTimeoutMs: 1e6 },
  ])
    assert.throws(() => poolOf(options), OptionError);
});

test("an idle ThreadPool lets the process end, and what threads print arrives on stderr", () => {
  const script = `
    import { ManualClock } from ${JSON.stringify(new URL("../base/index.js", import.meta.url).href)};
    import { ThreadPool } from ${JSON.stringify(new URL("./index.js", import.meta.url).href)};
    const clock = new ManualClock(0); // has no timers that keep the process alive
    const pool = new ThreadPool({ entry: new URL(${JSON.stringify(entry.href)}), size: 2, prestart: true, clock });
    await pool.run({ do: "print", text: "printed\\n" });
    await pool.run({ do: "print", text: "printed again\\n" });
    await pool.run({ do: "exit", code: 0 }).catch(() => console.log("data"));
  `;

  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
    timeout: 20_000,
  });

  assert.equal(child.status, 0, child.stderr);
  assert.equal(child.stdout, "data\n");
  assert.deepEqual(child.stderr.split("\n").toSorted(), [
    "",
    "printed",
    "printed",
    "printed again",
    "printed again",
  ]);
});

test("ThreadPool leaves no listeners behind when threads are replaced", async () => {
  const before = listeners();
  const pool = poolOf({ size: 1 });
  for (let i = 0; i < 4; i += 1) await assert.rejects(pool.run({ do: "exit", code: 1 }));

  await pool.close();

  assert.equal(pool.replaced, 4);
  assert.equal(listeners(), before);
});

function listeners(): number {
  const emitters = [process, process.stdout, process.stderr];
  return emitters.reduce(
    (sum, emitter) =>
      sum + emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name as string), 0),
    0,
  );
}

function poolOf(options: Partial<ThreadPoolOptions> & { size: number }): Pool {
  return new ThreadPool({ entry, clock: systemClock, ...options });
}

/** [tasks begun, 1 once it is open] */
function gate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Whether a task that counts up in its shared array goes on doing so. */
async function isBeating(shared: Int32Array): Promise<boolean> {
  const before = Atomics.load(shared, 1);
  await pause(systemClock, 20);
  return Atomics.load(shared, 1) !== before;
}

function open(shared: Int32Array): void {
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
}

function loadOf(how: FaultLoad["how"], failures: number): { load: FaultLoad; loads: Int32Array } {
  const loads = new Int32Array(new SharedArrayBuffer(4));
  return { load: { loads, failures, how }, loads };
}

/** What became of a promise, as soon as it is known. */
function outcome(promise: Promise<unknown>): { settled: unknown } {
  const seen: { settled: unknown } = { settled: undefined };
  promise.then(
    (value) => {
      seen.settled = value;
    },
    (error: unknown) => {
      seen.settled = error;
    },
  );
  return seen;
}

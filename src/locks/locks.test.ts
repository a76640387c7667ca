import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "../../test/kit/until.js";
import { ManualClock } from "../base/index.js";
import { LockDomain } from "./index.js";

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: { code?: string }) => error.code ?? error,
  );

/** Steps that a test opens by hand, so that tasks meet where it wants them to. */
class Step {
  readonly reached: Promise<void>;
  #reach: () => void = () => {};
  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }
  open(): void {
    this.#reach();
  }
}

test("run() of two mutexes in opposite orders is refused at once with the cycle, and the other goes on", async () => {
  const domain = new LockDomain({ onFinding: "collect" });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const [hasA, hasB] = [new Step(), new Step()];

  const outcomes = await Promise.all([
    codeOf(
      domain.task("T1", () =>
        a.run(async () => {
          hasA.open();
          await hasB.reached;
          return b.run(() => "T1 done");
        }),
      ),
    ),
    codeOf(
      domain.task("T2", () =>
        b.run(async () => {
          hasB.open();
          await hasA.reached;
          return a.run(() => "T2 done");
        }),
      ),
    ),
  ]);

  assert.deepEqual(outcomes.sort(), ["LOCK_DEADLOCK", "T1 done"].sort());
});

test("run() in an inverted order is reported although nothing hung", async () => {
  const domain = new LockDomain();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  await a.run(() => b.run(() => {}));

  const error = await b.run(() => a.run(() => {})).catch((thrown: Error) => thrown);

  assert.match(String(error), /LockOrderError/);
  assert.match(String(error), /held a/);
  assert.match(String(error), /locks\.test/);
});

test("siblings of Promise.all hold nothing of each other", async () => {
  const domain = new LockDomain();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];

  await Promise.all([a.run(() => {}), b.run(() => {})]);
  await Promise.all([b.run(() => {}), a.run(() => {})]);

  assert.deepEqual(domain.findings, []);
});

test("a second release frees nobody", async () => {
  const domain = new LockDomain();
  const mutex = domain.mutex("m");
  const first = await mutex.acquire();
  first.release();
  const second = await mutex.acquire();

  first.release();

  assert.equal(mutex.isLocked, true);
  second.release();
  assert.equal(mutex.isLocked, false);
});

test("acquire() answers undefined at its limit when asked to, and the next one in line is served", async () => {
  const clock = new ManualClock(0);
  const domain = new LockDomain({ clock });
  const mutex = domain.mutex("m");
  const holder = await mutex.acquire();
  const impatient = mutex.acquire({ waitMs: 50, onTimeout: "undefined" });
  const patient = mutex.acquire();

  clock.advance(50);
  assert.equal(await impatient, undefined);
  holder.release();

  using served = await patient;
  assert.equal(served.isReleased, false);
});

test("the usual limit ends a wait within an eighth of its length", async () => {
  const clock = new ManualClock(0);
  const domain = new LockDomain({ clock, waitMs: 800 });
  const mutex = domain.mutex("m");
  using _holder = await mutex.acquire();
  const waiting = codeOf(mutex.acquire());

  for (let ms = 0; ms < 800; ms += 100) clock.advance(100);
  assert.equal(mutex.waiting, 1);
  clock.advance(100);

  assert.equal(await waiting, "LOCK_TIMEOUT");
});

test("a signal ends the wait with its reason, and what was granted before stays granted", async () => {
  const domain = new LockDomain();
  const mutex = domain.mutex("m");
  const holder = await mutex.acquire();
  const controller = new AbortController();
  const waiting = mutex.acquire({ signal: controller.signal });

  holder.release();
  controller.abort(new Error("too late"));

  using hold = await waiting;
  assert.equal(hold.isReleased, false);
  await assert.rejects(
    mutex.run({ signal: controller.signal }, () => {}),
    /too late/,
  );
});

test("a hold beyond its limit is told so and stays a hold", async () => {
  const clock = new ManualClock(0);
  const warned: string[] = [];
  const domain = new LockDomain({ clock, holdWarnMs: 100, logger: { warn: (line) => warned.push(line) } });
  const mutex = domain.mutex("m");

  await mutex.run((hold) => {
    for (let ms = 0; ms < 200; ms += 25) clock.advance(25);
    assert.equal(hold.signal.aborted, true);
    assert.equal(mutex.tryAcquire(), undefined);
  });

  assert.equal(warned.filter((line) => line.includes("still holds m")).length, 1);
});

test("children of a re-entrant hold take turns", async () => {
  const domain = new LockDomain();
  const mutex = domain.mutex("m", { reentrant: true });
  let inside = 0;
  let most = 0;

  await mutex.run(() =>
    Promise.all(
      [1, 2, 3].map(() =>
        mutex.run(async () => {
          inside += 1;
          most = Math.max(most, inside);
          await mutex.run(() => Promise.resolve());
          inside -= 1;
        }),
      ),
    ),
  );

  assert.equal(most, 1);
  assert.equal(mutex.isLocked, false);
});

test("transaction() sends the younger one back, and both finish", async () => {
  const domain = new LockDomain();
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  const starts = [0, 0];
  const steps = [new Step(), new Step()];

  const results = await Promise.all(
    [0, 1].map((who) =>
      domain.transaction(async () => {
        starts[who] = (starts[who] ?? 0) + 1;
        const [first, second] = who === 0 ? [a, b] : [b, a];
        return first.run(async () => {
          steps[who]?.open();
          await steps[1 - who]?.reached;
          return second.run(() => who);
        });
      }),
    ),
  );

  assert.deepEqual(results, [0, 1]);
  assert.deepEqual(starts, [1, 2]);
});

test("runAll() takes keys in their order and each once, and leaves no key behind", async () => {
  const domain = new LockDomain();
  const keyed = domain.keyed<string>("k");

  await Promise.all([
    keyed.runAll(["b", "a", "b"], () => assert.equal(keyed.size, 2)),
    keyed.runAll(["a", "b"], () => Promise.resolve()),
  ]);

  assert.equal(keyed.size, 0);
});

test("levels are taken upwards, and a violation names both sites before any wait", async () => {
  const domain = new LockDomain({ tiers: ["manager", "session", "handler"] });
  const manager = domain.mutex("global_task_lock", { level: "manager" });
  const handler = domain.mutex("_handler_lock", { level: "handler" });
  await manager.run(() => handler.run(() => {}));

  const error = await handler.run(() => manager.run(() => {})).catch((thrown: Error) => thrown);

  assert.match(String(error), /LockLevelError.*level manager.*_handler_lock \(level handler\)/s);
  assert.equal(String(error).split("locks.test").length - 1, 2);
});

test("off loads no AsyncLocalStorage and sees nothing", async () => {
  const domain = new LockDomain({ detection: "off", waitMs: 5 });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];

  await a.run(() => b.run(() => {}));
  await b.run(() => a.run(() => {}));

  assert.deepEqual(domain.findings, []);
});

test("sites are places of the caller, also below a keyed lock", async () => {
  const domain = new LockDomain();
  const keyed = domain.keyed<string>("orders", { level: 2 });
  const low = domain.mutex("low", { level: 1 });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  await a.run(() => b.run(() => {}));

  const level = String(await keyed.run("x", () => low.run(() => {})).catch((thrown: Error) => thrown));
  const order = String(await b.run(() => a.run(() => {})).catch((thrown: Error) => thrown));

  assert.match(level, /held +at .*locks\.test/);
  assert.doesNotMatch(level + order, /gate\.js|frame\.js|keyed-lock\.js|async_hooks/);
});

test("options that would break a lock or switch its checks off in silence are refused", async () => {
  const domain = new LockDomain({ tiers: ["low"] });
  const semaphore = domain.semaphore("s", 3);
  const readWrite = domain.readWriteLock("rw");
  domain.mutex("m", { level: "low", waitMs: 5 });

  for (const weight of [0, -1, 4, 1.5, Number.NaN])
    assert.equal(await codeOf(semaphore.run({ weight }, () => {})), "OPTION_INVALID");
  assert.throws(() => semaphore.tryAcquire({ weight: 9 }), { code: "OPTION_INVALID" });
  assert.equal(await codeOf(semaphore.run({ waitMs: Number.NaN }, () => {})), "OPTION_INVALID");
  assert.equal(await codeOf(readWrite.write.run({ weight: 2 }, () => {})), "OPTION_INVALID");
  await readWrite.write.run({ weight: 1 }, () => assert.equal(readWrite.read.tryAcquire(), undefined));
  for (const make of [
    () => domain.mutex("x", { detection: "ful" as never }),
    () => domain.mutex("x", { onFinding: "thrown" as never }),
    () => domain.mutex("x", { level: Number.NaN }),
    () => domain.semaphore("x", 2, { overtakingMax: -1 }),
  ])
    assert.throws(make, { code: "OPTION_INVALID" });
});

test("a further lock of a class may not say otherwise than the first", () => {
  const domain = new LockDomain({ tiers: ["low", "high"] });
  domain.mutex("m", { level: "low", waitMs: 5 });
  domain.semaphore("s", 2);

  domain.mutex("m");
  domain.mutex("m", { level: "low", waitMs: 5 });

  assert.throws(() => domain.mutex("m", { level: "high" }), /level = 1: the first of that name has 0/);
  assert.throws(() => domain.mutex("m", { waitMs: 6 }), /waitMs = 6/);
  assert.throws(() => domain.keyed("m"), /another kind/);
  assert.throws(() => domain.semaphore("s", 3), /3 permits: .* with 2/);
});

test("runAll() takes keys in the order of compare, and passes its options on", async () => {
  const domain = new LockDomain();
  const keyed = domain.keyed<number>("k", { compare: (held, wanted) => wanted - held });

  await keyed.runAll([1, 3, 2], { waitMs: 10 }, () => assert.equal(keyed.size, 3));
  const holder = await keyed.acquire(1);
  const late = await keyed.acquire(1, { waitMs: 1, onTimeout: "undefined" });

  assert.deepEqual(domain.findings, []);
  assert.equal(late, undefined);
  holder.release();
});

test("a wait for a latch inside of what opens it says so with both places, and open() may come twice", async () => {
  const domain = new LockDomain();
  const ready = domain.latch("ready");

  const error = String(await ready.openAfter(() => ready.wait()).catch((thrown: Error) => thrown));
  ready.open();

  assert.match(error, /SelfDeadlockError.*openAfter.*held +at .*locks\.test.*wanted +at .*locks\.test/s);
  assert.equal(ready.isOpen, true);
});

test("a hold of another domain is refused as holding, and a condition of anything but a mutex", async () => {
  const [one, two] = [new LockDomain(), new LockDomain()];
  const foreign = await one.mutex("a").acquire();
  const [b, c] = [two.mutex("b"), two.mutex("c")];

  const code = await codeOf(b.run({ holding: foreign }, () => c.run(() => {})));
  foreign.release();

  assert.equal(code, "LOCK_HOLD");
  assert.deepEqual(two.findings, []);
  assert.throws(() => two.condition(two.semaphore("s", 2)), { code: "OPTION_INVALID" });
  assert.throws(() => two.condition(two.readWriteLock("rw").read), { code: "OPTION_INVALID" });
});

test("assertHeld() tells the keys of a keyed lock apart", async () => {
  const domain = new LockDomain();
  const sessions = domain.keyed<string>("session");

  await sessions.run("alice", () => {
    domain.assertHeld(sessions, "alice");
    assert.throws(() => domain.assertHeld(sessions, "bob"), /session\[bob\] should be held/);
  });

  assert.throws(() => domain.assertHeld(sessions, "alice"), { code: "LOCK_HOLD" });
});

test("callers without types are told of a body, name or key that is missing, and nothing stays locked", async () => {
  const domain = new LockDomain();
  const mutex = domain.mutex("m");
  const keyed = domain.keyed<string>("k");
  const missing = undefined as never;

  for (const attempt of [
    mutex.run(missing),
    mutex.run({ waitMs: 5 }, missing),
    keyed.run(missing, () => {}),
    keyed.acquire({} as never),
    keyed.runAll("alice", () => {}),
    keyed.runAll(["alice"], missing),
    keyed.runAll(["alice", missing], () => {}),
  ])
    assert.equal(await codeOf(attempt), "OPTION_INVALID");
  for (const make of [
    () => keyed.tryAcquire(missing),
    () => domain.mutex(missing),
    () => domain.mutex(""),
    () => domain.semaphore("s", missing),
  ])
    assert.throws(make, { code: "OPTION_INVALID" });

  assert.equal(mutex.isLocked, false);
  assert.equal(keyed.size, 0);
});

test("a keyed lock keeps nothing of the keys it has had, however they ended", async () => {
  const clock = new ManualClock(0);
  const domain = new LockDomain({ clock, onFinding: "collect" });
  const keyed = domain.keyed<number>("k");
  const keys = process.env.POUNDLOCK_ORACLE === "full" ? 1_000_000 : 3_000;

  for (let key = 0; key < keys; key += 1) {
    using _hold = keyed.tryAcquire(key);
    const given = [
      codeOf(keyed.acquire(key, { waitMs: 10 })),
      codeOf(keyed.acquire(key, { signal: AbortSignal.abort(new Error("no")) })),
      codeOf(keyed.run(key, { waitMs: 10 }, () => {})),
    ];
    assert.equal(keyed.size, 1);
    clock.advance(10);
    await Promise.all(given);
  }

  assert.equal(keyed.size, 0);
  assert.deepEqual(domain.report().locks, []);
});

test("a hold is not overdue for the time that it waited for a condition", async () => {
  const clock = new ManualClock(1_000_000);
  const warnings: string[] = [];
  const domain = new LockDomain({ clock, holdWarnMs: 1000, logger: { warn: (line) => warnings.push(line) } });
  const mutex = domain.mutex("m");
  const condition = domain.condition(mutex);
  const [isBack, mayEnd] = [new Step(), new Step()];
  const done = mutex.run(async (hold) => {
    await condition.wait(hold);
    isBack.open();
    await mayEnd.reached;
    return hold.signal.aborted;
  });
  // Somebody holds it all the time, so that the look at long holds goes on.
  const other = domain.mutex("other").run(() => isBack.reached);
  clock.advance(5000);
  condition.notify();
  await isBack.reached;
  await other;
  clock.advance(500);
  mayEnd.open();
  assert.equal(await done, false);
  assert.deepEqual(
    warnings.filter((line) => line.includes("holds m ")),
    [],
  );
});

for (const isContended of [false, true])
  test(`a body's result whose then can't be read leaves nothing locked, ${isContended ? "after a wait" : "at once"}`, async () => {
    const mutex = new LockDomain().mutex("m");
    const before = isContended ? await mutex.acquire() : undefined;
    const result = {
      // biome-ignore lint/suspicious/noThenProperty: this is what it is about
      get then(): never {
        throw new RangeError("unreadable");
      },
    };
    const ran = mutex.run(() => result as unknown as number);
    before?.release();
    await assert.rejects(ran, RangeError);
    assert.equal(mutex.isLocked, false);
  });

for (const isContended of [false, true])
  test(`a hold that nobody has in hand any more is told of, taken ${isContended ? "after a wait" : "at once"}`, async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const clock = new ManualClock(1_000_000);
    const warnings: string[] = [];
    const domain = new LockDomain({
      clock,
      reportAtExit: false,
      logger: { warn: (line) => warnings.push(line) },
    });
    const mutex = domain.mutex("m");
    const lose = async (): Promise<void> => {
      const before = isContended ? await mutex.acquire() : undefined;
      const taking = mutex.acquire();
      before?.release();
      await taking;
    };
    await lose();
    clock.advance(2000);
    await until("it is told of", () => {
      collect();
      return warnings.length > 0;
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /lost the hold of m/);
  });

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { ManualClock } from "../../base/index.js";
import { openRegistry, pointOf, type Registry, summaryOf } from "../index.js";

let made = 0;

function testRegistry(): { registry: Registry; clock: ManualClock } {
  made += 1;
  const clock = new ManualClock(1_800_000_000_000);
  const options = { name: `timer.test ${made}`, reserveBytes: 8 * 2 ** 20, hasOwnMetrics: false };
  return { registry: openRegistry(options, clock), clock };
}

function durations(
  registry: Registry,
  name: string,
  labels: Record<string, string>,
): { n: number; max: number } {
  const point = pointOf(registry.snapshot(), name, labels);
  return point === undefined || "value" in point ? { n: 0, max: Number.NaN } : summaryOf(point);
}

test("Timer.start() measures a block, readable inside and after", () => {
  const { registry, clock } = testRegistry();
  const timer = registry.timer("work_seconds");
  let seen: readonly number[];

  {
    using running = timer.start();
    clock.advance(8);
    const inside = running.elapsedMs;
    clock.advance(2);
    running.stop();
    clock.advance(100);
    seen = [inside, running.elapsedMs];
  }

  assert.deepEqual(seen, [8, 10]);
  const { n, max } = durations(registry, "work_seconds", { error_type: "" });
  assert.deepEqual([n, max], [1, 0.01]);
});

test("Timer.run() answers what its body does, records failures with their class, and hides none", async () => {
  const { registry, clock } = testRegistry();
  const timer = registry.timer("work_ms", { unit: "ms", labels: ["step"] });
  const failure = Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });

  const answer = timer.run(() => 7, { step: "a" });
  assert.throws(
    () =>
      timer.run(
        () => {
          clock.advance(5);
          throw failure;
        },
        { step: "a" },
      ),
    (error) => error === failure,
  );
  const later = timer.run(
    async () => {
      clock.advance(3);
      throw new TypeError("odd");
    },
    { step: "b" },
  );
  await assert.rejects(later, TypeError);

  assert.equal(answer, 7);
  assert.equal(durations(registry, "work_ms", { step: "a", error_type: "" }).n, 1);
  assert.deepEqual(durations(registry, "work_ms", { step: "a", error_type: "EHOSTUNREACH" }).max, 5);
  assert.deepEqual(durations(registry, "work_ms", { step: "b", error_type: "TypeError" }).max, 3);
});

test("Timer.run() runs a lazy thenable once", async () => {
  const { registry } = testRegistry();
  const timer = registry.timer("work_seconds");
  let queries = 0;
  // biome-ignore lint/suspicious/noThenProperty: a query that runs when awaited is what is tested
  const query = { then: (resolve: (value: string) => void) => resolve(`rows ${++queries}`) };

  const rows = await timer.run(() => query);

  assert.equal(rows, "rows 1");
});

test("Timer.run() leaves a rejection that nobody handles to Node", () => {
  const door = JSON.stringify(new URL("../index.js", import.meta.url).href);
  const program = `
    import { openRegistry } from ${door};
    process.on("unhandledRejection", (error) => console.log("seen:", error.message));
    void openRegistry().timer("work").run(() => Promise.reject(new Error("nobody looks")));`;

  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });

  assert.equal(stdout, "seen: nobody looks\n");
});

test("Timer.timed() decorates methods, both ways, and keeps this and arguments", () => {
  const { registry, clock } = testRegistry();
  const timer = registry.timer("work_seconds", { errorLabel: false });
  class Account {
    balance = 5;
    pay(amount: number): number {
      clock.advance(20);
      this.balance -= amount;
      return this.balance;
    }
  }
  const pay = Object.getOwnPropertyDescriptor(Account.prototype, "pay")!;
  const standard = timer.timed()(Account.prototype.pay, { kind: "method", name: "pay" }) as Account["pay"];
  const older = timer.timed()(Account.prototype, "pay", pay) as PropertyDescriptor;
  const account = new Account();

  assert.equal(standard.call(account, 2), 3);
  assert.equal((older.value as Account["pay"]).call(account, 1), 2);

  assert.equal(durations(registry, "work_seconds", {}).n, 2);
});

test("Timer.start() refuses wrong labels before the work, and counts the wait from an intended start", () => {
  const { registry, clock } = testRegistry();
  const timer = registry.timer("work_ms", { unit: "ms", labels: ["step"], samplesMax: 100 });
  let ran = false;

  assert.throws(
    () =>
      timer.run(
        () => {
          ran = true;
        },
        {} as { step: string },
      ),
    { code: "METRICS_LABELS" },
  );
  const intendedMs = clock.monotonicMs();
  clock.advance(30);
  const running = timer.start({ step: "a" }, { intendedMs });
  clock.advance(10);
  running.stop();
  running.fail(new Error("too late"));

  assert.equal(ran, false);
  assert.deepEqual(durations(registry, "work_ms", { step: "a", error_type: "" }).max, 40);
  assert.equal(durations(registry, "work_ms", { step: "a", error_type: "Error" }).n, 0);
});

test("Timer.run() hides no exception, whatever becomes of its labels meanwhile", () => {
  const { registry } = testRegistry();
  const timer = registry.timer("work_seconds", { labels: ["step"] });
  const labels: { step: string | undefined } = { step: "a" };
  const failure = new RangeError("of the body");

  assert.throws(
    () =>
      timer.run(
        () => {
          labels.step = undefined;
          throw failure;
        },
        labels as { step: string },
      ),
    failure,
  );

  assert.equal(durations(registry, "work_seconds", { step: "a", error_type: "RangeError" }).n, 1);
});

for (const intendedMs of [Number.NaN, Number.NEGATIVE_INFINITY])
  test(`Timer.run() refuses an intended start of ${intendedMs} before its body, not in place of its error`, () => {
    const { registry } = testRegistry();
    const timer = registry.timer("work_seconds");
    let ran = false;
    const body = (): void => {
      ran = true;
    };

    assert.throws(() => timer.run(body, undefined, { intendedMs }), { code: "OPTION_INVALID" });

    assert.equal(ran, false);
  });

import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "../registry.js";
import type { MetricsSnapshot } from "../snapshot.js";
import {
  exploreMost,
  type Mark,
  nameThread,
  type Program,
  type SimulatedThread,
  seed,
} from "./schedules.testkit.js";

/** A registry as a thread opens it, before the schedule begins. */
function open(thread: SimulatedThread, hasOwnMetrics = false): Registry {
  return thread.quietly(() => {
    const registry = new Registry(thread.segment, { hasOwnMetrics }, thread.clock);
    nameThread(thread);
    return registry;
  });
}

function numberOf(snapshot: MetricsSnapshot, name: string): number {
  const family = snapshot.families.find((one) => one.name === name);
  if (family === undefined) return 0;
  let sum = 0;
  for (const point of family.points) {
    if ("value" in point) sum += point.value;
    if ("histogram" in point) sum += point.histogram.count;
  }
  return sum;
}

/** Numbers of a snapshot of the test's metrics, checked for what holds in each. */
function look(thread: SimulatedThread, registry: Registry): void {
  thread.mark("asks");
  const snapshot = registry.snapshot();
  const values = Object.fromEntries(snapshot.families.map(({ name }) => [name, numberOf(snapshot, name)]));
  for (const family of snapshot.families) {
    for (const point of family.points) {
      if (!("histogram" in point)) continue;
      const { count, sum, zeroCount, positive } = point.histogram;
      assert.equal(
        count,
        zeroCount + positive.counts.reduce((a, b) => a + b, 0),
        "the count is not that of the buckets",
      );
      assert.equal(sum, 3 * count, "the sum is not that of the observations");
    }
  }
  thread.mark("sees", { ...values, isExact: snapshot.isExact });
}

type Seen = Record<string, number> & { isExact: boolean };

/** What each snapshot saw is between what was made when it was asked for and what had begun when it came. */
function checkSnapshots(history: readonly Mark[], names: readonly string[]): void {
  const asked = new Map<number, Record<string, number>>();
  const made: Record<string, number> = {};
  const begun: Record<string, number> = {};
  for (const { thread, what, value } of history) {
    if (what === "begins") begun[value as string] = (begun[value as string] ?? 0) + 1;
    if (what === "made") made[value as string] = (made[value as string] ?? 0) + 1;
    if (what === "asks") asked.set(thread, { ...made });
    if (what !== "sees") continue;
    const seen = value as Seen;
    assert.ok(seen.isExact, "a snapshot is not exact");
    for (const name of names) {
      const number = seen[name] ?? 0;
      assert.ok(number >= (asked.get(thread)![name] ?? 0), `${name} lacks a record: ${number}`);
      assert.ok(number <= (begun[name] ?? 0), `${name} has more than was recorded: ${number}`);
    }
  }
}

/** Alternates between a counter and a histogram, so that in each prefix of its records the counter is ahead by at most one. */
const alternating: Program = (thread) => {
  const registry = open(thread);
  const [counter, histogram] = thread.quietly(() => [
    registry.counter("counter").bind(),
    registry.histogram("histogram").bind(),
  ]);
  for (let n = 0; n < 2; n += 1) {
    thread.mark("begins", "counter");
    counter!.add();
    thread.mark("made", "counter");
    thread.mark("begins", "histogram");
    histogram!.record(3);
    thread.mark("made", "histogram");
  }
};

const reading: Program = (thread) => {
  const registry = open(thread);
  look(thread, registry);
  look(thread, registry);
};

test(`a snapshot has a prefix of a thread's records, whole, whatever the schedule (POUNDLOCK_SEED=${seed})`, () => {
  exploreMost({
    programs: [alternating, reading],
    check(history) {
      checkSnapshots(history, ["counter", "histogram"]);
      for (const { what, value } of history) {
        if (what !== "sees") continue;
        const { counter = 0, histogram = 0 } = value as Seen;
        assert.ok(counter - histogram === 0 || counter - histogram === 1, `${counter} and ${histogram}`);
      }
    },
  });
});

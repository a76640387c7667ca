import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "../../base/index.js";
import { Registry } from "../registry.js";
import type { MetricsSnapshot } from "../snapshot.js";
import { threadState, threadWord, word } from "./layout.js";
import {
  explore,
  exploreMost,
  type Mark,
  nameThread,
  type Program,
  type SimulatedThread,
  seed,
  simulatedId,
} from "./schedules.testkit.js";
import { buryThread } from "./threads.js";

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
  const counterStartedMs = snapshot.families.find(({ name }) => name === "counter")?.points[0]?.startedMs;
  thread.mark("sees", { ...values, counterStartedMs, isExact: snapshot.isExact });
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

/** Adds one to each of two counters in one step. */
function pairing(times: number, hasOneBefore = false): Program {
  return (thread) => {
    const registry = open(thread);
    const [left, right] = thread.quietly(() => [
      registry.counter("left").bind(),
      registry.counter("right").bind(),
    ]);
    const record = (): void => {
      thread.mark("begins", "left");
      registry.together(() => {
        left!.add();
        right!.add();
      });
      thread.mark("made", "left");
    };
    if (hasOneBefore) {
      thread.quietly(record);
      // So that the newest record, which a reader lays over its cells, is of none of these.
      thread.quietly(() => registry.counter("other").add());
    }
    for (let n = 0; n < times; n += 1) record();
  };
}

function checkPairs(history: readonly Mark[]): void {
  checkSnapshots(history, ["left"]);
  for (const { what, value } of history) {
    if (what !== "sees") continue;
    const { left = 0, right = 0 } = value as Seen;
    assert.equal(left, right, "one half of a pair");
  }
}

test("a snapshot has a thread's records, whole, in every schedule with two preemptions", () => {
  const lookingOnce: Program = (thread) => {
    const registry = open(thread);
    thread.quietly(() => registry.snapshot());
    look(thread, registry);
  };

  const schedules = explore({
    programs: [pairing(1, true), lookingOnce],
    preemptionsMax: 2,
    threadsMax: 2,
    check: checkPairs,
  });

  assert.ok(schedules > 1000, `${schedules} schedules`);
});

test(`Registry.together() of two threads is in a snapshot whole or not at all (POUNDLOCK_SEED=${seed})`, () => {
  exploreMost({ programs: [pairing(2), pairing(1), reading], check: checkPairs });
});

test(`two readers at a time have each a cut of their own (POUNDLOCK_SEED=${seed})`, () => {
  exploreMost({ programs: [pairing(2), reading, reading], check: checkPairs });
});

test(`what one thread records after another told it to is in no snapshot without the other's (POUNDLOCK_SEED=${seed})`, () => {
  const counting =
    (name: string, after?: number): Program =>
    (thread) => {
      const registry = open(thread);
      const counter = thread.quietly(() => registry.counter(name).bind());
      if (after !== undefined && !thread.isGone(after)) return;
      counter.add();
    };
  exploreMost({
    programs: [counting("cause"), counting("effect", 0), reading],
    check(history) {
      for (const { what, value } of history) {
        if (what !== "sees") continue;
        const { cause = 0, effect = 0 } = value as Seen;
        assert.ok(cause >= effect, "the effect without its cause");
      }
    },
  });
});

test(`a thread killed anywhere loses at most the record that it was at, and that is reported (POUNDLOCK_SEED=${seed})`, () => {
  const undertaking: Program = (thread) => {
    const registry = open(thread, true);
    const mayBury = thread.isGone(0);
    if (mayBury) buryThread(thread.segment, simulatedId(0));
    const snapshot = registry.snapshot();
    const lost = numberOf(snapshot, "poundlock_metrics_records_lost_total");
    thread.mark("counts", {
      left: numberOf(snapshot, "left"),
      right: numberOf(snapshot, "right"),
      lost,
      mayBury,
    });
  };
  exploreMost({
    programs: [pairing(2), undertaking],
    mortal: [0],
    check(history, dead) {
      const { left, right, lost, mayBury } = history.find(({ what }) => what === "counts")!.value as Seen;
      if (!mayBury) return;
      const made = history.filter(({ what }) => what === "made").length;
      assert.equal(left, right);
      assert.ok(left === made || (dead.length === 1 && left === made + 1), `${left} of ${made}`);
      assert.ok(lost === 0 || (dead.length === 1 && lost === 1));
      const begun = history.filter(({ what }) => what === "begins").length;
      if (left! < begun && made < begun) assert.ok(lost === 1 || left === made, "a loss without a word");
    },
  });
});

test(`a thread that goes on with the place of one that was killed loses nothing of it (POUNDLOCK_SEED=${seed})`, () => {
  const adopting: Program = (thread) => {
    if (!thread.isGone(0)) return;
    buryThread(thread.segment, simulatedId(0));
    // Not quietly: a reader may be at it all the time.
    const registry = new Registry(thread.segment, { hasOwnMetrics: false }, thread.clock);
    const counters = [registry.counter("left").bind(), registry.counter("right").bind()];
    thread.mark("begins", "left");
    registry.together(() => {
      for (const counter of counters) counter.add();
    });
    thread.mark("made", "left");
    look(thread, registry);
  };
  exploreMost({ programs: [pairing(2), adopting, reading], mortal: [0], threadsMax: 2, check: checkPairs });
});

test(`a place that is taken over while its thread is buried has one thread (POUNDLOCK_SEED=${seed})`, () => {
  // Of two places one has a thread that lives, the other one that has said that it ends.
  const prepare = ({ segment }: SimulatedThread): void => {
    for (const [slot, state] of [threadState.ended, threadState.live].entries()) {
      const at = segment.threadUnit(slot) * 2;
      if (segment.i32[at + threadWord.incarnation] !== 0) return;
      segment.i32[at + threadWord.threadId] = simulatedId(slot) + 1;
      segment.i32[at + threadWord.incarnation] = 1;
      segment.i32[at + threadWord.state] = state;
    }
  };
  const taking: Program = (thread) => {
    thread.quietly(() => prepare(thread));
    try {
      new Registry(thread.segment, { hasOwnMetrics: false }, thread.clock);
      thread.mark("has", "a place");
    } catch (error) {
      if (codeOf(error) !== "METRICS_THREADS") throw error;
    }
    thread.mark("ended", Atomics.load(thread.segment.i32, word.threadsEnded));
  };
  const burying: Program = (thread) => {
    thread.quietly(() => prepare(thread));
    buryThread(thread.segment, simulatedId(0));
    taking(thread);
  };
  exploreMost({
    programs: [burying, taking],
    threadsMax: 2,
    check(history) {
      assert.equal(history.filter(({ what }) => what === "has").length, 1, "threads with the place");
      assert.equal(history.findLast(({ what }) => what === "ended")?.value, 1, "ends that were counted");
    },
  });
});

/** Each record is seen once: in the series as it was, or in the one that was made anew. */
function checkExpiring(history: readonly Mark[]): void {
  const seenByStart = new Map<number, number>();
  for (const { what, value } of history) {
    if (what !== "sees") continue;
    const { counter = 0, counterStartedMs = 0, other = 0 } = value as Seen;
    seenByStart.set(counterStartedMs, Math.max(seenByStart.get(counterStartedMs) ?? 0, counter));
    assert.ok(other <= 2, `another series has ${other}`);
  }
  const seen = [...seenByStart.values()].reduce((a, b) => a + b);
  const begun = history.filter(({ what }) => what === "begins").length;
  assert.equal(seen, begun, `${seen} of ${begun} records were seen`);
}

const expiring: Program = (thread) => {
  const registry = open(thread);
  for (let n = 0; n < 4; n += 1) {
    thread.advance(1001);
    look(thread, registry);
  }
};

test(`a series that expires while it is recorded to loses no record (POUNDLOCK_SEED=${seed})`, () => {
  const recording: Program = (thread) => {
    const registry = open(thread);
    const counter = thread.quietly(() => registry.counter("counter").bind());
    for (let n = 0; n < 3; n += 1) {
      thread.mark("begins");
      counter.add();
      thread.mark("made");
      // Takes the memory that expired, if there is any.
      if (n === 1) registry.counter("other").add();
    }
    look(thread, registry);
  };
  exploreMost({ programs: [recording, expiring], idleMs: 1000, check: checkExpiring });
});

test(`a series does not expire under a thread that is in Registry.together() (POUNDLOCK_SEED=${seed})`, () => {
  const recording: Program = (thread) => {
    const registry = open(thread);
    const counter = thread.quietly(() => {
      const bound = registry.counter("counter").bind();
      bound.add(0);
      return bound;
    });
    thread.mark("begins");
    registry.together(() => {
      counter.add();
      registry.counter("other").add();
    });
    thread.mark("made");
    look(thread, registry);
  };
  exploreMost({ programs: [recording, expiring], idleMs: 1000, check: checkExpiring });
});

test(`two threads that register one series share it, and no cap is exceeded (POUNDLOCK_SEED=${seed})`, () => {
  const registering =
    (labels: readonly string[]): Program =>
    (thread) => {
      const registry = open(thread);
      const counter = thread.quietly(() => registry.counter("counter", { labels: ["label"], seriesMax: 2 }));
      for (const label of labels) {
        thread.mark("begins", "counter");
        counter.add(1, { label });
        thread.mark("made", "counter");
      }
    };
  const listing: Program = (thread) => {
    const registry = open(thread);
    for (let n = 0; n < 2; n += 1) {
      thread.mark("asks");
      const snapshot = registry.snapshot();
      const points = snapshot.families[0]?.points ?? [];
      const labels = points.map((point) => (point.isOverflow === true ? "(others)" : point.labels[0]!));
      assert.equal(new Set(labels).size, labels.length, `a series twice: ${labels}`);
      assert.ok(labels.filter((label) => label !== "(others)").length <= 2, `beyond the cap: ${labels}`);
      thread.mark("sees", { counter: numberOf(snapshot, "counter"), isExact: snapshot.isExact });
    }
  };
  exploreMost({
    programs: [registering(["a", "b"]), registering(["b", "c"]), listing],
    check: (history) => checkSnapshots(history, ["counter"]),
  });
});

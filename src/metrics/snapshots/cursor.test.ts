import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { SnapshotCursor } from "./cursor.js";
import { mergeSnapshots } from "./merge.js";
import {
  counterBy,
  familyNamed,
  histogramOf,
  numberFamily,
  numberIn,
  snapshotOf,
} from "./snapshot.testkit.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

function counter(value: number, startedMs = 0): MetricFamily {
  return numberFamily("counter", "c", { value, startedMs });
}

function histograms(...values: readonly number[]): MetricFamily {
  const points = [{ labels: [], startedMs: 0, histogram: histogramOf(...values) }];
  return { kind: "histogram", name: "h", help: "", labelNames: [], points };
}

test("SnapshotCursor.next() answers all at first, then what came in between", () => {
  const cursor = new SnapshotCursor();

  const answers = [cursor.next(snapshotOf(10, counter(5))), cursor.next(snapshotOf(20, counter(12)))];

  assert.deepEqual(
    answers.map((answer) => numberIn(answer, "c")),
    [5, 7],
  );
  assert.deepEqual(familyNamed(answers[1]!, "c")?.points, [{ labels: [], startedMs: 10, value: 7 }]);
});

test("SnapshotCursor.next() leaves out what did not change, or keeps it when asked to", () => {
  const looks = [snapshotOf(1, counter(5), histograms(1)), snapshotOf(2, counter(5), histograms(1))];
  const [brief, full] = [new SnapshotCursor(), new SnapshotCursor({ keepsUnchanged: true })];

  const [, left] = looks.map((look) => brief.next(look));
  const [, kept] = looks.map((look) => full.next(look));

  assert.deepEqual(left!.families, []);
  assert.deepEqual(
    kept!.families.map(({ name }) => name),
    ["c", "h"],
  );
  assert.equal(numberIn(kept!, "c"), 0);
});

test("SnapshotCursor.next() starts from zero again for a series that expired and came back", () => {
  const cursor = new SnapshotCursor();
  cursor.next(snapshotOf(10, counterBy("c", "k", { a: 5, b: 5 })));
  cursor.next(snapshotOf(20, counterBy("c", "k", { a: 6 })));

  const back = cursor.next(snapshotOf(30, counterBy("c", "k", { a: 2, b: 9 }, 25)));

  assert.deepEqual(familyNamed(back, "c")?.points, [
    { labels: ["a"], startedMs: 25, value: 2 },
    { labels: ["b"], startedMs: 25, value: 9 },
  ]);
});

test("SnapshotCursor.next() sees a new start between two looks, also when the value is higher", () => {
  const cursor = new SnapshotCursor();
  cursor.next(snapshotOf(10, counter(5)));

  const answer = cursor.next(snapshotOf(20, counter(8, 15)));

  assert.equal(numberIn(answer, "c"), 8);
});

test("SnapshotCursor.next() is never negative for a counter, and may be for an upDownCounter", () => {
  const cursor = new SnapshotCursor();
  const look = (value: number): MetricsSnapshot =>
    snapshotOf(1, counter(value), numberFamily("upDownCounter", "u", { value }));
  cursor.next(look(9));

  const answer = cursor.next(look(4));

  assert.equal(numberIn(answer, "c"), 4);
  assert.equal(numberIn(answer, "u"), -5);
});

test("SnapshotCursor.next() does not count again what it knew when a source with an earlier start joins", () => {
  const cursor = new SnapshotCursor();
  const late = snapshotOf(20, counter(4, 50));
  cursor.next(late);

  const answer = cursor.next(mergeSnapshots([late, snapshotOf(20, counter(3, 40))]));

  assert.equal(numberIn(answer, "c"), 3);
});

test("SnapshotCursor.next() starts from zero when a family became another metric", () => {
  const cursor = new SnapshotCursor();
  cursor.next(snapshotOf(10, counterBy("c", "k", { a: 5 })));

  const answer = cursor.next(snapshotOf(20, counterBy("c", "other", { a: 7 })));

  assert.equal(numberIn(answer, "c"), 7);
});

test("SnapshotCursor.next() answers gauges and windows as they are", () => {
  const cursor = new SnapshotCursor();
  const values = { kind: "samples", samplesMax: 3, sorted: [1, 2] } as const;
  const window: MetricFamily = {
    kind: "window",
    name: "w",
    help: "",
    labelNames: [],
    points: [{ labels: [], startedMs: 0, values }],
  };
  const look = snapshotOf(1, numberFamily("gauge", "g", { value: 3, setMs: 1 }), window);
  cursor.next(look);

  assert.deepEqual(cursor.next(look).families, look.families);
});

const steps = fc.array(
  fc.tuple(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), fc.boolean(), fc.boolean()),
  {
    maxLength: 30,
  },
);

test(`SnapshotCursor: all answers of a cursor add up to what was recorded, whatever another one does (POUNDLOCK_SEED=${seed})`, () => {
  fc.assert(
    fc.property(steps, (looks) => {
      const cursors = [new SnapshotCursor(), new SnapshotCursor()];
      const counted = [0, 0];
      const answers: MetricsSnapshot[][] = [[], []];
      const recorded: number[] = [];
      for (const [at, [values, first, second]] of [...looks, [[], true, true] as const].entries()) {
        recorded.push(...values);
        const snapshot = snapshotOf(at, counter(recorded.length), histograms(...recorded));
        for (const [reader, isLooking] of [first, second].entries())
          if (isLooking) answers[reader]!.push(cursors[reader]!.next(snapshot));
      }

      for (const [reader, given] of answers.entries()) {
        for (const answer of given) {
          const value = numberIn(answer, "c") ?? 0;
          assert.ok(value >= 0);
          counted[reader]! += value;
        }
        const point = mergeSnapshots(given).families.find(({ name }) => name === "h")?.points[0];
        assert.equal(counted[reader], recorded.length);
        if (recorded.length === 0) continue;
        assert.ok(point !== undefined && "histogram" in point);
        const whole = histogramOf(...recorded);
        assert.deepEqual(point.histogram.positive, whole.positive);
        assert.equal(point.histogram.zeroCount, whole.zeroCount);
        assert.equal(point.histogram.sum, whole.sum);
      }
    }),
    { seed, numRuns: 200 },
  );
});

test("SnapshotCursor.next() says of a counter that has left the doubles that it did not change, never NaN", () => {
  const cursor = new SnapshotCursor({ keepsUnchanged: true });
  const looks = [5, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

  const answers = looks.map((value, at) => cursor.next(snapshotOf(at, counter(value))));

  assert.deepEqual(
    answers.map((answer) => numberIn(answer, "c")),
    [5, Number.POSITIVE_INFINITY, 0],
  );
});

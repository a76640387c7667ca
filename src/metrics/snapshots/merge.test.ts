import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anySnapshot } from "../../../test/kit/any-snapshot.js";
import { mergeExponential } from "../../sketch/index.js";
import type { MetricFamily, MetricsSnapshot, WindowFamily } from "../snapshot.js";
import { atOnce } from "./in-turns.js";
import { type FamilyConflict, mergeSnapshots, SnapshotSum } from "./merge.js";
import {
  counterBy,
  familyNamed,
  histogramOf,
  numberFamily,
  numberIn,
  snapshotOf,
} from "./snapshot.testkit.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

function histograms(...values: readonly number[]): MetricFamily {
  const points = [{ labels: [], startedMs: 0, histogram: histogramOf(...values) }];
  return { kind: "histogram", name: "h", help: "", labelNames: [], points };
}

function windows(values: WindowFamily["points"][0]["values"]): WindowFamily {
  return {
    kind: "window",
    name: "w",
    help: "",
    labelNames: [],
    points: [{ labels: [], startedMs: 0, values }],
  };
}

test("mergeSnapshots() adds counters and upDownCounters exactly", () => {
  const of = (value: number): MetricsSnapshot =>
    snapshotOf(
      1,
      numberFamily("counter", "c", { value }),
      numberFamily("upDownCounter", "u", { value: -value }),
    );

  const merged = mergeSnapshots([of(2 ** 53), of(0.75), of(0.75), of(0.75)]);

  // Adding doubles would have stayed at 2^53.
  assert.equal(numberIn(merged, "c"), 2 ** 53 + 2);
  assert.equal(numberIn(merged, "u"), -(2 ** 53) - 2);
});

test("mergeSnapshots() gives counters of fractions the same value however they are split", () => {
  const of = (...values: readonly number[]) =>
    mergeSnapshots(values.map((value) => snapshotOf(1, numberFamily("counter", "c", { value }))));

  assert.equal(numberIn(of(0.1, 0.2, 0.3), "c"), numberIn(of(0.3, 0.2, 0.1), "c"));
  assert.equal(numberIn(of(0.1, 0.2, 0.3), "c"), 0.6);
});

test("mergeSnapshots() merges histograms in the lower schema, with an exact sum", () => {
  const coarse = mergeExponential({ ...histogramOf(), schema: 2 }, histogramOf(3, 4));
  const points = [{ labels: [], startedMs: 0, histogram: coarse }];
  const family = { ...histograms(), points } as MetricFamily;

  const merged = mergeSnapshots([
    snapshotOf(1, histograms(0.1, -2, 0)),
    snapshotOf(1, family),
    snapshotOf(1, histograms()),
  ]);

  const [point] = familyNamed(merged, "h")!.points;
  assert.ok(point !== undefined && "histogram" in point);
  const expected = mergeExponential(coarse, histogramOf(0.1, -2, 0));
  assert.deepEqual(point.histogram, { ...expected, schema: 2, sum: 0.1 - 2 + 3 + 4 });
  assert.equal(point.histogram.count, 5);
});

for (const [across, expected] of [
  ["latest", 5],
  ["sum", 17],
  ["min", 2],
  ["max", 10],
] as const)
  test(`mergeSnapshots() takes the ${across} of gauges`, () => {
    const of = (value: number, setMs: number): MetricsSnapshot =>
      snapshotOf(1, numberFamily("gauge", "g", { value, setMs }, across));

    const merged = mergeSnapshots([of(10, 100), of(5, 300), of(2, 200)]);

    assert.equal(numberIn(merged, "g"), expected);
    const [point] = familyNamed(merged, "g")!.points;
    assert.ok(point !== undefined && "setMs" in point);
    assert.equal(point.setMs, 300);
  });

test("mergeSnapshots() makes the last N of each source one window, and says of how many", () => {
  const of = (...sorted: readonly number[]): MetricsSnapshot =>
    snapshotOf(1, windows({ kind: "samples", samplesMax: 3, sorted }));

  const merged = mergeSnapshots([of(1, 5, 9), of(2, 4)]);

  const [point] = familyNamed(merged, "w")!.points;
  assert.ok(point !== undefined && "values" in point);
  assert.deepEqual(point.values, { kind: "samples", samplesMax: 6, sorted: [1, 2, 4, 5, 9] });
});

test("mergeSnapshots() leaves out the window of a cut that is older than the window", () => {
  const of = (atMs: number, value: number): MetricsSnapshot =>
    snapshotOf(atMs, windows({ kind: "recent", forMs: 60_000, histogram: histogramOf(value) }));

  const merged = mergeSnapshots([of(100_000, 1), of(40_000, 2), of(40_001, 3)]);

  const [point] = familyNamed(merged, "w")!.points;
  assert.ok(point !== undefined && "values" in point && point.values.kind === "recent");
  assert.deepEqual(point.values.histogram, histogramOf(1, 3));
});

test("mergeSnapshots() takes series for the same when label names and values are, in any order of the names", () => {
  const one: MetricFamily = {
    ...counterBy("c", "", {}),
    labelNames: ["a", "b"],
    points: [{ labels: ["x", "y"], startedMs: 7, value: 1 }],
  };
  const other: MetricFamily = {
    ...one,
    labelNames: ["b", "a"],
    points: [
      { labels: ["y", "x"], startedMs: 3, value: 2 },
      { labels: ["x", "y"], startedMs: 3, value: 4 },
    ],
  };

  const merged = mergeSnapshots([snapshotOf(1, one), snapshotOf(1, other)]);

  assert.deepEqual(familyNamed(merged, "c")!.points, [
    { labels: ["x", "y"], startedMs: 3, value: 3 },
    { labels: ["y", "x"], startedMs: 3, value: 4 },
  ]);
});

test("mergeSnapshots() never mixes up label values, whatever separators they have in them", () => {
  const values = ["x", "y", "x|", "|y", "x,b:y", "1:a", "", "\ud800", "\udc00", "\ufffd", "__proto__", "+"];
  const points = values.flatMap((a) => values.map((b) => ({ labels: [a, b], startedMs: 0, value: 1 })));
  const family: MetricFamily = {
    ...counterBy("c", "", {}),
    labelNames: ["a", "b"],
    points: [...points, { labels: ["", ""], isOverflow: true, startedMs: 0, value: 1 }],
  };

  const merged = mergeSnapshots([snapshotOf(1, family), snapshotOf(1, family)]);

  assert.deepEqual(
    familyNamed(merged, "c")!.points,
    family.points.map((point) => ({ ...point, value: 2 })),
  );
});

for (const [what, other] of [
  ["kind", numberFamily("upDownCounter", "c", { value: 5 })],
  ["unit", { ...numberFamily("counter", "c", { value: 5 }), unit: "s" }],
  ["labels", counterBy("c", "k", { a: 5 })],
] as const)
  test(`mergeSnapshots() keeps a family of another ${what} apart and names both`, () => {
    const conflicts: FamilyConflict[] = [];

    const merged = mergeSnapshots(
      [snapshotOf(1, numberFamily("counter", "c", { value: 3 })), snapshotOf(1, other), snapshotOf(1, other)],
      { onConflict: (conflict) => conflicts.push(conflict) },
    );

    assert.equal(merged.families.length, 1);
    assert.equal(numberIn(merged, "c"), 3);
    assert.equal(conflicts.length, 2);
    assert.deepEqual(conflicts[0]?.kept, { kind: "counter", labelNames: [] });
    assert.equal(conflicts[0]?.refused.kind, other.kind);
    assert.equal(conflicts[0]?.seriesRefused, 1);
  });

test("mergeSnapshots() is exact when all are, has the latest time and keeps the order of first appearance", () => {
  const one = snapshotOf(
    5,
    numberFamily("counter", "b", { value: 1 }),
    numberFamily("counter", "a", { value: 1 }),
  );
  const other = snapshotOf(
    9,
    numberFamily("counter", "c", { value: 1 }),
    numberFamily("counter", "a", { value: 1 }),
  );

  const merged = mergeSnapshots([one, other]);

  assert.deepEqual([merged.atMs, merged.isExact], [9, true]);
  assert.deepEqual(
    merged.families.map(({ name }) => name),
    ["b", "a", "c"],
  );
  assert.equal(mergeSnapshots([one, { ...other, isExact: false }]).isExact, false);
});

test(`mergeSnapshots() of one snapshot is that snapshot (POUNDLOCK_SEED=${seed})`, () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      // Windows of two forms in one family, which no registry makes, are told apart by their first point only.
      const families = snapshot.families.filter(({ kind }) => kind !== "window");

      assert.deepStrictEqual(mergeSnapshots([{ ...snapshot, families }]), { ...snapshot, families });
    }),
    { seed, numRuns: 200 },
  );
});

test(`SnapshotSum.copyInSteps() is untouched by what is added to the original (POUNDLOCK_SEED=${seed})`, () => {
  fc.assert(
    fc.property(anySnapshot, anySnapshot, (one, other) => {
      const sum = new SnapshotSum();
      sum.add(one);
      const before = sum.finish(0, true);
      const copy = atOnce(sum.copyInSteps());

      sum.add(one);
      sum.add(other);

      assert.deepStrictEqual(copy.finish(0, true), before);
    }),
    { seed, numRuns: 100 },
  );
});

test("mergeSnapshots() of more histograms than are kept apart has their sum, rounded once", () => {
  const family = (value: number): MetricFamily => ({
    kind: "histogram",
    name: "h",
    help: "",
    labelNames: [],
    points: [{ labels: [], startedMs: 0, histogram: histogramOf(value) }],
  });
  const values = [1e16, ...Array.from({ length: 40 }, () => 1)];

  const merged = mergeSnapshots(values.map((value) => snapshotOf(1, family(value))));

  const [point] = merged.families[0]!.points;
  assert.ok(point !== undefined && "histogram" in point);
  assert.deepEqual([point.histogram.count, point.histogram.sum], [41, 1e16 + 40]);
});

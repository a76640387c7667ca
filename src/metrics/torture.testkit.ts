import assert from "node:assert/strict";
import type { MetricsSnapshot } from "./snapshot.js";

/** Sum of a metric's points: of a histogram or a window the number of observations. */
export function sumOf(snapshot: MetricsSnapshot, name: string): number {
  let sum = 0;
  for (const point of snapshot.families.find((family) => family.name === name)?.points ?? []) {
    if ("value" in point) sum += point.value;
    else if ("histogram" in point) sum += point.histogram.count;
    else sum += point.values.kind === "samples" ? point.values.sorted.length : point.values.histogram.count;
  }
  return sum;
}

/** Points of a metric by their only label. */
export function byLabel(snapshot: MetricsSnapshot, name: string): Record<string, number> {
  const points = snapshot.families.find((family) => family.name === name)?.points ?? [];
  return Object.fromEntries(
    points.map((point) => [point.labels[0], "value" in point ? point.value : Number.NaN]),
  );
}

/** What holds in each snapshot of threads that record one to each of these metrics in one step, and threes. */
export function checkCut(snapshot: MetricsSnapshot): void {
  assert.ok(snapshot.isExact, "a snapshot is not exact");
  const left = sumOf(snapshot, "left");
  assert.equal(sumOf(snapshot, "right"), left);
  assert.equal(sumOf(snapshot, "histogram"), left);
  for (const family of snapshot.families) {
    for (const point of family.points) {
      const histogram =
        "histogram" in point
          ? point.histogram
          : "values" in point && point.values.kind === "recent"
            ? point.values.histogram
            : undefined;
      if (histogram === undefined) continue;
      const { count, sum, positive } = histogram;
      assert.equal(
        positive.counts.reduce((a, b) => a + b, 0),
        count,
      );
      assert.equal(sum, 3 * count);
    }
  }
}

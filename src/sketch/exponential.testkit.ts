import assert from "node:assert/strict";
import {
  type BucketRun,
  bucketIndexerOf,
  ExactSum,
  type ExponentialHistogram,
  relativeErrorAt,
} from "./index.js";

/** By the definition: each value alone into its bucket. */
export function exponentialOf(values: Iterable<number>, schema: number): ExponentialHistogram {
  const indexOf = bucketIndexerOf(schema);
  const positive = new Map<number, number>();
  const negative = new Map<number, number>();
  const sum = new ExactSum();
  let zeroCount = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const value of values) {
    if (value === 0) {
      zeroCount += 1;
    } else {
      const counts = value > 0 ? positive : negative;
      const index = indexOf(Math.abs(value));
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    count += 1;
    sum.add(value);
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const range = count === 0 ? { min: Number.NaN, max: Number.NaN } : { min: min + 0, max: max + 0 };
  return {
    schema,
    count,
    sum: sum.value(),
    ...range,
    zeroCount,
    positive: runOf(positive),
    negative: runOf(negative),
  };
}

export function runOf(counts: ReadonlyMap<number, number>): BucketRun {
  const indexes = [...counts.keys()].sort((a, b) => a - b);
  return { indexes, counts: indexes.map((index) => counts.get(index)!) };
}

/** The value of rank ceil(q * n). */
export function exactQuantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
}

/** Whether an estimate of the value is as near as the schema promises. */
export function assertNear(estimate: number, exact: number, schema: number, what: string | number): void {
  const relative = relativeErrorAt(schema);
  // Subnormal values are whole numbers of the smallest double: an error below 1.5 of them is at most 1.
  const errorMax =
    Math.abs(exact) < 2 ** -1022
      ? Math.floor(relative * (Math.abs(exact) / Number.MIN_VALUE) + 0.5) * Number.MIN_VALUE
      : relative * Math.abs(exact);
  // The message only when needed, because this is asked for half a million buckets.
  if (!(Math.abs(estimate - exact) <= errorMax))
    assert.fail(`${what}: ${estimate} for ${exact}, schema ${schema}`);
}

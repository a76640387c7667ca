import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type BucketRun,
  bucketIndexerOf,
  ExactSum,
  type ExponentialHistogram,
  Histogram,
  relativeErrorAt,
} from "../sketch/index.js";
import { distributionBetween } from "./distribution.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

/** Values recorded with a schema, as a registry would. */
function recorded(schema: number, values: readonly number[]): ExponentialHistogram {
  const indexOf = bucketIndexerOf(schema);
  const sum = new ExactSum();
  const runs = { positive: new Map<number, number>(), negative: new Map<number, number>() };
  for (const value of values) {
    sum.add(value);
    if (value === 0) continue;
    const run = value > 0 ? runs.positive : runs.negative;
    const index = indexOf(Math.abs(value));
    run.set(index, (run.get(index) ?? 0) + 1);
  }
  return {
    schema,
    count: values.length,
    sum: sum.value(),
    min: values.length === 0 ? Number.NaN : Math.min(...values) + 0,
    max: values.length === 0 ? Number.NaN : Math.max(...values) + 0,
    zeroCount: values.filter((value) => value === 0).length,
    positive: toRun(runs.positive),
    negative: toRun(runs.negative),
  };
}

function toRun(counts: ReadonlyMap<number, number>): BucketRun {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return { indexes: sorted.map(([index]) => index), counts: sorted.map(([, count]) => count) };
}

function together(schema: number, batches: readonly (readonly number[])[]): Histogram {
  const all = new Histogram();
  let older: ExponentialHistogram | undefined;
  const values: number[] = [];
  for (const batch of batches) {
    values.push(...batch);
    const newer = recorded(schema, values);
    const between = distributionBetween(newer, older);
    assert.equal(between?.count ?? 0, batch.length);
    if (between !== undefined) all.merge(between);
    older = newer;
  }
  return all;
}

const value = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(0, 1, -1, 2, 5e-324, -5e-324, 2 ** 1000, 1024),
  fc.integer({ min: 1, max: 50 }),
);
const batches = fc.array(fc.array(value, { maxLength: 8 }), { minLength: 1, maxLength: 8 });

for (const schema of [5, 6, 8])
  test(`distributionBetween(): differences of schema ${schema} together are what recording at once would be (POUNDLOCK_SEED=${seed})`, () => {
    fc.assert(
      fc.property(batches, (given) => {
        const values = given.flat();
        const whole = new Histogram();
        for (const one of values) whole.record(one);

        const all = together(schema, given);

        assert.deepEqual(all.buckets(), whole.buckets());
        assert.deepEqual([all.min, all.max, all.sum], [whole.min, whole.max, whole.sum]);
      }),
      { seed, numRuns: 300 },
    );
  });

for (const schema of [-4, 0, 3, 4])
  test(`distributionBetween(): differences of schema ${schema} keep counts, sum, min and max, and quantiles within the bound (POUNDLOCK_SEED=${seed})`, () => {
    const bound = (1 + relativeErrorAt(schema)) * (1 + relativeErrorAt(5)) - 1;
    fc.assert(
      fc.property(batches, (given) => {
        const values = given.flat().filter((one) => Math.abs(one) > 1e-300 || one === 0);
        fc.pre(values.length > 0);
        const kept = given.map((batch) => batch.filter((one) => values.includes(one)));
        const all = together(schema, kept);
        const sorted = [...values].sort((a, b) => a - b);

        assert.equal(all.count, values.length);
        assert.equal(all.sum, recorded(schema, values).sum);
        assert.deepEqual([all.min, all.max], [sorted[0]! + 0, sorted.at(-1)! + 0]);
        for (const q of [0.25, 0.5, 0.9]) {
          const exact = sorted[Math.ceil(q * sorted.length) - 1]!;
          const error = Math.abs(all.quantile(q) - exact);
          assert.ok(error <= Math.abs(exact) * bound, `${q}: ${all.quantile(q)} of ${exact}`);
        }
      }),
      { seed, numRuns: 150 },
    );
  });

test("distributionBetween() is nothing when nothing came, and survives numbers that contradict each other", () => {
  const newer = recorded(5, [1, 2, 3]);

  assert.equal(distributionBetween(newer, newer), undefined);
  // As a torn record may leave it: a sum that is not finite, a max that lies in no bucket.
  const torn = distributionBetween({ ...newer, sum: Number.NaN, max: 100 }, undefined);
  assert.equal(torn?.count, 3);
  assert.ok(torn !== undefined && Math.abs(torn.max - 3) < 0.04);
});

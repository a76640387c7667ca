import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { anySchema, anyValues, distributions, schemas, share } from "../../test/kit/distributions.js";
import { seededRandom } from "../../test/kit/feed.js";
import { OptionError } from "../base/index.js";
import { assertNear, exactQuantile, exponentialOf } from "./exponential.testkit.js";
import {
  bucketLowerAt,
  bucketUpperAt,
  downscale,
  type ExponentialHistogram,
  emptyExponential,
  Histogram,
  mergeExponential,
  quantileOf,
  relativeErrorAt,
} from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const quantiles = [0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
const piles = fc.array(fc.nat(2), { minLength: 400, maxLength: 400 });

for (const [name, values] of Object.entries(distributions)) {
  test(`quantileOf() stays within its bound after splits, merges and downscales: ${name} (POUNDLOCK_SEED=${seed})`, () => {
    const lists = fc.array(values, { minLength: 1, maxLength: 400, size: "max" });

    const check = fc.property(
      lists,
      piles,
      fc.tuple(anySchema, anySchema, anySchema),
      share,
      (list, pile, recorded, q) => {
        const parts = recorded.map((schema, which) =>
          exponentialOf(
            list.filter((_, i) => pile[i] === which),
            schema,
          ),
        ) as [ExponentialHistogram, ExponentialHistogram, ExponentialHistogram];
        const lowest = Math.min(...recorded);
        const sorted = list.toSorted((a, b) => a - b);

        for (const [schema, histogram] of [
          [recorded[0], exponentialOf(list, recorded[0])],
          [lowest, mergeExponential(...parts)],
          [lowest, downscale(exponentialOf(list, recorded[0]), lowest)],
        ] as const)
          for (const each of [...quantiles, q]) {
            const estimate = quantileOf(histogram, each);
            assertNear(estimate, exactQuantile(sorted, each), schema, `q ${each}`);
            assert.ok(estimate >= histogram.min && estimate <= histogram.max);
            if (each === 0) assert.equal(estimate, sorted[0]! + 0);
            if (each === 1) assert.equal(estimate, sorted.at(-1)! + 0);
          }
      },
    );

    fc.assert(check, { seed, numRuns: 60 });
  });
}

test(`quantileOf() in schema 5 is Histogram.quantile(), to the last bit (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, share, (list, anyShare) => {
    const histogram = new Histogram();
    for (const value of list) histogram.record(value);
    const data = histogram.toExponential();

    for (const q of [...quantiles, anyShare])
      assert.ok(Object.is(quantileOf(data, q), histogram.quantile(q)), `q ${q}`);
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test(`quantileOf() a million heavy-tailed values holds its bound, also merged 8-way and 100-way (POUNDLOCK_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  const values = Float64Array.from({ length: 1_000_000 }, () => heavyTailed(random));
  const sorted = values.toSorted();

  for (const schema of [3, 5, 8]) {
    const whole = exponentialOf(values, schema);
    for (const ways of [1, 8, 100]) {
      const merged = ways === 1 ? whole : mergedInAnyOrder(split(values, ways, random), schema, random);

      assert.deepEqual(merged.positive, whole.positive);
      assert.deepEqual([merged.count, merged.min, merged.max], [1_000_000, sorted[0], sorted.at(-1)]);
      assert.ok(Math.abs(merged.sum / whole.sum - 1) < 100 * 2 ** -53);
      for (const q of [0.5, 0.9, 0.99, 0.999, 0.9999])
        assertNear(quantileOf(merged, q), exactQuantile(sorted, q), schema, `p${100 * q} merged ${ways}-way`);
    }
  }
});

test("quantileOf() is as far off as it says for values at both ends of a bucket, and no farther", () => {
  for (const schema of schemas) {
    const index = 3;
    const upper = bucketUpperAt(schema, index);
    const lowest = bucketLowerAt(schema, index) * (1 + 2 ** -52);
    for (const value of [lowest, upper]) {
      // Others at a distance keep the value from being min or max, which are exact.
      const estimate = quantileOf(exponentialOf([0, value, value, Number.MAX_VALUE], schema), 0.5);
      const error = Math.abs(estimate - value) / value;

      assertNear(estimate, value, schema, "at an end");
      assert.ok(error > relativeErrorAt(schema) - 2e-6, `schema ${schema}: ${error}`);
    }
  }
});

test("quantileOf() finds ranks among counts past 2^32, up to 2^53", () => {
  const counts = [2 ** 32 + 1, 2 ** 40, 2 ** 52];
  const count = 2 ** 53 - 1;
  const zeroCount = count - 2 * (2 ** 32 + 1) - 2 ** 40 - 2 ** 52;
  const histogram: ExponentialHistogram = {
    ...exponentialOf([-1, 0, 1, 32, 1024], 0),
    count,
    zeroCount,
    negative: { indexes: [-1], counts: [2 ** 32 + 1] },
    positive: { indexes: [-1, 4, 9], counts },
  };

  assert.equal(quantileOf(histogram, (2 ** 32 + 1) / count), -2 / 3);
  assert.equal(quantileOf(histogram, (2 ** 32 + 2) / count), 0);
  assert.equal(quantileOf(histogram, 0.49), 0);
  assert.equal(quantileOf(histogram, 0.51), 2 ** 11 / 3);
  assert.equal(quantileOf(histogram, 0.9999), 2 ** 11 / 3);
  assert.equal(quantileOf(histogram, 1), 1024);
});

test("quantileOf() answers NaN for an empty histogram and refuses a q outside 0..1", () => {
  for (const q of quantiles) assert.ok(Number.isNaN(quantileOf(emptyExponential(3), q)));
  for (const q of [-0.1, 1.1, 95, Number.NaN]) {
    assert.throws(() => quantileOf(exponentialOf([1], 3), q), OptionError);
    assert.throws(() => quantileOf(emptyExponential(3), q), OptionError);
  }
});

/** Milliseconds of a service: lognormal around 20, and one in a hundred from a Pareto tail of shape 1.1 that begins at 200. */
function heavyTailed(random: () => number): number {
  if (random() < 0.01) return 200 * (1 - random()) ** (-1 / 1.1);
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return 20 * Math.exp(0.8 * normal);
}

function split(values: Float64Array, ways: number, random: () => number): number[][] {
  const parts = Array.from({ length: ways }, (): number[] => []);
  for (const value of values) parts[Math.floor(random() * ways)]!.push(value);
  return parts;
}

/** Merges two at random until one is left. */
function mergedInAnyOrder(
  parts: readonly number[][],
  schema: number,
  random: () => number,
): ExponentialHistogram {
  const left = parts.map((values) => exponentialOf(values, schema));
  const takeAny = (): ExponentialHistogram => left.splice(Math.floor(random() * left.length), 1)[0]!;
  while (left.length > 1) left.push(mergeExponential(takeAny(), takeAny()));
  return takeAny();
}

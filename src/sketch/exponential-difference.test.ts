import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { anySchema, anyValues } from "../../test/kit/distributions.js";
import { assertNear, exactQuantile, exponentialOf } from "./exponential.testkit.js";
import { emptyExponential, mergeExponential, quantileOf, subtractExponential } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const quantiles = [0, 0.01, 0.5, 0.9, 0.99, 1];

test(`subtractExponential() has the buckets of what came in between (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(
    anyValues,
    anyValues,
    anySchema,
    anySchema,
    (before, between, schema, coarser) => {
      const older = exponentialOf(before, schema);
      const newer = mergeExponential(older, exponentialOf(between, coarser));

      const difference = subtractExponential(newer, older);

      const expected = exponentialOf(between, Math.min(schema, coarser));
      const { sum: _, min: _min, max: _max, ...buckets } = expected;
      const { sum, min, max, hasLooseRange = false, ...found } = difference;
      assert.deepEqual(found, buckets);
      if (between.length === 0) {
        assert.deepEqual(difference, emptyExponential(expected.schema));
        return;
      }
      assert.ok(min <= expected.min && max >= expected.max, "bounds");
      assert.ok(min >= newer.min && max <= newer.max, "inside the range of the newer");
      if (!hasLooseRange) assert.deepEqual([min, max], [expected.min, expected.max]);
      assert.ok(Number.isNaN(sum) || (sum >= min * between.length && sum <= max * between.length), "sum");
      assertRange(min, expected.min, expected.schema);
      assertRange(max, expected.max, expected.schema);
    },
  );

  fc.assert(check, { seed, numRuns: 500 });
});

test(`quantileOf() a difference stays within the bound, the lowest and highest rank included (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, anyValues, anySchema, (before, between, schema) => {
    fc.pre(between.length > 0);
    const older = exponentialOf(before, schema);
    const newer = mergeExponential(older, exponentialOf(between, schema));
    const sorted = between.toSorted((a, b) => a - b);

    const difference = subtractExponential(newer, older);

    for (const q of quantiles)
      assertNear(quantileOf(difference, q), exactQuantile(sorted, q), schema, `q ${q}`);
  });

  fc.assert(check, { seed, numRuns: 500 });
});

test("subtractExponential() knows min and max where the newer reaches beyond the older", () => {
  const older = exponentialOf([2, 3], 5);
  const wider = mergeExponential(older, exponentialOf([1.99, 3.01], 5));
  const inside = mergeExponential(older, exponentialOf([2.5], 5));
  const beyond = mergeExponential(older, exponentialOf([3.01], 5));

  const { min, max, hasLooseRange } = subtractExponential(wider, older);
  const within = subtractExponential(inside, older);
  const above = subtractExponential(beyond, older);

  assert.deepEqual([min, max, hasLooseRange], [1.99, 3.01, undefined]);
  assert.equal(within.hasLooseRange, true);
  assert.ok(within.min < 2.5 && within.min > 2.4 && within.max > 2.5 && within.max < 2.6);
  assert.deepEqual([above.max, above.hasLooseRange], [3.01, true]);
  assert.ok(above.min > 2.9 && above.min < 3.01);
});

test("subtractExponential() of a newer one with a loose range has one too", () => {
  const older = exponentialOf([2, 3], 5);
  const wider = { ...mergeExponential(older, exponentialOf([1.99, 3.01], 5)), hasLooseRange: true } as const;

  assert.equal(subtractExponential(wider, older).hasLooseRange, true);
  assert.equal(subtractExponential(wider, emptyExponential(5)).hasLooseRange, true);
});

test("subtractExponential() from nothing is the newer one, and nothing from itself", () => {
  const histogram = exponentialOf([5, -5, 0, 1e-9], 4);

  assert.deepEqual(subtractExponential(histogram, emptyExponential(5)), histogram);
  assert.deepEqual(subtractExponential(histogram, emptyExponential(2)), exponentialOf([5, -5, 0, 1e-9], 2));
  assert.deepEqual(subtractExponential(histogram, histogram), emptyExponential(4));
});

test(`subtractExponential() of a histogram that began anew has no count below 0 (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, anyValues, anySchema, (before, after, schema) => {
    const difference = subtractExponential(exponentialOf(after, schema), exponentialOf(before, schema));

    const counts = [...difference.positive.counts, ...difference.negative.counts, difference.zeroCount];
    assert.ok(counts.every((count) => count >= 0));
    assert.equal(
      difference.count,
      counts.reduce((a, b) => a + b),
    );
    assert.ok(difference.positive.counts.every((count) => count > 0));
    if (difference.count > 0) assert.ok(difference.min <= difference.max);
    if (difference.count > 0 && Number.isFinite(difference.sum)) {
      assert.ok(difference.sum >= difference.min * difference.count);
      assert.ok(difference.sum <= difference.max * difference.count);
    }
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test("subtractExponential() keeps a sum that rounding has blurred within what its values allow", () => {
  const older = exponentialOf([1e300, -1e300, 1e17], 5);
  const newer = { ...mergeExponential(older, exponentialOf([1], 5)), sum: 1e17 };

  const { count, sum, min, max } = subtractExponential(newer, older);

  assert.deepEqual([count, max], [1, 1]);
  assert.equal(sum, min);
});

test("subtractExponential() counts past 2^32 up to 2^53 exactly", () => {
  let newer = exponentialOf([0, -1, 1.5, 1e9], 5);
  for (let doublings = 0; doublings < 51; doublings += 1) newer = mergeExponential(newer, newer);

  const difference = subtractExponential(newer, exponentialOf([1.5, 0], 5));

  assert.equal(difference.count, 2 ** 53 - 2);
  assert.deepEqual(difference.positive.counts, [2 ** 51 - 1, 2 ** 51]);
  assert.deepEqual([difference.zeroCount, ...difference.negative.counts], [2 ** 51 - 1, 2 ** 51]);
});

/** Whether a bound lies in the bucket of the value, or just outside of it. */
function assertRange(bound: number, value: number, schema: number): void {
  const base = 2 ** (2 ** -schema) * (1 + 2 ** -50);
  if (Math.abs(value) < 2 ** -1000) return;
  assert.ok(Math.sign(bound) === Math.sign(value) || Math.abs(value) < 2 ** -1000, `${bound} for ${value}`);
  const ratio = Math.abs(bound) / Math.abs(value);
  assert.ok(ratio <= base && ratio >= 1 / base, `${bound} for ${value}`);
}

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { anySchema, anyValues } from "../../test/kit/distributions.js";
import { exponentialOf } from "./exponential.testkit.js";
import { emptyExponential, mergeExponential } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const piles = fc.array(fc.nat(4), { minLength: 300, maxLength: 300 });

test(`mergeExponential() of any split, in any tree, gives the histogram of the whole (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, piles, anySchema, (list, pile, schema) => {
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((which) =>
      exponentialOf(
        list.filter((_, i) => pile[i] === which),
        schema,
      ),
    ) as [Histogram, Histogram, Histogram, Histogram, Histogram];
    const { sum, ...whole } = exponentialOf(list, schema);

    const { sum: sumOfTree, ...tree } = mergeExponential(
      mergeExponential(d, b),
      mergeExponential(mergeExponential(c, e), a),
    );
    const atOnce = mergeExponential(a, b, c, d, e);

    assert.deepEqual(tree, whole);
    assert.deepEqual(atOnce, mergeExponential(e, c, d, b, a));
    assertSums([sumOfTree, atOnce.sum], sum, list);
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test(`mergeExponential() of different schemas gives what recording with the lowest gives (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, anyValues, anySchema, anySchema, (listA, listB, schemaA, schemaB) => {
    const merged = mergeExponential(exponentialOf(listA, schemaA), exponentialOf(listB, schemaB));
    const { sum, ...whole } = exponentialOf([...listA, ...listB], Math.min(schemaA, schemaB));

    assert.deepEqual({ ...merged, sum: 0 }, { ...whole, sum: 0 });
    assertSums([merged.sum], sum, [...listA, ...listB]);
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test("mergeExponential() rounds the sum once, however many there are", () => {
  const parts = [1e16, 1, 1, -1e16, 0.5].map((value) => exponentialOf([value], 5));

  assert.equal(mergeExponential(parts[0]!, ...parts.slice(1)).sum, 2.5);
});

test("mergeExponential() lets a sum leave the doubles, the same in every order", () => {
  const huge = exponentialOf([1e308, 1e308], 5);
  const low = exponentialOf([-1e308], 5);

  assert.equal(mergeExponential(huge, low, low).sum, Number.POSITIVE_INFINITY);
  assert.equal(mergeExponential(low, low, huge).sum, Number.POSITIVE_INFINITY);
  assert.equal(huge.sum, Number.POSITIVE_INFINITY);
  assert.equal(mergeExponential(huge, exponentialOf([-1], 5)).sum, Number.POSITIVE_INFINITY);
  assert.equal(
    mergeExponential(exponentialOf([1e308], 5), exponentialOf([1e308], 5)).sum,
    Number.POSITIVE_INFINITY,
  );
});

test("mergeExponential() of empty ones is empty, in the lowest schema", () => {
  assert.deepEqual(mergeExponential(emptyExponential(5), emptyExponential(3)), emptyExponential(3));
  assert.deepEqual(
    mergeExponential(emptyExponential(3), exponentialOf([1, -2, 0], 5)),
    exponentialOf([1, -2, 0], 3),
  );
  assert.deepEqual(mergeExponential(exponentialOf([1], 5)), exponentialOf([1], 5));
});

test("mergeExponential() counts past 2^32 up to 2^53 exactly", () => {
  let histogram = exponentialOf([0, -1, 1.5, 1e9], 5);
  for (let doublings = 0; doublings < 51; doublings += 1) histogram = mergeExponential(histogram, histogram);

  assert.equal(histogram.count, 2 ** 53);
  assert.deepEqual(histogram.positive.counts, [2 ** 51, 2 ** 51]);
  assert.deepEqual([histogram.zeroCount, ...histogram.negative.counts], [2 ** 51, 2 ** 51]);
});

test("mergeExponential() has a loose range as soon as one of them has, unless that is empty", () => {
  const loose = { ...exponentialOf([3], 5), hasLooseRange: true } as const;
  const exact = exponentialOf([1, 9], 5);
  const emptyLoose = { ...emptyExponential(5), hasLooseRange: true } as const;

  assert.equal(mergeExponential(exact, loose).hasLooseRange, true);
  assert.equal(mergeExponential(loose, exact, exact).hasLooseRange, true);
  assert.ok(!("hasLooseRange" in mergeExponential(exact, emptyLoose)));
});

test("mergeExponential() leaves what it is given as it was", () => {
  const a = exponentialOf([1, 2, -3], 5);
  const b = exponentialOf([1, 20, 0], 4);

  mergeExponential(a, b);

  assert.deepEqual([a, b], [exponentialOf([1, 2, -3], 5), exponentialOf([1, 20, 0], 4)]);
});

type Histogram = ReturnType<typeof exponentialOf>;

/** Sums of rounded sums may differ by the rounding of each. */
function assertSums(sums: readonly number[], exact: number, list: readonly number[]): void {
  const absolute = list.reduce((sum, value) => sum + Math.abs(value), 0);
  for (const sum of sums)
    if (Number.isFinite(absolute))
      assert.ok(Math.abs(sum - exact) <= 8 * absolute * 2 ** -53, `${sum}, not ${exact}`);
}

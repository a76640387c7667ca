import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketLowerAt, bucketMiddleAt, bucketUpperAt } from "./bucket-bounds.js";
import { bucketIndex, bucketIndexMax, bucketIndexMin } from "./bucket-index.js";

test("bucketIndex() puts the doubles around every boundary into the right buckets", () => {
  for (let k = 0; k < 32; k += 1) {
    const boundary = boundaryBelow(k);
    for (const exponent of [-1022, -1021, -600, -1, 0, 1, 52, 1000, 1023]) {
      const edge = boundary * 2 ** exponent;
      const next = (boundary + 2 ** -52) * 2 ** exponent;

      assert.equal(bucketIndex(edge), 32 * exponent + k - 1, `2^(${k}/32) * 2^${exponent}`);
      assert.equal(bucketIndex(next), 32 * exponent + k, `above 2^(${k}/32) * 2^${exponent}`);
      assert.equal(bucketLowerAt(5, 32 * exponent + k), edge);
      assert.equal(bucketUpperAt(5, 32 * exponent + k - 1), edge);
    }
  }
});

test("bucketIndex() treats powers of two as upper bounds over the whole range", () => {
  for (let exponent = -1074; exponent <= 1023; exponent += 1)
    assert.equal(bucketIndex(2 ** exponent), 32 * exponent - 1, `2^${exponent}`);

  assert.equal(bucketIndex(Number.MIN_VALUE), bucketIndexMin);
  assert.equal(bucketIndex(Number.MAX_VALUE), bucketIndexMax);
});

test("buckets touch each other and hold exactly the doubles from above their lower to their upper bound", () => {
  let previous = 0;
  for (let index = bucketIndexMin; index <= bucketIndexMax; index += 1) {
    const { lower, upper } = { lower: bucketLowerAt(5, index), upper: bucketUpperAt(5, index) };
    assert.equal(lower, previous);
    previous = upper;
    if (lower === upper) {
      assert.ok(upper < 2 ** -1067, "only among the smallest doubles a bucket may be without any");
      continue;
    }

    assert.equal(bucketIndex(upper), index);
    if (lower > 0) assert.ok(bucketIndex(lower) < index);
    if (lower > 2 ** -1022) assert.equal(bucketIndex(lower + 2 ** (Math.floor(index / 32) - 52)), index);
    if (lower > 2 ** -1022) assert.ok(lower < bucketMiddleAt(5, index) && bucketMiddleAt(5, index) < upper);
  }
  assert.equal(previous, Number.MAX_VALUE);
});

/** The largest double that is not above 2^(k/32), by whole numbers alone. */
function boundaryBelow(k: number): number {
  const power = 1n << BigInt(k + 52 * 32);
  let low = 1n << 52n;
  let high = 1n << 53n;
  while (high - low > 1n) {
    const half = (low + high) / 2n;
    if (half ** 32n <= power) low = half;
    else high = half;
  }
  return Number(low) * 2 ** -52;
}

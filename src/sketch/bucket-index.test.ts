import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { schemas } from "../../test/kit/distributions.js";
import { OptionError } from "../base/index.js";
import { bucketUpperAt } from "./bucket-bounds.js";
import { bucketIndex, bucketIndexerOf, bucketIndexMax, bucketIndexMin } from "./bucket-index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const bits = new DataView(new ArrayBuffer(8));
const highestBits = bitsOf(Number.MAX_VALUE);

for (const schema of schemas) {
  const indexOf = bucketIndexerOf(schema);

  test(`bucketIndexerOf(${schema}) finds the bucket of any double (POUNDLOCK_SEED=${seed})`, () => {
    const positive = fc.bigInt({ min: 1n, max: highestBits }).map(doubleOf);

    const check = fc.property(positive, (value) => {
      assert.equal(indexOf(value), exactIndex(value, schema));
    });

    fc.assert(check, { seed, numRuns: 300 });
  });

  test(`bucketIndexerOf(${schema}) puts the doubles around every boundary into the right buckets`, () => {
    const n = 2 ** Math.max(0, schema);
    for (let k = 0; k < n; k += 1) {
      const index = k - 1;
      // That it is the boundary is for the definition to say.
      const boundary = bucketUpperAt(schema, index);
      assert.equal(exactIndex(boundary, schema), index);
      assert.equal(exactIndex(nextAbove(boundary), schema), k);
      for (const exponent of octavesOf(schema)) {
        const first = exponent * 2 ** schema;

        assert.equal(indexOf(boundary * 2 ** exponent), index + first, `2^(${k}/${n}) * 2^${exponent}`);
        assert.equal(
          indexOf(nextAbove(boundary) * 2 ** exponent),
          k + first,
          `above 2^(${k}/${n}) * 2^${exponent}`,
        );
        if (k > 0) assert.equal(indexOf(nextBelow(boundary) * 2 ** exponent), index + first);
      }
    }
  });

  test(`bucketIndexerOf(${schema}) treats powers of two as upper bounds over the whole range`, () => {
    for (let exponent = -1074; exponent <= 1023; exponent += 1) {
      const value = 2 ** exponent;
      const index = Math.ceil(exponent * 2 ** schema) - 1;

      assert.equal(indexOf(value), index, `2^${exponent}`);
      if (exponent > -1074) assert.equal(indexOf(nextBelow(value)), exactIndex(nextBelow(value), schema));
      assert.equal(indexOf(nextAbove(value)), exactIndex(nextAbove(value), schema));
    }
    assert.equal(indexOf(Number.MAX_VALUE), 1024 * 2 ** schema - 1);
  });

  test(`bucketIndexerOf(${schema}) is right for every one of the smallest doubles`, () => {
    for (let n = 1; n <= 300; n += 1)
      assert.equal(indexOf(n * Number.MIN_VALUE), exactIndex(n * Number.MIN_VALUE, schema), `${n} * 2^-1074`);
  });
}

test("bucketIndexerOf() is right at both ends of every 1024th of an octave", () => {
  const indexOf = bucketIndexerOf(8);
  const lengthOfPart = 1n << 42n;
  for (let part = 0; part < 1024; part += 1) {
    const first = bitsOf(1 + part / 1024);
    const last = first + lengthOfPart - 1n;
    for (const all of [first, first + 1n, last - (1n << 32n), last - (1n << 32n) + 1n, last - 1n, last])
      assert.equal(indexOf(doubleOf(all)), exactIndex(doubleOf(all), 8), `${doubleOf(all)}`);
  }
});

test("bucketIndex() is the index of schema 5, from bucketIndexMin to bucketIndexMax", () => {
  for (const value of [1e-300, 0.1, 1, 1.5, 2, 1e9]) assert.equal(bucketIndex(value), exactIndex(value, 5));
  assert.equal(bucketIndex(Number.MIN_VALUE), bucketIndexMin);
  assert.equal(bucketIndex(Number.MAX_VALUE), bucketIndexMax);
});

test("bucketIndexerOf() refuses a schema outside of -4..8", () => {
  for (const schema of [-5, 9, 20, 0.5, Number.NaN])
    assert.throws(() => bucketIndexerOf(schema), OptionError);
});

/** By the definition, in whole numbers: the least i with value <= b^(i+1), where b^(i+1) = 2^((i+1) / 2^schema). */
function exactIndex(value: number, schema: number): number {
  const { mantissa, exponent } = partsOf(value);
  if (schema <= 0) return Math.ceil((logarithmOf(mantissa) + exponent) / 2 ** -schema) - 1;
  const n = 2 ** schema;
  return logarithmOf(mantissa ** BigInt(n)) + exponent * n - 1;
}

/** The binary logarithm, rounded up. */
function logarithmOf(whole: bigint): number {
  return (
    (whole - 1n).toString(16).length * 4 - Math.clz32(Number.parseInt((whole - 1n).toString(16)[0]!, 16)) + 28
  );
}

/** value = mantissa * 2^exponent */
function partsOf(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const all = bitsOf(value);
  const exponent = Number(all >> 52n);
  const fraction = all & 0xf_ffff_ffff_ffffn;
  return exponent === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: exponent - 1075 };
}

/** Exponents of powers of two that are boundaries of the schema, to the ends of the normal doubles. */
function octavesOf(schema: number): number[] {
  return [-1022, -1008, -600, -1, 0, 1, 52, 1008, 1023].filter((exponent) =>
    Number.isInteger(exponent * 2 ** schema),
  );
}

function nextAbove(value: number): number {
  return doubleOf(bitsOf(value) + 1n);
}

function nextBelow(value: number): number {
  return doubleOf(bitsOf(value) - 1n);
}

function bitsOf(value: number): bigint {
  bits.setFloat64(0, value);
  return bits.getBigUint64(0);
}

function doubleOf(all: bigint): number {
  bits.setBigUint64(0, all);
  return bits.getFloat64(0);
}

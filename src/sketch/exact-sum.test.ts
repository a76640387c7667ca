import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../base/index.js";
import { ExactSum } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const anyDouble = fc.double({ noDefaultInfinity: true, noNaN: true });
const bits = new DataView(new ArrayBuffer(8));

test(`ExactSum.value() is the correctly rounded sum of any doubles (POUNDLOCK_SEED=${seed})`, () => {
  const near = fc.double({ min: -1, max: 1, noNaN: true });
  const huge = fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 1e308, -1e308, 2 ** 970, -(2 ** 969));
  const tiny = fc.constantFrom(5e-324, -5e-324, 2 ** -1022, 2.3e-308, -1e-310);
  const ties = fc.constantFrom(1, 2 ** -53, -(2 ** -53), 2 ** -54, 2 ** 53, -(2 ** 53), 3);
  const whole = fc.integer();
  const values = fc.array(fc.oneof(anyDouble, near, huge, tiny, ties, whole), { maxLength: 60, size: "max" });

  const check = fc.property(values, (list) => {
    assert.ok(Object.is(sumOf(list).value(), roundedSum(list)), `${sumOf(list).value()} of ${list}`);
  });

  fc.assert(check, { seed, numRuns: 600 });
});

test(`ExactSum.encode() writes the same bytes for every order and every merge tree (POUNDLOCK_SEED=${seed})`, () => {
  const values = fc.array(fc.oneof(anyDouble, fc.integer(), fc.constantFrom(1e308, -1e308, 0.1, 1e16)), {
    maxLength: 40,
    size: "max",
  });
  const splits = fc.array(fc.nat(4), { minLength: 40, maxLength: 40 });

  const check = fc.property(values, splits, fc.boolean(), (list, parts, isReadBetween) => {
    const piles = [0, 1, 2, 3, 4].map(() => new ExactSum());
    for (const [i, value] of list.entries()) {
      piles[parts[i]!]!.add(value);
      if (isReadBetween) piles[parts[i]!]!.value();
    }
    const merged = new ExactSum();
    piles[3]!.merge(piles[1]!);
    for (const i of [4, 3, 0, 2]) merged.merge(ExactSum.decode(new ByteReader(bytesOf(piles[i]!))));

    assert.deepEqual(bytesOf(merged), bytesOf(sumOf(list)));
    assert.deepEqual(bytesOf(sumOf(list.toReversed())), bytesOf(sumOf(list)));
  });

  fc.assert(check, { seed, numRuns: 400 });
});

test(`ExactSum.subtract() takes back exactly what was added (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(fc.array(anyDouble), fc.array(anyDouble), (kept, taken) => {
    const sum = sumOf([...taken, ...kept]);
    for (const value of taken) sum.subtract(value);

    assert.deepEqual(bytesOf(sum), bytesOf(sumOf(kept)));
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test("ExactSum leaves the range of doubles and comes back", () => {
  const sum = sumOf([1e308, 1e308, 5e-324]);

  assert.equal(sum.value(), Number.POSITIVE_INFINITY);
  assert.equal(sum.dividedBy(2), 1e308);
  sum.subtract(1e308);
  assert.equal(sum.value(), 1e308);
  sum.subtract(1e308);
  assert.equal(sum.value(), 5e-324);
});

test("ExactSum rounds ties to even", () => {
  assert.equal(sumOf([1, 2 ** -53]).value(), 1);
  assert.equal(sumOf([1, 2 ** -52, 2 ** -53]).value(), 1 + 2 ** -51);
  assert.equal(sumOf([1, 2 ** -53, 5e-324]).value(), 1 + 2 ** -52);
  assert.equal(sumOf([1, 2 ** -53, -5e-324]).value(), 1);
  assert.equal(sumOf([Number.MAX_VALUE, 2 ** 970]).value(), Number.POSITIVE_INFINITY);
  assert.equal(sumOf([Number.MAX_VALUE, 2 ** 970 * (1 - 2 ** -53)]).value(), Number.MAX_VALUE);
});

test("ExactSum.merge() of a sum with itself doubles it", () => {
  const sum = sumOf([1e300, 0.1, 1e-300]);

  sum.merge(sum);

  assert.deepEqual(bytesOf(sum), bytesOf(sumOf([1e300, 0.1, 1e-300, 1e300, 0.1, 1e-300])));
});

test("ExactSum.copy() shares nothing", () => {
  const sum = sumOf([1e300, 0.1, 1e-300]);
  const before = bytesOf(sum);

  const copy = sum.copy();
  copy.add(7);
  const changed = bytesOf(copy);

  assert.deepEqual(bytesOf(sum), before);
  sum.add(8);
  sum.value();
  assert.deepEqual(bytesOf(copy), changed);
});

test("ExactSum.encode() needs 9 bytes for whole numbers and 17 for most others", () => {
  assert.equal(bytesOf(new ExactSum()).length, 1);
  assert.equal(bytesOf(sumOf([1, 2, 3])).length, 9);
  assert.equal(bytesOf(sumOf([0.1, 0.2, 1e6])).length, 17);
});

test("ExactSum.add() refuses what is not finite", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.throws(() => new ExactSum().add(value), /Broken invariant: an exact sum takes finite values/);
});

test("ExactSum.decode() refuses bytes that encode does not write", () => {
  const wide = bytesOf(sumOf([1e300, 0.1, 1e-300]));
  const refused: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    cut: wide.subarray(0, wide.length - 1),
    "unknown form": new Uint8Array([4]),
    "zero as a part": written(1, 0),
    "parts that overlap": written(2, 1, 1),
    infinite: written(1, Number.POSITIVE_INFINITY),
    "not a number": written(2, Number.NaN, 1),
    "a small number in the wide form": new Uint8Array([3, 0, 33, 1, 1]),
    "no digits": new Uint8Array([3, 0, 33, 0]),
    "digits out of range": new Uint8Array([3, 0, 72, 1, 1]),
  };

  for (const [what, bytes] of Object.entries(refused))
    assert.throws(() => ExactSum.decode(new ByteReader(bytes)), RangeError, what);
});

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum;
}

function bytesOf(sum: ExactSum): Uint8Array {
  const writer = new ByteWriter();
  sum.encode(writer);
  return writer.finish();
}

function written(form: number, ...parts: number[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(form);
  for (const part of parts) writer.f64(part);
  return writer.finish();
}

/** The model: whole numbers of 2^-1074ths, without any limit. */
function roundedSum(values: readonly number[]): number {
  return roundedScaled(values.reduce((sum, value) => sum + scaled(value), 0n));
}

function scaled(value: number): bigint {
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = (word >> 52n) & 0x7ffn;
  const mantissa = word & 0xf_ffff_ffff_ffffn;
  const magnitude = exponent === 0n ? mantissa : (mantissa | (1n << 52n)) << (exponent - 1n);
  return word >> 63n ? -magnitude : magnitude;
}

/** By the definition: the bits beyond 53 decide, a tie goes to the even mantissa. */
function roundedScaled(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 53));
  const half = excess === 0n ? 0n : 1n << (excess - 1n);
  const rest = magnitude & ((1n << excess) - 1n);
  let mantissa = magnitude >> excess;
  if (rest > half || (rest === half && excess > 0n && mantissa % 2n === 1n)) mantissa += 1n;
  // The mantissa is rounded already; scaling it is exact or overflows.
  const rounded =
    excess > 100n ? Number(mantissa) * 2 ** Number(excess - 1074n) : Number(mantissa << excess) * 2 ** -1074;
  return value < 0n ? -rounded : rounded;
}

import { octaveBoundaries } from "./octave.js";
import { checkSchema, schemaMax } from "./schema.js";

/**
 * The largest double that is not in the bucket but below it: its exclusive lower bound. 0 for the lowest bucket.
 * @throws OptionError when the schema is not a whole number in -4..8, as the others here
 */
export function bucketLowerAt(schema: number, index: number): number {
  const { boundary, exponent } = lowerBoundOf(schema, index);
  if (exponent > 1023) return Number.MAX_VALUE;
  if (exponent >= -1022) return boundary * 2 ** exponent;
  return Math.floor(boundary * 2 ** (exponent + 1074)) * 2 ** -1074;
}

/** The largest double in the bucket: its inclusive upper bound. */
export function bucketUpperAt(schema: number, index: number): number {
  return bucketLowerAt(schema, index + 1);
}

/**
 * The value that stands for all in the bucket: 2ab / (a + b), which errs as much for values at a bucket's lower end a as for
 * those at its upper end b. Off by at most `relativeErrorAt`, for subnormal values by up to half of the smallest double more.
 */
export function bucketMiddleAt(schema: number, index: number): number {
  const { boundary, exponent } = lowerBoundOf(schema, index);
  const base = baseOf(schema);
  const value = boundary * ((2 * base) / (1 + base));
  // In two steps, because 2^-1075 is no double; the first is exact, so the result is rounded once.
  if (exponent < -1000) return Math.max(value * 2 ** (exponent + 100) * 2 ** -100, Number.MIN_VALUE);
  return Math.min(value * 2 ** exponent, Number.MAX_VALUE);
}

/**
 * Bound of the relative error of a bucket's middle, and so of quantiles: (b - 1) / (b + 1) with base b = 2^(2^-schema), rounded
 * up to the next sixth decimal so that the rounding of doubles is inside.
 *
 *     schema   -4       …  0         1         2         3         4         5         6         7         8
 *     bound    0.99997  …  0.333334  0.171573  0.086428  0.043295  0.021658  0.010831  0.005416  0.002708  0.001354
 */
export function relativeErrorAt(schema: number): number {
  checkSchema(schema);
  const base = baseOf(schema);
  return (Math.floor(((base - 1) / (base + 1)) * 1e6) + 1) / 1e6;
}

function baseOf(schema: number): number {
  return 2 ** (2 ** -schema);
}

/** boundary * 2^exponent, the boundary in 1..2. */
function lowerBoundOf(
  schema: number,
  index: number,
): { readonly boundary: number; readonly exponent: number } {
  checkSchema(schema);
  const finest = index * 2 ** (schemaMax - schema);
  return { boundary: octaveBoundaries[finest & 255]!, exponent: Math.floor(finest / 256) };
}

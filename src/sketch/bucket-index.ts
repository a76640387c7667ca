import * as ieee754 from "./ieee754.js";
import { octaveBoundaries } from "./octave.js";
import { checkSchema, schemaMax, usualSchema } from "./schema.js";

/**
 * Gives a finite value above 0 its bucket in a base-2 exponential histogram of schema (OTLP: scale) s, base b = 2^(2^-s).
 * Bucket i holds
 *
 *     b^i < value <= b^(i+1)
 *
 *     schema 5     i            …    -2        -1          0           1      …    31         32      …
 *                  upper        …  2^(-1/32)    1       2^(1/32)    2^(2/32)  …     2      2^(33/32)  …
 *
 * This is OTLP's index; Prometheus' native histograms name the same bucket i + 1 (OpenTelemetry metrics data model,
 * "Exponential Histogram"; Prometheus native histograms specification). Buckets reach from the smallest double to the
 * largest.
 */
export type BucketIndexer = (value: number) => number;

/** Index of the bucket of the smallest double, 2^-1074, in schema 5. */
export const bucketIndexMin: number = -1074 * 32 - 1;
/** Index of the bucket of the largest double, in schema 5. */
export const bucketIndexMax: number = 1023 * 32 + 31;

// Constants of this module, because those are compiled in; imported ones are loaded anew for each value (2 ns of 5).
const { double, words, highWord, lowWord } = ieee754;
const octaveShift = schemaMax;

const boundaryHigh = new Uint32Array(257);
const boundaryLow = new Uint32Array(257);
for (const [k, boundary] of octaveBoundaries.entries()) {
  double[0] = boundary;
  boundaryHigh[k] = words[highWord]! & 0xfffff;
  boundaryLow[k] = words[lowWord]!;
}
// The end of the octave, above every mantissa.
boundaryHigh[256] = 0x100000;

/**
 * How to find a mantissa's bucket in its octave by one addition. The cell of each 1024th of an octave is such that
 *
 *     cell + upper   =   31..10 bucket of the cell's start · 9..0 lower 10 bits of upper, 1023 - those of the boundary more
 *
 * for the mantissa's upper 20 bits: it carries into the bucket when upper is above the boundary in that 1024th. No two
 * boundaries share one; where there is none, 1023 stands for it and nothing carries. The lower 10 bits are 1023 after the
 * addition when upper is equal to that of the boundary, and the rest of the mantissa must decide.
 */
const cells = new Int32Array(1024);
for (let i = 0, k = 0; i < 1024; i += 1) {
  while (boundaryHigh[k]! < i << 10) k += 1;
  const isInCell = boundaryHigh[k]! >>> 10 === i;
  cells[i] = ((k - 1 - i) << 10) + 1023 - (isInCell ? boundaryHigh[k]! & 1023 : 1023);
}

/**
 * The bucket in schema 8. Computing it with a logarithm is wrong beside boundaries; here a value's mantissa is compared with
 * the exact boundaries of an octave.
 */
function finestIndex(value: number): number {
  double[0] = value;
  let high = words[highWord]!;
  let exponentBias = 1023;
  if (high < 0x100000) {
    // A subnormal value has no leading 1 in its mantissa; 2^52 times the value has, 52 octaves higher.
    double[0] = value * 2 ** 52;
    high = words[highWord]!;
    exponentBias = 1023 + 52;
  }
  const upper = high & 0xfffff;
  const sum = cells[upper >>> 10]! + upper;
  const bucket = (sum & 1023) === 1023 ? bucketBeside(sum >> 10, upper) : sum >> 10;
  return (((high >>> 20) - exponentBias) << octaveShift) + bucket;
}

/** The bucket, or the next one if the mantissa in `words` is above the boundary between them. */
function bucketBeside(bucket: number, upper: number): number {
  const next = bucket + 1;
  return upper === boundaryHigh[next]! && words[lowWord]! > boundaryLow[next]! ? next : bucket;
}

const usualShift = schemaMax - usualSchema;

/** The bucket of schema 5 that a finite value above 0 lies in. */
export function bucketIndex(value: number): number {
  return finestIndex(value) >> usualShift;
}

/**
 * What gives a finite value above 0 its bucket of the schema; exact for every double.
 * @throws OptionError when the schema is not a whole number in -4..8
 */
export function bucketIndexerOf(schema: number): BucketIndexer {
  checkSchema(schema);
  // Two buckets of a schema make one of the schema below.
  const shift = schemaMax - schema;
  return (value) => finestIndex(value) >> shift;
}

import { double, highWord, lowWord, words } from "./ieee754.js";

/**
 * The buckets of a base-2 exponential histogram of schema (OTLP: scale) 5, base b = 2^(1/32). Bucket i holds
 *
 *     b^i < value <= b^(i+1)
 *
 *     i            …    -2        -1          0           1      …    31         32      …
 *     upper        …  2^(-1/32)    1       2^(1/32)    2^(2/32)  …     2      2^(33/32)  …
 *
 * This is OTLP's index; Prometheus' native histograms name the same bucket i + 1 (OpenTelemetry metrics data model,
 * "Exponential Histogram"; Prometheus native histograms specification). 32 buckets make an octave; they reach from
 * the smallest double to the largest.
 *
 * Computing the index with a logarithm is wrong beside boundaries. Here a value's mantissa is compared with the 32
 * boundaries of an octave: each boundary but the first is irrational and kept as the largest double below it, so
 * comparing doubles with it is exact.
 */
const boundaries: readonly number[] = [
  1, 1.0218971486541166, 1.0442737824274138, 1.0671404006768235, 1.0905077326652575, 1.1143867425958924,
  1.1387886347566916, 1.1637248587775775, 1.189207115002721, 1.2152473599804687, 1.241857812073484,
  1.2690509571917332, 1.2968395546510096, 1.325236643159741, 1.3542555469368927, 1.3839098819638318,
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.SQRT2 is the double above the boundary
  1.414213562373095, 1.4451808069770464, 1.4768261459394991, 1.5091644275934226, 1.5422108254079407,
  1.5759808451078863, 1.6104903319492543, 1.6457554781539647, 1.681792830507429, 1.7186192981224777,
  1.7562521603732995, 1.7947090750031072, 1.8340080864093424, 1.8741676341102997, 1.9152065613971472,
  1.9571441241754002,
];

/** Index of the bucket of the smallest double, 2^-1074. */
export const bucketIndexMin: number = -1074 * 32 - 1;
/** Index of the bucket of the largest double. */
export const bucketIndexMax: number = 1023 * 32 + 31;

/** 2ab/(a+b), which errs as much for values at a bucket's lower end a as for those at its upper end b. */
const middle = (2 * 2 ** (1 / 32)) / (1 + 2 ** (1 / 32));

const boundaryHigh = new Uint32Array(33);
const boundaryLow = new Uint32Array(33);
for (const [k, boundary] of boundaries.entries()) {
  double[0] = boundary;
  boundaryHigh[k] = words[highWord]! & 0xfffff;
  boundaryLow[k] = words[lowWord]!;
}
// The end of the octave, above every mantissa.
boundaryHigh[32] = 0x100000;

/**
 * Boundaries below the start of each 1024th of an octave. One comparison decides the rest, since no two boundaries
 * share a 1024th; and it nearly always says no, since few have one, so that processors guess it right.
 */
const boundariesBelow = new Uint8Array(1024);
for (let i = 0; i < 1024; i += 1)
  boundariesBelow[i] = boundaries.filter((bound) => bound < 1 + i / 1024).length;

/** The bucket of a finite value above 0. */
export function bucketIndex(value: number): number {
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
  const below = boundariesBelow[upper >>> 10]!;
  const bound = boundaryHigh[below]!;
  const isAbove = upper > bound || (upper === bound && words[lowWord]! > boundaryLow[below]!);
  return ((high >>> 20) - exponentBias) * 32 + below - (isAbove ? 0 : 1);
}

/** The largest double that is not in the bucket but below it: its exclusive lower bound. 0 for the lowest bucket. */
export function bucketLower(index: number): number {
  const exponent = index >> 5;
  const boundary = boundaries[index & 31]!;
  if (exponent > 1023) return Number.MAX_VALUE;
  if (exponent >= -1022) return boundary * 2 ** exponent;
  return Math.floor(boundary * 2 ** (exponent + 1074)) * 2 ** -1074;
}

/** The largest double in the bucket: its inclusive upper bound. */
export function bucketUpper(index: number): number {
  return bucketLower(index + 1);
}

/** The value that stands for all in the bucket; see `Histogram.relativeErrorMax`. */
export function bucketMiddle(index: number): number {
  const exponent = index >> 5;
  const value = boundaries[index & 31]! * middle;
  // In two steps, because 2^-1075 is no double; the first is exact, so the result is rounded once.
  if (exponent < -1000) return value * 2 ** (exponent + 100) * 2 ** -100;
  return value * 2 ** exponent;
}

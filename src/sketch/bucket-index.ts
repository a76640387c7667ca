import { double, highWord, lowWord, words } from "./ieee754.js";
import { octaveBoundaries } from "./octave.js";

/**
 * The buckets of a base-2 exponential histogram of schema (OTLP: scale) s, base b = 2^(2^-s). Bucket i holds
 *
 *     b^i < value <= b^(i+1)
 *
 *     schema 5     i            …    -2        -1          0           1      …    31         32      …
 *                  upper        …  2^(-1/32)    1       2^(1/32)    2^(2/32)  …     2      2^(33/32)  …
 *
 * This is OTLP's index; Prometheus' native histograms name the same bucket i + 1 (OpenTelemetry metrics data model,
 * "Exponential Histogram"; Prometheus native histograms specification). Buckets reach from the smallest double to the
 * largest.
 *
 * Computing the index with a logarithm is wrong beside boundaries. Here a value's mantissa is compared with the exact
 * boundaries of an octave. Two buckets of schema s make one of schema s - 1, so indexes of low schemas are those of
 * schema 5, halved and rounded down.
 */
export type BucketIndexer = (value: number) => number;

/** The buckets of `Histogram`. */
export const usualSchema = 5;

/** Index of the bucket of the smallest double, 2^-1074, in schema 5. */
export const bucketIndexMin: number = -1074 * 32 - 1;
/** Index of the bucket of the largest double, in schema 5. */
export const bucketIndexMax: number = 1023 * 32 + 31;

/** The bucket of schema 5 that a finite value above 0 lies in. */
export const bucketIndex: BucketIndexer = makeIndexer(usualSchema);

const indexers = new Map<number, BucketIndexer>([[usualSchema, bucketIndex]]);

/**
 * What gives a finite value above 0 its bucket of the schema, -4..8; exact for every double. The same function each time,
 * made when first asked for, in some milliseconds.
 *
 * @throws OptionError when the schema is not a whole number in -4..8
 */
export function bucketIndexerOf(schema: number): BucketIndexer {
  let indexer = indexers.get(schema);
  if (indexer === undefined) {
    indexer = schema < usualSchema ? makeCoarseIndexer(schema) : makeIndexer(schema);
    indexers.set(schema, indexer);
  }
  return indexer;
}

function makeCoarseIndexer(schema: number): BucketIndexer {
  octaveBoundaries(schema);
  const shift = usualSchema - schema;
  return (value) => bucketIndex(value) >> shift;
}

/** For schemas of 5 and above. */
function makeIndexer(schema: number): BucketIndexer {
  const boundaries = octaveBoundaries(schema);
  const n = boundaries.length;
  const boundaryHigh = new Uint32Array(n + 1);
  const boundaryLow = new Uint32Array(n + 1);
  for (const [k, boundary] of boundaries.entries()) {
    double[0] = boundary;
    boundaryHigh[k] = words[highWord]! & 0xfffff;
    boundaryLow[k] = words[lowWord]!;
  }
  // The end of the octave, above every mantissa.
  boundaryHigh[n] = 0x100000;

  // Boundaries below the start of each 1024th of an octave. One comparison decides the rest, since no two boundaries
  // share a 1024th, not even of 256; and it mostly says no, since most have none, so that processors guess it right.
  const boundariesBelow = new Uint16Array(1024);
  for (let i = 0; i < 1024; i += 1)
    boundariesBelow[i] = boundaries.filter((bound) => bound < 1 + i / 1024).length;

  return (value) => {
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
    return ((high >>> 20) - exponentBias) * n + below - (isAbove ? 0 : 1);
  };
}

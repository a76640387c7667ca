import { OptionError } from "../base/index.js";
import { bucketLowerAt, bucketUpperAt } from "./bucket-bounds.js";
import { type BucketRun, countOfRun, downscaleRun, emptyRun, mergeRuns, subtractRuns } from "./bucket-run.js";
import { octaveBoundaries, schemaMin } from "./octave.js";

/**
 * A base-2 exponential histogram as plain data: what is shown, merged between processes and exported.
 *
 * Bucket `index` of schema s holds base^index < |value| <= base^(index + 1), with base = 2^(2^-s): OTLP's index (its scale is
 * the schema); Prometheus' native histograms name the same bucket index + 1 (OpenTelemetry metrics data model, "Exponential
 * Histogram"; Prometheus native histograms specification).
 */
export interface ExponentialHistogram {
  /** -4..8; a histogram of a lower schema has fewer, wider buckets: two of schema s make one of s - 1. */
  readonly schema: number;
  /** Of all values: zeros and both signs; always the sum of all buckets' counts. */
  readonly count: number;
  readonly sum: number;
  /** NaN when empty, as max. */
  readonly min: number;
  readonly max: number;
  /** True when no value need be min or max: they are bounds, since a difference of histograms knows its buckets only. */
  readonly hasLooseRange?: true;
  readonly zeroCount: number;
  readonly positive: BucketRun;
  /** By the index of the absolute value. */
  readonly negative: BucketRun;
}

/** @throws OptionError when the schema is not a whole number in -4..8 */
export function emptyExponential(schema: number): ExponentialHistogram {
  octaveBoundaries(schema);
  const range = { min: Number.NaN, max: Number.NaN };
  return { schema, count: 0, sum: 0, ...range, zeroCount: 0, positive: emptyRun, negative: emptyRun };
}

/**
 * The same values in wider buckets: exactly what recording them with that schema would have given.
 * @throws OptionError when the schema is not a whole number from -4 to the histogram's
 */
export function downscale(histogram: ExponentialHistogram, schema: number): ExponentialHistogram {
  const steps = histogram.schema - schema;
  if (steps === 0) return histogram;
  if (!(Number.isInteger(schema) && schema >= schemaMin && steps > 0))
    throw new OptionError(
      "schema",
      `Cannot downscale histogram: schema = ${schema} is not a whole number in -4..${histogram.schema}`,
    );
  const { positive, negative } = histogram;
  return {
    ...histogram,
    schema,
    positive: downscaleRun(positive, steps),
    negative: downscaleRun(negative, steps),
  };
}

/**
 * All values of both, in the lower of their schemas. Counts are exact up to 2^53; the sum is rounded once.
 */
export function mergeExponential(a: ExponentialHistogram, b: ExponentialHistogram): ExponentialHistogram {
  const schema = Math.min(a.schema, b.schema);
  const { positive, negative } = downscale(a, schema);
  const other = downscale(b, schema);
  const isLoose = a.hasLooseRange === true || b.hasLooseRange === true;
  return {
    schema,
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: a.count === 0 ? b.min : b.count === 0 ? a.min : Math.min(a.min, b.min),
    max: a.count === 0 ? b.max : b.count === 0 ? a.max : Math.max(a.max, b.max),
    ...(isLoose ? { hasLooseRange: true } : {}),
    zeroCount: a.zeroCount + b.zeroCount,
    positive: mergeRuns(positive, other.positive),
    negative: mergeRuns(negative, other.negative),
  };
}

/**
 * What came in between two looks at one growing histogram, in the lower of their schemas.
 *
 * - A count that went down, since the histogram began anew, is 0 here, never below; `count` is the sum of what is left.
 * - min and max can't be subtracted. Where `newer` has gone beyond `older` they are exact; else they are bounds, namely those of the
 *   lowest and the highest bucket used, inside the range of `newer`, and `hasLooseRange` says so.
 * - The sum is the difference of both sums, kept to what count, min and max allow; it is as exact as these large sums are. NaN when
 *   both lie outside the doubles.
 */
export function subtractExponential(
  newer: ExponentialHistogram,
  older: ExponentialHistogram,
): ExponentialHistogram {
  const schema = Math.min(newer.schema, older.schema);
  const from = downscale(newer, schema);
  if (older.count === 0) return from;
  const taken = downscale(older, schema);
  const positive = subtractRuns(from.positive, taken.positive);
  const negative = subtractRuns(from.negative, taken.negative);
  const zeroCount = Math.max(0, from.zeroCount - taken.zeroCount);
  const count = countOfRun(positive) + zeroCount + countOfRun(negative);
  if (count === 0) return emptyExponential(schema);
  const bounds = boundsOf({ schema, zeroCount, positive, negative });
  const hasNewMin = newer.min < older.min;
  const hasNewMax = newer.max > older.max;
  const min = hasNewMin ? newer.min : Math.max(bounds.lower, newer.min);
  const max = hasNewMax ? newer.max : Math.min(bounds.upper, newer.max);
  const isLoose = !(hasNewMin && hasNewMax) || newer.hasLooseRange === true;
  return {
    schema,
    count,
    sum: Math.min(Math.max(newer.sum - older.sum, min * count), max * count),
    min,
    max,
    ...(isLoose ? { hasLooseRange: true } : {}),
    zeroCount,
    positive,
    negative,
  };
}

/** What the used buckets, of which there must be one, have between them. */
function boundsOf({
  schema,
  zeroCount,
  positive,
  negative,
}: Pick<ExponentialHistogram, "schema" | "zeroCount" | "positive" | "negative">): {
  readonly lower: number;
  readonly upper: number;
} {
  const outer = { negative: negative.indexes.at(-1), positive: positive.indexes.at(-1) };
  const inner = { negative: negative.indexes[0], positive: positive.indexes[0] };
  const lower =
    outer.negative !== undefined
      ? -bucketUpperAt(schema, outer.negative)
      : zeroCount > 0 || inner.positive === undefined
        ? 0
        : bucketLowerAt(schema, inner.positive);
  const upper =
    outer.positive !== undefined
      ? bucketUpperAt(schema, outer.positive)
      : zeroCount > 0 || inner.negative === undefined
        ? 0
        : 0 - bucketLowerAt(schema, inner.negative);
  return { lower, upper };
}

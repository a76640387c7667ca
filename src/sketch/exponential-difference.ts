import { bucketLowerAt, bucketUpperAt } from "./bucket-bounds.js";
import { countOfRun, subtractRuns } from "./bucket-run.js";
import { downscale, type ExponentialHistogram, emptyExponential } from "./exponential.js";

/**
 * What came in between two looks at one growing histogram, in the lower of their schemas.
 *
 * - A bucket that has less than before, because the histogram began anew, is left out: counts are never below 0, and `count` is
 *   the sum of those that are left.
 * - min and max can't be subtracted. They are exact where `newer` reaches beyond `older`; else they are the outer bounds of the
 *   lowest and the highest bucket used, within the range of `newer`, and `hasLooseRange` says so. Quantiles take the buckets'
 *   word then, and stay within `relativeErrorAt`.
 * - The sum is the difference of both, kept within what count, min and max allow: as exact as sums of all values are. NaN when
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
  const zeroCount = Math.max(0, from.zeroCount - taken.zeroCount);
  const positive = subtractRuns(from.positive, taken.positive);
  const negative = subtractRuns(from.negative, taken.negative);
  const count = zeroCount + countOfRun(positive) + countOfRun(negative);
  if (count === 0) return emptyExponential(schema);
  const buckets = { ...from, zeroCount, positive, negative };
  const min = Math.max(newer.min, lowerBound(buckets));
  const max = Math.min(newer.max, upperBound(buckets));
  // Beyond the older range there is nothing to take away, so the newer one's extremes came in between. Where these are loose
  // already, `from` says so.
  const isExact = min < older.min && max > older.max;
  return {
    ...buckets,
    count,
    sum: Math.min(Math.max(newer.sum - older.sum, min * count), max * count),
    min,
    max,
    ...(isExact ? {} : { hasLooseRange: true }),
  };
}

/** Below or at all values; there must be one. */
function lowerBound({ schema, negative, zeroCount, positive }: ExponentialHistogram): number {
  const last = negative.indexes.at(-1);
  if (last !== undefined) return -bucketUpperAt(schema, last);
  return zeroCount > 0 ? 0 : bucketLowerAt(schema, positive.indexes[0]!);
}

/** At or above all values; there must be one. */
function upperBound({ schema, negative, zeroCount, positive }: ExponentialHistogram): number {
  const last = positive.indexes.at(-1);
  if (last !== undefined) return bucketUpperAt(schema, last);
  return zeroCount > 0 ? 0 : 0 - bucketLowerAt(schema, negative.indexes[0]!);
}

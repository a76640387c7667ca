import { OptionError } from "../base/index.js";
import { bucketMiddleAt } from "./bucket-bounds.js";
import { type BucketRun, countOfRun } from "./bucket-run.js";
import type { ExponentialHistogram } from "./exponential.js";

/** Counted values in ascending order: the negative ones, zeros, the positive ones. */
export interface RankedValues {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Whether min and max are not of the values themselves, but bounds. */
  readonly hasLooseRange: boolean;
  readonly negativeCount: number;
  readonly zeroCount: number;
  /** Middle of the bucket that has the absolute value of this rank among the negative ones; rank 1 is nearest to zero. */
  readonly negativeMiddle: (rank: number) => number;
  readonly positiveMiddle: (rank: number) => number;
}

/**
 * The value of rank ceil(q * n) to within `relativeErrorAt(histogram.schema)`, inside [min, max]; q in 0..1; NaN when empty. For
 * subnormal values (below 2^-1022) off by up to half of the smallest double more. The lowest and the highest rank are min and max,
 * unless these are bounds.
 *
 * @throws OptionError when q is not in 0..1
 */
export function quantileOf(histogram: ExponentialHistogram, q: number): number {
  const { schema, count, min, max, hasLooseRange = false, zeroCount, negative, positive } = histogram;
  return quantileOfRanked(
    {
      count,
      min,
      max,
      hasLooseRange,
      zeroCount,
      negativeCount: countOfRun(negative),
      negativeMiddle: (rank) => bucketMiddleAt(schema, indexOfRank(negative, rank)),
      positiveMiddle: (rank) => bucketMiddleAt(schema, indexOfRank(positive, rank)),
    },
    q,
  );
}

/** The rule of `quantileOf`, wherever the buckets are. */
export function quantileOfRanked(values: RankedValues, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new OptionError("q", `Cannot compute quantile: q = ${q} is not in 0..1`);
  if (values.count === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(q * values.count));
  if (!values.hasLooseRange && rank === 1) return values.min;
  if (!values.hasLooseRange && rank >= values.count) return values.max;
  return Math.min(Math.max(middleOfRank(values, rank), values.min), values.max);
}

function middleOfRank(values: RankedValues, rank: number): number {
  const rankFromZero = rank - values.negativeCount;
  if (rankFromZero <= 0) return -values.negativeMiddle(1 - rankFromZero);
  if (rankFromZero <= values.zeroCount) return 0;
  return values.positiveMiddle(rankFromZero - values.zeroCount);
}

function indexOfRank(run: BucketRun, rank: number): number {
  let left = rank;
  let at = 0;
  while (at < run.counts.length - 1 && left > run.counts[at]!) {
    left -= run.counts[at]!;
    at += 1;
  }
  return run.indexes[at]!;
}

import { type BucketRun, downscale, type ExponentialHistogram } from "../../sketch/index.js";

/** Buckets side by side from the first used one to the last; none when no value is in them. */
export interface DenseBuckets {
  /** Index of the first. */
  readonly offset: number;
  readonly counts: readonly number[];
}

const noBuckets: DenseBuckets = { offset: 0, counts: [] };

/** Fewest that hold any histogram: at schema -4 all doubles lie in 132 buckets. */
export const denseBucketsMaxMin = 160;

/**
 * The histogram in the finest schema, its own or a lower one, in which neither sign spans more than `bucketsMax` buckets. Two
 * observations at the ends of the doubles would span 67,136 at schema 5, nearly all of them empty.
 */
export function downscaleToSpan(histogram: ExponentialHistogram, bucketsMax: number): ExponentialHistogram {
  let steps = 0;
  for (const { indexes } of [histogram.positive, histogram.negative]) {
    if (indexes.length === 0) continue;
    const [first, last] = [indexes[0]!, indexes.at(-1)!];
    while ((last >> steps) - (first >> steps) >= bucketsMax) steps += 1;
  }
  return downscale(histogram, histogram.schema - steps);
}

export function denseBuckets({ indexes, counts }: BucketRun): DenseBuckets {
  const offset = indexes[0];
  if (offset === undefined) return noBuckets;
  const dense: number[] = [];
  for (let at = 0, next = offset; at < indexes.length; at += 1, next += 1) {
    for (; next < indexes[at]!; next += 1) dense.push(0);
    dense.push(counts[at]!);
  }
  return { offset, counts: dense };
}

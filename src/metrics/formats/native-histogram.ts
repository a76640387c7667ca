import type { BucketRun, ExponentialHistogram } from "../../sketch/index.js";

/**
 * The breadth of the bucket of zeros that Prometheus' own libraries use; a bucket's edge in every schema. Observations nearer to
 * zero are counted as zeros, so that sums of histograms of several services need no edges moved.
 */
export const zeroThreshold: number = 2 ** -128;

/** The buckets of one sign: each span is a gap to the one before (the first: an index) and a number of buckets. */
export interface NativeBuckets {
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  /** Of each bucket in the spans, how many more it has than the one before. */
  readonly deltas: readonly number[];
}

export interface NativeHistogram {
  readonly schema: number;
  readonly zeroCount: number;
  readonly positive: NativeBuckets;
  readonly negative: NativeBuckets;
}

/** Longest gap that is written as empty buckets, which are shorter than a new span, as in Prometheus' own libraries. */
const gapMax = 2;

/**
 * A histogram as Prometheus knows it (https://prometheus.io/docs/specs/native_histograms/): the same buckets, each named by its upper
 * bound instead of its lower one, so that index i of ours is i + 1.
 */
export function nativeHistogram({
  schema,
  zeroCount,
  positive,
  negative,
}: ExponentialHistogram): NativeHistogram {
  // Of the bucket whose upper bound is the threshold.
  const indexOfZero = -128 * 2 ** schema;
  const zeros = { count: zeroCount };
  const buckets = (run: BucketRun): NativeBuckets => nativeBuckets(run, indexOfZero, zeros);
  const both = { positive: buckets(positive), negative: buckets(negative) };
  return { schema, zeroCount: zeros.count, ...both };
}

function nativeBuckets(run: BucketRun, indexOfZero: number, zeros: { count: number }): NativeBuckets {
  const spans: { offset: number; length: number }[] = [];
  const deltas: number[] = [];
  let next = 0;
  let former = 0;
  for (let at = 0; at < run.indexes.length; at += 1) {
    const index = run.indexes[at]! + 1;
    const count = run.counts[at]!;
    if (index <= indexOfZero) {
      zeros.count += count;
      continue;
    }
    const span = spans.at(-1);
    const gap = index - next;
    if (span === undefined || gap > gapMax) {
      spans.push({ offset: gap, length: 1 });
    } else {
      for (let empty = 0; empty < gap; empty += 1) {
        deltas.push(-former);
        former = 0;
      }
      span.length += gap + 1;
    }
    deltas.push(count - former);
    former = count;
    next = index + 1;
  }
  return { spans, deltas };
}

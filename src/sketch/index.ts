export { bucketLowerAt, bucketMiddleAt, bucketUpperAt, relativeErrorAt } from "./bucket-bounds.js";
export { type BucketIndexer, bucketIndex, bucketIndexerOf } from "./bucket-index.js";
export type { BucketRun } from "./bucket-run.js";
export { ExactSum } from "./exact-sum.js";
export { downscale, type ExponentialHistogram, emptyExponential } from "./exponential.js";
export { subtractExponential } from "./exponential-difference.js";
export { mergeExponential } from "./exponential-merge.js";
export { Histogram } from "./histogram.js";
export { quantileOf } from "./quantile.js";

export { ExactSum } from "./exact-sum.js";
export type { BucketRun, ExponentialHistogram } from "./exponential.js";
export { Histogram } from "./histogram.js";

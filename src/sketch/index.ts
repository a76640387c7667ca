export { ExactSum } from "./exact-sum.js";
export { Histogram } from "./histogram.js";

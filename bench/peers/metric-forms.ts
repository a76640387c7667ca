import { labelShapes } from "../kit/label-sets.js";

/** What is recorded in which way; a contender lacks some. */
export const recordForms: readonly string[] = [
  "counter",
  "counter.sameLabels",
  "counter.freshLabels",
  "gauge",
  "histogram",
  "histogram.sameLabels",
  "histogram.freshLabels",
  "window.last1000",
  "window.last60s",
  ...Object.keys(labelShapes).flatMap((shape) => [`counter ${shape}`, `histogram ${shape}`]),
];

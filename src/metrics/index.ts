export type { Family, HistogramSample, Labels, Sample } from "./family.js";
export { legalLabelName, legalMetricName } from "./legal-names.js";
export { climbLadder, type FineBucket, type PowerLadder } from "./power-ladder.js";
export { prometheusContentType, writePrometheusText } from "./prometheus-text.js";
export type {
  GaugeMerge,
  HistogramFamily,
  HistogramPoint,
  MetricFamily,
  MetricsSnapshot,
  NumberFamily,
  NumberPoint,
  WindowFamily,
  WindowPoint,
} from "./snapshot.js";

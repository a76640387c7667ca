export {
  MetricConflictError,
  MetricKindError,
  MetricLabelsError,
  MetricLayoutError,
  MetricMemoryError,
  MetricReserveError,
  MetricThreadsError,
  MetricUnknownError,
  MetricValueError,
} from "./errors.js";
export { type BucketEdges, edgesByUnit, type PowersOfTwo } from "./formats/bucket-edges.js";
export {
  encodeOtlp,
  type OtlpEncodeOptions,
  type OtlpEncoding,
  otlpContentTypes,
  renderOtlp,
} from "./formats/encode-otlp.js";
export type { Format } from "./formats/format-table.js";
export { negotiate } from "./formats/negotiate.js";
export { renderOpenMetricsText } from "./formats/openmetrics-text.js";
export type { OtlpAttributeValue, OtlpOptions } from "./formats/otlp.js";
export { renderPrometheusProtobuf } from "./formats/prometheus-protobuf.js";
export { renderPrometheusText } from "./formats/prometheus-text.js";
export {
  type FamilyJson,
  type HistogramPointJson,
  type NumberPointJson,
  type PointJson,
  renderJson,
  type SnapshotJson,
  snapshotToJson,
  type WindowPointJson,
} from "./formats/snapshot-json.js";
export type { TextOptions } from "./formats/text-lines.js";
export { unitWord } from "./formats/unit-words.js";
export { writeYielding } from "./formats/write-yielding.js";
export { BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter } from "./instruments/bound.js";
export { Counter, Gauge, Histogram, UpDownCounter, Window } from "./instruments/instruments.js";
export { type RunningTimer, type StartOptions, type TimedDecorator, Timer } from "./instruments/timer.js";
export { BoundRecent, BoundSamples } from "./instruments/windows.js";
export { attachRegistry, openRegistry } from "./open-registry.js";
export type {
  GaugeOptions,
  HistogramOptions,
  LabelObject,
  LabelValues,
  MetricOptions,
  RegistryOptions,
  TimerMetricOptions,
  WindowOptions,
} from "./options.js";
export {
  type OtlpPusher,
  type OtlpPushFigures,
  type OtlpPushOptions,
  pushOtlp,
  type SnapshotTaker,
} from "./otlp-push/otlp-push.js";
export {
  type CollectOptions,
  GatheredProcesses,
  type GatherOptions,
  gatherProcesses,
  type ProcessStatus,
} from "./processes/gather.js";
export type { MessagePipe, PipeEnd, PipeEvents } from "./processes/pipe.js";
export { type MetricsReporter, type ReportOptions, reportTo } from "./processes/reporter.js";
export { Registry } from "./registry.js";
export { ProcessMetrics, type ProcessMetricsOptions, processMetrics } from "./runtime/process-metrics.js";
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
export type { SnapshotSource } from "./snapshot-source.js";
export { Baseline } from "./snapshots/baseline.js";
export { type CursorOptions, SnapshotCursor } from "./snapshots/cursor.js";
export { describeShape, type FamilyShape } from "./snapshots/family-shape.js";
export { type FamilyConflict, type MergeOptions, mergeSnapshots } from "./snapshots/merge.js";
export { pointOf, summaryOf } from "./snapshots/points.js";
export type { SeriesPoint } from "./snapshots/series-key.js";
export { decodeSnapshot, encodeSnapshot } from "./snapshots/snapshot-codec.js";

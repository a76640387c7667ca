export {
  describeMetrics,
  Engine,
  type EngineOptions,
  type EngineStatus,
  type MetricInfo,
  openEngine,
  openStore,
  queryOf,
  type SourceInfo,
} from "./engine.js";
export {
  type Report,
  type ReportMetric,
  type ReportOptions,
  type ReportProgress,
  runReport,
} from "./report.js";
export { packageVersion } from "./version.js";

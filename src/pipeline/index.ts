export type * from "./answer.js";
export { bindSource } from "./bindings.js";
export { type CompiledRules, compileRules, type FoldMetric, type ReadMetric } from "./compile.js";
export { MetricUnknownError, RangeReadError, StoreGenerationError, UnknownReferenceError } from "./errors.js";
export { FileWorker, type FileWorkerOptions, type WorkerCounts } from "./file-worker.js";
export { Fold, type FoldLimits, type FoldPart, type RangeInput } from "./fold.js";
export type { FoldTask, FoldThreadData } from "./fold.thread.js";
export { type GroupHistogram, Query, type SeriesRequest } from "./query.js";
export { RangeFolder, type RangeFolderOptions } from "./range-folder.js";
export type * from "./rules.js";

/** Entry module of the threads that fold. */
export const foldThreadEntry: URL = new URL("./fold.thread.js", import.meta.url);

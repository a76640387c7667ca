export type { FileRange, FileStatus, Tail, TailOptions } from "./contract.js";
export { PatternError, RangeOrderError } from "./errors.js";
export { type FoundFiles, findFiles } from "./find-files.js";
export { openTail } from "./tail.js";

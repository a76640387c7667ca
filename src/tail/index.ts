export type { FileRange, FileStatus, Tail, TailOptions } from "./contract.js";

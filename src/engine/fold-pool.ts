import { availableParallelism } from "node:os";
import type { Clock, NoticeSink } from "../base/index.js";
import type { FoldLimits, FoldPart, FoldTask, Rules } from "../pipeline/index.js";
import { foldThreadEntry } from "../pipeline/index.js";
import { defaultLevels } from "../store/index.js";
import { ThreadPool } from "../threads/index.js";

/** A task's limit before its thread is taken for hung, in ms: the 30 s that operators of such tails are used to. */
export const taskTimeoutMs = 30_000;

export interface FoldPoolOptions {
  readonly rules: Rules;
  /** Threads (1..64). @default one per core */
  readonly threads: number | undefined;
  readonly lineBytesMax?: number;
  readonly taskTimeoutMs?: number;
  readonly clock: Clock;
  readonly notices: NoticeSink;
}

/** The pool whose threads fold ranges by these rules. */
export function openFoldPool(options: FoldPoolOptions): ThreadPool<FoldTask, FoldPart[]> {
  const { rules, clock, notices } = options;
  const limits: FoldLimits = {
    cellsMax: 5000,
    failuresMax: 500,
    failedPartsMax: 8,
    lineBytesMax: options.lineBytesMax ?? 1024 * 1024,
    deadBytesMax: 64 * 1024,
    hasSlots: rules.hasSlots ?? true,
    levels: defaultLevels,
  };
  return new ThreadPool({
    entry: foldThreadEntry,
    size: options.threads ?? availableParallelism(),
    workerData: { rules, limits },
    taskTimeoutMs: options.taskTimeoutMs ?? taskTimeoutMs,
    clock,
    notices,
  });
}

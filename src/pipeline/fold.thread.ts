import { readSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { serveTasks } from "../threads/index.js";
import { bindSource } from "./bindings.js";
import { compileRules } from "./compile.js";
import { RangeReadError, UnknownReferenceError } from "./errors.js";
import { Fold, type FoldLimits, type FoldPart, type RangeInput } from "./fold.js";
import type { Rules } from "./rules.js";

/** Given to each thread once. */
export interface FoldThreadData {
  readonly rules: Rules;
  readonly limits: FoldLimits;
}

/** One range to fold; `descriptor` is main's, read by position, so that a rename or a dying thread harms nobody. */
export interface FoldTask extends RangeInput {
  readonly descriptor: number;
}

const { rules, limits } = workerData as FoldThreadData;
const compiled = compileRules(rules);
const folds = new Map<string, Fold>();
let buffer = Buffer.allocUnsafeSlow(64 * 1024);

serveTasks<FoldTask, FoldPart[]>((task) => {
  const parts = foldOf(task.source).run(task, read(task));
  return { result: parts, transfer: parts.map((part) => part.delta.buffer) };
});

function foldOf(name: string): Fold {
  const known = folds.get(name);
  if (known !== undefined) return known;
  const source = rules.sources.find((one) => one.name === name);
  if (source === undefined) throw new UnknownReferenceError("source", name, "has no rule");
  const fold = new Fold(bindSource(compiled, source), limits);
  folds.set(name, fold);
  return fold;
}

function read(task: FoldTask): Buffer {
  const length = task.end - task.start;
  if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(task.descriptor, buffer, filled, length - filled, task.start + filled);
    if (got === 0) throw new RangeReadError(task.path, task.start, task.end, filled);
    filled += got;
  }
  return buffer.subarray(0, length);
}

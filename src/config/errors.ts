import { PoundlockError } from "../base/index.js";
import { type ConfigProblem, renderProblem } from "./problem.js";

/** The configuration has mistakes; all that could be found at once, in the order of the file. */
export class ConfigError extends PoundlockError {
  readonly code = "CONFIG_INVALID";
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
    super(`Cannot use ${file}: ${count}\n\n${problems.map(renderProblem).join("\n\n")}`);
    this.file = file;
    this.problems = problems;
  }
}

/** There is no configuration where one was looked for, or it cannot be read. */
export class ConfigFileError extends PoundlockError {
  readonly code = "CONFIG_UNREADABLE";
  readonly file: string;

  constructor(file: string, why: string, options?: { readonly cause?: unknown; readonly hint?: string }) {
    super(`Cannot read ${file}: ${why}`, options);
    this.file = file;
  }
}

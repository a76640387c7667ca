/** What kind of mistake it is; stable, like an error's code. */
export type ProblemCode =
  | "CONFIG_SYNTAX"
  | "CONFIG_UNKNOWN_KEY"
  | "CONFIG_MISSING"
  | "CONFIG_VALUE"
  | "CONFIG_UNIT"
  | "CONFIG_ENVIRONMENT"
  | "CONFIG_EXPRESSION"
  | "CONFIG_REFERENCE"
  | "CONFIG_NOT_IN_THIS_VERSION";

export type ProblemPath = readonly (string | number)[];

/** A mistake as it is found: where in the data, not yet where in the text. */
export interface Finding {
  readonly code: ProblemCode;
  readonly path: ProblemPath;
  /** What the caret stands under: the key, or its value. */
  readonly at: "key" | "value";
  /** What is wrong, with the value. */
  readonly message: string;
  /** Stands behind the caret. */
  readonly expected: string;
  /** What to write. */
  readonly fix: string;
  /** Index into the value's text, for expressions. */
  readonly offset?: number;
}

/** A mistake with its place in the file. */
export interface ConfigProblem {
  readonly code: ProblemCode;
  readonly file: string;
  /** From 1; 0 when the configuration has no lines to point at (JavaScript). */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Length of what is wrong, in characters. */
  readonly width: number;
  /** The line as it stands in the file. */
  readonly text: string;
  /** `metrics.latency.windows[0]` */
  readonly path: string;
  readonly message: string;
  readonly expected: string;
  readonly fix: string;
}

/** `metrics.latency.windows[0]` */
export function pathText(path: ProblemPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** Excerpts wider than this are cut around the caret, so that a line of a minified file stays readable. */
const excerptWidth = 100;

/**
 * ```
 * poundlock.yaml:8:14  metrics.latency.windows[0]: "1x" is not a duration
 *    8 |     windows: [1x]
 *      |               ^^ expected a number and a unit: ms s m h d
 *   fix   [1s]
 *   code  CONFIG_VALUE
 * ```
 */
export function renderProblem(problem: ConfigProblem): string {
  const subject = problem.path === "" ? "" : `${problem.path}: `;
  const tail = `  fix   ${problem.fix}\n  code  ${problem.code}`;
  if (problem.line === 0) {
    return `${problem.file}  ${subject}${problem.message}\n  want  ${problem.expected}\n${tail}`;
  }
  const number = String(problem.line).padStart(4);
  const { text, caret } = excerpt(problem);
  const pointer = `${" ".repeat(caret)}${"^".repeat(Math.max(1, Math.min(problem.width, text.length - caret)))}`;
  return [
    `${problem.file}:${problem.line}:${problem.column}  ${subject}${problem.message}`,
    `${number} | ${text}`,
    `${" ".repeat(number.length)} | ${pointer} expected ${problem.expected}`,
    tail,
  ].join("\n");
}

function excerpt(problem: ConfigProblem): { text: string; caret: number } {
  const line = problem.text.replaceAll("\t", " ");
  const caret = problem.column - 1;
  if (line.length <= excerptWidth) return { text: line, caret };
  const start = Math.max(0, Math.min(caret - 30, line.length - excerptWidth));
  return { text: line.slice(start, start + excerptWidth), caret: caret - start };
}

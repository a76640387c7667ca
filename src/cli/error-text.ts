import { codeOf, messageOf, PoundlockError } from "../base/index.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

/** What a person gets to read: what happened, the place where there is one, the fix, the code. */
export function errorLines(error: unknown, terminal: Terminal): string[] {
  if (exitCodeOf(error) === exitCodes.bug) return bugLines(error, terminal);
  const { hint } = error as { readonly hint?: string };
  return [
    `${terminal.styleErr("red", "error")}  ${messageOf(error)}`,
    ...placeLines(error),
    ...(hint === undefined ? [] : [`  fix   ${hint}`]),
    ...(codeOf(error) === "CONFIG_INVALID" ? [] : [`  code  ${codeOf(error)}`]),
  ];
}

/** An expression's mistake, with a caret under it. */
function placeLines(error: unknown): string[] {
  const { place } = error as {
    readonly place?: { readonly text: string; readonly column: number; readonly length: number };
  };
  if (place === undefined) return [];
  const caret = " ".repeat(Math.max(0, place.column - 1)) + "^".repeat(Math.max(1, place.length));
  return [`     | ${place.text}`, `     | ${caret}`];
}

function bugLines(error: unknown, terminal: Terminal): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `${terminal.styleErr("red", "bug")}  Something went wrong inside Poundlock: ${messageOf(error)}`,
    ...stack.split("\n").slice(1),
    `  fix   please report this, with the lines above`,
  ];
}

/** One line on stderr under `--json`. */
export function errorJson(error: unknown): string {
  const known = error as {
    readonly hint?: string;
    readonly problems?: readonly { readonly file: string; readonly line: number; readonly column: number }[];
  };
  const code = codeOf(error);
  const isUsage = code.startsWith("commander.");
  return JSON.stringify({
    schema: "poundlock.error/1",
    code: isUsage ? "CLI_USAGE" : error instanceof PoundlockError ? code : "BUG",
    message: messageOf(error),
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known.problems === undefined ? {} : { problems: known.problems }),
  });
}

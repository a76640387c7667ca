import type { Understanding } from "../config/index.js";
import { countText } from "./numbers.js";
import { printable, textWidth } from "./table.js";
import type { Terminal } from "./terminal.js";

/** Where the sentences begin, after their names. */
const indent = 14;

/** The three sentences about files without a configuration: what was understood, what was guessed, what failed. */
export function understandingLines(label: string, found: Understanding, terminal: Terminal): string[] {
  const name = (word: string): string =>
    word === "" ? " ".repeat(indent) : `  ${terminal.styleErr("bold", word.padEnd(indent - 3))} `;
  const { understood, unsure, failed } = found;
  const lines = [`  ${printable(label)}`];
  wrapped(understood.map(printable), terminal.errColumns - indent).forEach((line, i) => {
    lines.push(`${name(i === 0 ? "understood" : "")}${line}`);
  });
  unsure.forEach(({ says, settle }, i) => {
    lines.push(`${name(i === 0 ? "unsure" : "")}${printable(says)}`);
    lines.push(`${name("")}  set it: ${printable(settle)}`);
  });
  if (failed.lines > 0) {
    const first = failed.first === undefined ? "" : `; the first: ${cut(printable(failed.first.line), 60)}`;
    lines.push(
      `${name("failed")}${countText(failed.lines)} of ${countText(failed.of)} lines looked at${first}`,
    );
  }
  return lines;
}

/** Items joined with dots, as many to a line as fit. */
function wrapped(items: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines[lines.length - 1];
    const joined = `${last} · ${item}`;
    if (last === undefined || textWidth(joined) > width) lines.push(item);
    else lines[lines.length - 1] = joined;
  }
  return lines;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

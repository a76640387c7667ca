import type { Understanding } from "../config/index.js";
import { countText } from "./numbers.js";
import { printable } from "./table.js";
import type { Terminal } from "./terminal.js";

/** The three sentences about files without a configuration: what was understood, what was guessed, what failed. */
export function understandingLines(label: string, found: Understanding, terminal: Terminal): string[] {
  const name = (word: string): string => `  ${terminal.styleErr("bold", word.padEnd(11))} `;
  const { understood, unsure, failed } = found;
  const lines = [`  ${printable(label)}`];
  if (understood.length > 0) lines.push(`${name("understood")}${understood.map(printable).join(" · ")}`);
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

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

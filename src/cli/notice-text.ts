import type { NoticeSink } from "../base/index.js";
import { printable } from "./table.js";
import type { Terminal } from "./terminal.js";

/** The same news this often is one line with a count. */
const repeatsMax = 3;

/** Says warnings and errors of the modules on stderr; one that keeps coming is said three times and then counted. */
export function sayNotices(terminal: Terminal): NoticeSink {
  const seen = new Map<string, number>();
  return ({ name, level, message }) => {
    if ((level !== "warn" && level !== "error") || message === undefined) return;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    if (count > repeatsMax && !Number.isInteger(Math.log10(count))) return;
    const times = count > repeatsMax ? ` (${count} times so far)` : "";
    const word = terminal.styleErr(
      level === "warn" ? "yellow" : "red",
      level === "warn" ? "warning" : "error",
    );
    terminal.say(`${word}  ${printable(message)}${times}`);
  };
}

import { printable } from "../../base/index.js";
import type { LockReport } from "./report-data.js";

/** `0.4 ms`, `450 ms`, `12.3 s`, `5 min 20 s`, `2 h 10 min` */
export function spanText(ms: number): string {
  if (ms < 10) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How a lock is held or wanted, where that says anything: a mutex is only ever held in one way. */
export function modeText(
  lock: LockReport,
  party: { readonly mode: string; readonly weight: number },
): string {
  if (lock.kind === "read-write") return party.mode === "shared" ? "to read" : "to write";
  if (lock.kind === "semaphore") return `${party.weight} of ${lock.permits}`;
  return "";
}

export function countOf(n: number, one: string, many: string = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Broken at spaces into lines of `width`, those after the first begin with `indent`; a word that is longer is broken inside. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const lead = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = lead;
  let isBegun = false;
  for (const word of printable(text.slice(lead.length)).split(" ")) {
    if (isBegun && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isBegun = false;
    }
    line += isBegun ? ` ${word}` : word;
    isBegun = true;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = indent + line.slice(width);
    }
  }
  return [...lines, line];
}

/** A stack's line that fits: first the folder goes, then the beginning of the path, never file, line and column. */
export function frameText(frame: string, width: number, folder: string | undefined): string {
  const relative = printable(frame)
    .replace("file://", "")
    .replace(folder === undefined ? /^$/ : `${folder.replace(/\/$/, "")}/`, "");
  if (relative.length <= width) return relative;
  const [, before = "", path = relative, after = ""] = /^(at (?:.* \()?)(.*?)(\)?)$/.exec(relative) ?? [];
  const room = width - before.length - after.length - 1;
  if (room >= 20) return `${before}…${path.slice(-room)}${after}`;
  const short = before.slice(0, Math.max(0, width - 32));
  return `${short}…${path.slice(-Math.max(20, width - short.length - after.length - 1))}${after}`;
}

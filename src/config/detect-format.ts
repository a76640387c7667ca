import { runWithin, timeOver } from "../base/index.js";
import { compileDecoder, type Format, FormatError, parseFormat, wholeEvent } from "../events/index.js";

/** How a sample's lines can be read. */
export interface DetectedFormat {
  readonly format: Format;
  /** What `--format` takes for it. */
  readonly text: string;
  /** In words, for a person. */
  readonly label: string;
  /** Events of the lines that could be read. */
  readonly events: readonly unknown[];
  /** Lines that could not be read. */
  readonly failed: number;
  /** The first of them, and what is wrong with it. */
  readonly firstFailure?: { readonly line: string; readonly message: string };
  /** True when no known form fits and each line is taken as text. */
  readonly isFallback: boolean;
}

/**
 * A format must read this share of the lines to be chosen: low, because a log of JSON lines is still one when stack traces
 * stand between them, and a bad line never decides.
 */
const shareMin = 0.3;

/** Lines that begin with a time, as most programs' own logs do; a level may follow. */
const timedLine = String.raw`^\[?(?<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?)\]?[ \t:|-]+(?:\[?(?<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|trace|debug|info|notice|warn|warning|error|critical|fatal)\]?[ \t:|-]+)?(?<message>.*)$`;
const anyLine = "(?<line>.*)";

/** A sample is read in a few milliseconds; a pattern that needs this long for it never ends on some line. */
const limitMs = 2_000;

/** @throws FormatError when `given` is no format, or a pattern that takes for ever on one of the lines */
export function detectFormat(lines: readonly string[], given?: string | Format): DetectedFormat {
  if (given !== undefined) return readWithin(lines, given);
  const candidates = [
    readAs(lines, "json", "JSON", false),
    readAs(lines, "combined", "access log", false),
    readLogfmt(lines),
    readAs(lines, timedLine, "lines with a time", false),
  ];
  // Ties go to the one that says more: the order above.
  const best = candidates.reduce((a, b) => (b.failed < a.failed ? b : a));
  const isEnough = lines.length > 0 && (lines.length - best.failed) / lines.length >= shareMin;
  if (isEnough) return best;
  return lines.length === 0 ? candidates[0]! : readAs(lines, anyLine, "text", true);
}

/** A user's pattern may try every way to split a line, and here it would stop the whole program. */
function readWithin(lines: readonly string[], given: string | Format): DetectedFormat {
  let reached = "";
  function* watched(): Iterable<string> {
    for (const line of lines) {
      reached = line;
      yield line;
    }
  }
  const read = runWithin(limitMs, () => readAs(watched(), given, labelOf(given), false));
  if (read !== timeOver) return read;
  const format = typeof given === "string" ? given : "source" in given ? given.source : given.kind;
  throw new FormatError(format, `it takes more than ${limitMs / 1_000} s on ${lineText(reached)}`, {
    hint: "Let no two repeats match the same characters: (a+)+ is a+, and .*.* is .*",
  });
}

function lineText(line: string): string {
  return line.length > 60 ? `a line of ${line.length} characters` : `the line ${JSON.stringify(line)}`;
}

function labelOf(given: string | Format): string {
  if (given === "json") return "JSON";
  return given === "combined" ? "access log" : given === "logfmt" ? "logfmt" : "your pattern";
}

/** A stray `=` makes many a line readable as logfmt, so more is asked of it: pairs must be most of the line. */
function readLogfmt(lines: readonly string[]): DetectedFormat {
  const likely = lines.filter(isLikelyLogfmt);
  const read = readAs(likely, "logfmt", "logfmt", false);
  const other = lines.find((line) => !isLikelyLogfmt(line));
  const firstFailure =
    other === undefined ? read.firstFailure : { line: other, message: "not made of key=value pairs" };
  return {
    ...read,
    failed: read.failed + lines.length - likely.length,
    ...(firstFailure ? { firstFailure } : {}),
  };
}

function isLikelyLogfmt(line: string): boolean {
  if (/^\s*[{[]/.test(line)) return false;
  const pairs = line.match(/(?:^|\s)[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|\S*)/g) ?? [];
  const length = pairs.reduce((sum, pair) => sum + pair.length, 0);
  return pairs.length >= 2 && length >= line.length * 0.6;
}

function readAs(
  lines: Iterable<string>,
  given: string | Format,
  label: string,
  isFallback: boolean,
): DetectedFormat {
  const format = typeof given === "string" ? parseFormat(given) : given;
  const text = typeof given === "string" ? given : "source" in given ? given.source : given.kind;
  const decoder = compileDecoder(format, [wholeEvent]);
  const events: unknown[] = [];
  let failed = 0;
  let firstFailure: DetectedFormat["firstFailure"];
  for (const line of lines) {
    let message: string | undefined;
    decoder.decode(line, 0, line.length, {
      event: (values) => void events.push(values[0]),
      failure: (_reason, why) => {
        message ??= why;
      },
    });
    if (message === undefined) continue;
    failed += 1;
    firstFailure ??= { line, message };
  }
  return { format, text, label, events, failed, isFallback, ...(firstFailure ? { firstFailure } : {}) };
}

import { FormatError } from "./errors.js";
import type { FieldPath } from "./field-path.js";
import { findRegexFault } from "./regex-fault.js";

/** How a line becomes events. Plain data: it is sent to threads. */
export type Format =
  /** One JSON value a line: an object is one event, an array one per element. `explode` names an array inside it. */
  | { readonly kind: "json"; readonly explode?: FieldPath }
  /**
   * A regular expression with named groups, searched in the line (not anchored, `.` matches every character); groups become
   * string fields, and those in `numbers` become numbers: absent when they are `-` or empty.
   */
  | {
      readonly kind: "pattern";
      readonly name: string;
      readonly source: string;
      readonly numbers: readonly string[];
    }
  | { readonly kind: "logfmt" };

/** 4,096 characters: a longer pattern is a mistake, and finding the place of an error takes its square. */
const patternLengthMax = 4096;
const knownFormats =
  "json, combined, logfmt, or a regular expression with named groups such as (?<status>\\d+)";

/**
 * Apache's and nginx' combined and common log formats. A request that is not `METHOD path protocol` still matches, and
 * then those three are absent. One quoted field and one number may follow the agent (nginx' `$http_x_forwarded_for`, and
 * `$request_time` or Apache's `%D`); more may follow and is not read.
 */
const combined: Format = {
  kind: "pattern",
  name: "combined",
  source: [
    String.raw`^(?<host>\S+) (?<ident>\S+) (?<user>\S+|\S[^\[]*?) \[(?<time>[^\]]*)\] `,
    String.raw`"(?:(?<method>[A-Z][A-Z-]*) (?<path>(?:[^"\\]|\\.)+?)(?: (?<protocol>HTTP/\d(?:\.\d)?))?|(?:[^"\\]|\\.)*)" `,
    String.raw`(?<status>\d{3}|-) (?<bytes>\d+|-)(?= |$)`,
    String.raw`(?: "(?<referer>(?:[^"\\]|\\.)*)" "(?<agent>(?:[^"\\]|\\.)*)"`,
    String.raw`(?: "(?:[^"\\]|\\.)*")?(?: (?<request_time>\d+(?:\.\d+)?)(?= |$))?)?`,
  ].join(""),
  numbers: ["status", "bytes", "request_time"],
};

/** `json`, `combined`, `logfmt`, or a regular expression with named groups. @throws FormatError */
export function parseFormat(text: string): Format {
  if (text === "json") return { kind: "json" };
  if (text === "logfmt") return { kind: "logfmt" };
  if (text === "combined") return combined;
  return parsePattern(text);
}

/** The compiled form of a pattern's source. */
export function compilePattern(source: string): RegExp {
  return new RegExp(source, "s");
}

function parsePattern(text: string): Format {
  if (text.length > patternLengthMax)
    throw new FormatError(
      `${text.slice(0, 40)}…`,
      `it has ${text.length} characters, at most ${patternLengthMax} are read`,
      {
        hint: `Use ${knownFormats}`,
      },
    );
  const fault = findRegexFault(text, compilePattern);
  if (fault !== undefined)
    throw new FormatError(text, `${fault.what} at column ${fault.column}`, {
      column: fault.column,
      hint: text.includes("(?P<") ? "Write (?<name>…) instead of (?P<name>…)" : `Use ${knownFormats}`,
    });
  if (groupNames(text).length === 0)
    throw new FormatError(text, "it is no known name and has no named group", {
      hint: `Use ${knownFormats}`,
    });
  return { kind: "pattern", name: "pattern", source: text, numbers: [] };
}

/** Names of a valid pattern's groups, in order. */
export function groupNames(source: string): string[] {
  const empty = new RegExp(`${source}|`, "s").exec("");
  return Object.keys(empty?.groups ?? {});
}

/**
 * The grammar of the OpenMetrics 1.0 text format (specification/OpenMetrics.md, "ABNF"), one line at a time. What a text means as a whole
 * is in rules.ts.
 */
export type Line =
  | {
      readonly kind: "metadata";
      readonly word: "TYPE" | "UNIT" | "HELP";
      readonly name: string;
      readonly text: string;
    }
  | { readonly kind: "sample"; readonly sample: Sample };

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** As written. */
  readonly valueText: string;
  /** In seconds, as written; texts, because doubles can't tell nanoseconds apart. */
  readonly timestamp?: string;
  readonly exemplar?: Omit<Sample, "name" | "exemplar">;
}

/** Something in a text breaks a rule. */
export class OpenMetricsError extends Error {
  constructor(rule: string, line: string) {
    super(`${rule}: ${JSON.stringify(line.slice(0, 200))}`);
    this.name = "OpenMetricsError";
  }
}

const metricName = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[^\\n])*"';
const labels = `\\{(?:${label}(?:,${label})*)?\\}`;
const realNumber = "[+-]?(?:[0-9]+(?:\\.[0-9]*)?|[0-9]*\\.[0-9]+)(?:[eE][+-]?[0-9]+)?";
const number = `(?:${realNumber}|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])`;

const metadataPattern = new RegExp(`^# (TYPE|UNIT|HELP) (${metricName}) ([^\\n]*)$`, "u");
const samplePattern = new RegExp(
  `^(${metricName})(${labels})? (${number})(?: (${realNumber}))?(?: # (${labels}) (${number})(?: (${realNumber}))?)?$`,
  "u",
);
const typePattern = /^(?:counter|gauge|histogram|gaugehistogram|stateset|info|summary|unknown)$/;
const unitPattern = /^[a-zA-Z0-9_:]*$/;

/** The lines of a text, without the last. @throws OpenMetricsError */
export function parseLines(text: string): Line[] {
  if (text.startsWith("\ufeff")) throw new OpenMetricsError("a byte order mark must not be used", text);
  if (/[\ud800-\udfff]/u.test(text)) throw new OpenMetricsError("strings must be valid UTF-8", text);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.pop() !== "# EOF") throw new OpenMetricsError("a text must end with # EOF", text.slice(-100));
  return lines.map(parseLine);
}

function parseLine(line: string): Line {
  if (line.endsWith("\r")) throw new OpenMetricsError("a line must not end with a carriage return", line);
  return line.startsWith("#") ? parseMetadata(line) : { kind: "sample", sample: parseSample(line) };
}

function parseMetadata(line: string): Line {
  const [, word, name, text] = metadataPattern.exec(line) ?? [];
  if (name === undefined || text === undefined)
    throw new OpenMetricsError("no line but metadata may begin with #", line);
  if (word === "TYPE" && !typePattern.test(text)) throw new OpenMetricsError("there is no such type", line);
  if (word === "UNIT" && !unitPattern.test(text))
    throw new OpenMetricsError("a unit is part of a name", line);
  return {
    kind: "metadata",
    word: word as "TYPE" | "UNIT" | "HELP",
    name,
    text: word === "HELP" ? unescaped(text) : text,
  };
}

function parseSample(line: string): Sample {
  const match = samplePattern.exec(line);
  if (match === null) throw new OpenMetricsError("a line must be a sample", line);
  const [, name = "", own, value = "", timestamp, exemplarLabels, exemplarValue = "", exemplarAt] = match;
  return {
    name,
    ...valued(own, value, timestamp, line),
    ...(exemplarLabels === undefined
      ? {}
      : { exemplar: valued(exemplarLabels, exemplarValue, exemplarAt, line) }),
  };
}

function valued(
  labelsText: string | undefined,
  valueText: string,
  timestamp: string | undefined,
  line: string,
): Omit<Sample, "name" | "exemplar"> {
  return {
    labels: parseLabels(labelsText ?? "", line),
    value: numberOf(valueText),
    valueText,
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function parseLabels(text: string, line: string): Map<string, string> {
  const parsed = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gs)) {
    if (parsed.has(name)) throw new OpenMetricsError("label names must be unique", line);
    parsed.set(name, unescaped(value));
  }
  return parsed;
}

/** A backslash before anything else stands for itself. */
function unescaped(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, char: string) => (char === "n" ? "\n" : char));
}

/** Of a text that the grammar allows. */
export function numberOf(text: string): number {
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/inf/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

/** Whether a text is a number by the grammar. */
export function isNumber(text: string): boolean {
  return new RegExp(`^${number}$`).test(text);
}

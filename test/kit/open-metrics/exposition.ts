import type { Family } from "./families.js";
import { numberOf, OpenMetricsError } from "./grammar.js";
import { readOpenMetrics } from "./rules.js";

/**
 * The families of a text that also keeps what the specification asks of those who write: its SHOULDs, the names that it reserves, canonical
 * edges, and the grammar's narrower reading of escapes. @throws OpenMetricsError
 */
export function readExposition(text: string): readonly Family[] {
  if (!text.endsWith("# EOF\n")) throw new OpenMetricsError("a text should end with a line", text.slice(-20));
  for (const line of text.split("\n")) checkEscapes(line);
  const families = readOpenMetrics(text);
  for (const family of families) checkFamily(family);
  return families;
}

function checkEscapes(line: string): void {
  const help = /^# HELP \S+ (.*)$/s.exec(line)?.[1];
  if (/\\(?![\\"n])/.test(line.replace(/\\\\/g, "")))
    throw new OpenMetricsError("a single backslash should not be used for anything else", line);
  if (help !== undefined && /"/.test(help.replace(/\\./gs, "")))
    throw new OpenMetricsError("a quote in help must be escaped", line);
}

function checkFamily({ name, metadata, samples }: Family): void {
  const order = metadata.join(" ");
  if (!/^TYPE(?: UNIT)?(?: HELP)?$/.test(order))
    throw new OpenMetricsError("metadata should be TYPE, UNIT, HELP", `${name} ${order}`);
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) throw new OpenMetricsError("the name is reserved", name);
  for (const { labels, timestamp, name: sampleName } of samples) {
    if (timestamp !== undefined) throw new OpenMetricsError("points should have no times", name);
    for (const label of labels.keys())
      if (label.startsWith("_")) throw new OpenMetricsError("the label name is reserved", label);
    const edge = labels.get("le");
    if (sampleName === `${name}_bucket` && edge !== undefined && !isCanonical(edge))
      throw new OpenMetricsError("an edge must be canonical", edge);
  }
}

/** Shortest digits; plain with a point from 10^-4 to below 10^6, else an exponent of two digits or more ("Canonical Numbers"). */
function isCanonical(text: string): boolean {
  if (text === "+Inf") return true;
  const size = Math.abs(numberOf(text));
  const isPlain = size === 0 || (size >= 1e-4 && size < 1e6);
  const form = isPlain
    ? /^-?(?:0|[1-9][0-9]*)\.(?:0|[0-9]*[1-9])$/
    : /^-?[1-9](?:\.[0-9]*[1-9])?e[+-](?:0[1-9]|[1-9][0-9]+)$/;
  const digits = (number: string): string => number.replace(/e.*|[-.]/g, "").replace(/^0+|0+$/g, "");
  return form.test(text) && digits(text) === digits(size.toExponential());
}

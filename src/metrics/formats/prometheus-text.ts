import type { MetricFamily } from "../snapshot.js";
import { wellFormed } from "./distinct-points.js";
import { numberText } from "./number-text.js";
import { type TextDialect, type TextOptions, textPieces } from "./text-lines.js";

const dialect: TextDialect = {
  head: ({ kind, name, help }) => {
    const full = kind === "counter" ? `${name}_total` : name;
    const text = oneLine(help).replace(/[\\\n]/g, (char) => (char === "\n" ? "\\n" : "\\\\"));
    return `${text === "" ? "" : `# HELP ${full} ${text}\n`}# TYPE ${full} ${kind}\n`;
  },
  edge: numberText,
  isCount: () => true,
  hasCreated: false,
  end: "",
};

/**
 * Prometheus text exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), in pieces; joined they
 * are the text, encoded as UTF-8 the answer.
 *
 * - Families come in the order given, each once, with HELP and TYPE.
 * - Names are made legal; when two families or two labels would then share one, the later gets a number.
 * - Label values are kept as they are; a lone surrogate becomes U+FFFD, and what is one label set then is written once.
 * - A histogram gets classic buckets, which `options.edges` chooses; a window becomes gauges.
 *
 * @throws OptionError when edges do not ascend or are negative or not finite
 */
export function renderPrometheusText(
  families: readonly MetricFamily[],
  options: TextOptions = {},
): Iterable<string> {
  return textPieces(families, dialect, options);
}

/** Well-formed, without blanks around it, which parsers drop, and without carriage returns, which at the end would break the line. */
export function oneLine(help: string): string {
  return wellFormed(help).replace(/\r\n?/g, "\n").trim();
}

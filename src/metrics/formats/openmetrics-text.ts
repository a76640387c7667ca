import type { MetricFamily } from "../snapshot.js";
import { canonicalNumberText } from "./number-text.js";
import { oneLine } from "./prometheus-text.js";
import { type TextDialect, type TextOptions, textPieces } from "./text-lines.js";

const dialect: TextDialect = {
  head: ({ kind, name, unit, help }) => {
    const unitLine = unit === undefined ? "" : `# UNIT ${name} ${unit}\n`;
    const text = oneLine(help).replace(/[\\\n"]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
    return `# TYPE ${name} ${kind}\n${unitLine}${text === "" ? "" : `# HELP ${name} ${text}\n`}`;
  },
  edge: canonicalNumberText,
  isCount: (value) => value >= 0,
  hasCreated: true,
  end: "# EOF\n",
};

/**
 * OpenMetrics text 1.0 (https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md), in pieces, with the same names as
 * `renderPrometheusText`. Beyond what that says:
 *
 * - UNIT stands where a name ends with the family's unit, spelled out.
 * - A counter that is NaN or negative is left out, as are sum and count of a histogram with values below 0: neither is a counter.
 *
 * @throws OptionError when edges do not ascend or are negative or not finite
 */
export function renderOpenMetricsText(
  families: readonly MetricFamily[],
  options: TextOptions = {},
): Iterable<string> {
  return textPieces(families, dialect, options);
}

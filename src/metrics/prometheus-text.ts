import type { Family, HistogramSample, Labels } from "./family.js";
import { legalLabelName, legalMetricName, NameTable } from "./legal-names.js";

/** What a scraper is told the text is. */
export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Prometheus text exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * - Families come in the order given, each once, with HELP and TYPE.
 * - Names are made legal; when two families or two labels would then share one, the later gets a number.
 * - Label values are kept as they are; a lone surrogate becomes U+FFFD, because the text is UTF-8.
 */
export function writePrometheusText(families: readonly Family[]): string {
  const names = new NameTable();
  const lines: string[] = [];
  for (const family of families) {
    const name = familyName(names, family);
    lines.push(`# HELP ${name} ${escapeHelp(family.help)}`, `# TYPE ${name} ${family.kind}`);
    if (family.kind === "histogram") {
      for (const sample of family.samples) writeHistogram(lines, name, sample);
    } else {
      for (const sample of family.samples)
        lines.push(`${name}${inBraces(labelPairs(sample.labels))} ${numberText(sample.value)}`);
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function familyName(names: NameTable, family: Family): string {
  const legal = legalMetricName(family.name);
  switch (family.kind) {
    case "counter":
      return `${names.take(legal.replace(/_total$/, ""), ["_total"])}_total`;
    case "gauge":
      return names.take(legal);
    case "histogram":
      // All four, because a gauge `x_sum` beside a histogram `x` would be read as part of it.
      return names.take(legal, ["", "_bucket", "_sum", "_count"]);
  }
}

function writeHistogram(lines: string[], name: string, sample: HistogramSample): void {
  const pairs = labelPairs(sample.labels, "le");
  const bucketStart = `${name}_bucket{${pairs === "" ? "" : `${pairs},`}le="`;
  const own = inBraces(pairs);
  let running = 0;
  for (const bucket of sample.buckets) {
    running += bucket.count;
    lines.push(`${bucketStart}${numberText(bucket.upper)}"} ${running}`);
  }
  lines.push(
    `${bucketStart}+Inf"} ${sample.count}`,
    `${name}_sum${own} ${numberText(sample.sum)}`,
    `${name}_count${own} ${sample.count}`,
  );
}

/** `a="1",b="2"`; a label that is called as the reserved one gets another name. */
function labelPairs(labels: Labels | undefined, reserved?: string): string {
  const names = new NameTable();
  if (reserved !== undefined) names.take(reserved);
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${names.take(legalLabelName(name))}="${escapeLabelValue(value)}"`)
    .join(",");
}

function inBraces(pairs: string): string {
  return pairs === "" ? "" : `{${pairs}}`;
}

function escapeLabelValue(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}

function escapeHelp(help: string): string {
  return help.replace(/[\\\n]/g, (char) => (char === "\n" ? "\\n" : "\\\\"));
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return Object.is(value, -0) ? "0" : String(value);
}

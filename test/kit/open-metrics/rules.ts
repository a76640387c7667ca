import { type Family, familiesOf } from "./families.js";
import { isNumber, numberOf, OpenMetricsError, type Sample } from "./grammar.js";

/** Labels of samples that tell the parts of one point apart. */
const partLabels: Readonly<Partial<Record<Family["type"], string>>> = {
  histogram: "le",
  gaugehistogram: "le",
  summary: "quantile",
};

/**
 * The families of an OpenMetrics 1.0 text that keeps every rule that the specification calls a MUST.
 * @throws OpenMetricsError which names the first rule broken
 */
export function readOpenMetrics(text: string): readonly Family[] {
  const families = familiesOf(text);
  for (const family of families) {
    checkUnit(family);
    for (const sample of family.samples) checkSample(family, sample);
    for (const point of pointsOf(family)) checkPoint(family, point);
  }
  return families;
}

function fail(rule: string, { name }: Family, detail: unknown = ""): never {
  throw new OpenMetricsError(rule, `${name} ${String(detail)}`);
}

function checkUnit(family: Family): void {
  const { name, unit, type } = family;
  if (unit === "") return;
  if (!name.endsWith(`_${unit}`)) fail("a unit must be the end of the name", family, unit);
  if (type === "info" || type === "stateset") fail("info and stateset must have no unit", family);
}

function checkSample(family: Family, sample: Sample): void {
  const { type } = family;
  const suffix = sample.name.slice(family.name.length);
  checkExemplar(family, sample, suffix);
  const isBucket = suffix === "_bucket";
  const isCumulative =
    (type === "counter" && suffix === "_total") ||
    (["histogram", "summary"].includes(type) && ["_sum", "_count", "_bucket"].includes(suffix)) ||
    (type === "gaugehistogram" && suffix !== "_gsum");
  if (isCumulative && !(sample.value >= 0))
    fail("counters, counts, sums and buckets must not be NaN or negative", family, sample.valueText);
  if (suffix === "_gsum" && Number.isNaN(sample.value)) fail("a sum must not be NaN", family);
  if ((isBucket || suffix === "_count" || suffix === "_gcount") && !Number.isInteger(sample.value))
    fail("counts must be whole numbers", family, sample.valueText);
  if (isBucket) checkEdge(family, sample.labels.get("le"));
  if (type === "summary" && suffix === "") checkQuantile(family, sample);
  if (type === "info" && sample.value !== 1) fail("an info's value must be 1", family, sample.valueText);
  if (type === "stateset") {
    if (!sample.labels.has(family.name)) fail("a state must have a label called as its family", family);
    if (sample.value !== 0 && sample.value !== 1) fail("a state must be 0 or 1", family, sample.valueText);
  }
}

function checkExemplar(family: Family, { exemplar, labels }: Sample, suffix: string): void {
  if (exemplar === undefined) return;
  const isAllowed =
    (family.type === "counter" && suffix === "_total") ||
    (["histogram", "gaugehistogram"].includes(family.type) && suffix === "_bucket");
  if (!isAllowed) fail("only totals and buckets may have exemplars", family);
  const texts = [...exemplar.labels].flat().join("");
  if ([...texts].length > 128) fail("an exemplar's labels must not exceed 128 characters", family);
  const edge = labels.get("le");
  if (edge !== undefined && !(exemplar.value <= numberOf(edge)))
    fail("an exemplar must lie in its bucket", family, exemplar.valueText);
}

function checkEdge(family: Family, edge: string | undefined): void {
  if (edge === undefined) fail("a bucket must have an edge", family);
  if (!isNumber(edge) || Number.isNaN(numberOf(edge))) fail("an edge must be a number", family, edge);
  if (numberOf(edge) === Number.POSITIVE_INFINITY && edge !== "+Inf")
    fail("the infinite edge must be +Inf", family, edge);
}

function checkQuantile(family: Family, { labels, value, valueText }: Sample): void {
  const quantile = labels.get("quantile");
  if (quantile === undefined || !isNumber(quantile)) fail("a quantile must be a number", family, quantile);
  if (!(numberOf(quantile) >= 0 && numberOf(quantile) <= 1))
    fail("a quantile must be in 0..1", family, quantile);
  if (value < 0) fail("a quantile's value must not be negative", family, valueText);
}

/** Samples of one metric at one time. @throws OpenMetricsError when metrics or points are interleaved */
function pointsOf(family: Family): Sample[][] {
  const points: Sample[][] = [];
  const metrics = new Set<string>();
  let metric: string | undefined;
  for (const sample of family.samples) {
    const key = metricKey(family, sample);
    if (key !== metric) {
      if (metrics.has(key)) fail("metrics must not be interleaved", family, key);
      metrics.add(key);
      metric = key;
      points.push([sample]);
      continue;
    }
    const point = points.at(-1)!;
    const [before] = point;
    if ((before!.timestamp === undefined) !== (sample.timestamp === undefined))
      fail("all points of a metric must have times, or none", family, key);
    if (compareTimes(before!.timestamp, sample.timestamp) > 0)
      fail("times must not go back, nor points be interleaved", family, key);
    const isSameTime = compareTimes(before!.timestamp, sample.timestamp) === 0;
    const isPartOfIt = isSameTime && !point.some((other) => partKey(other) === partKey(sample));
    if (isPartOfIt) point.push(sample);
    else if (sample.timestamp === undefined) fail("a label set must be unique", family, key);
    else points.push([sample]);
  }
  return points;
}

function metricKey(family: Family, { labels }: Sample): string {
  const part = family.type === "stateset" ? family.name : partLabels[family.type];
  return JSON.stringify([...labels].filter(([name, value]) => name !== part && value !== "").sort());
}

function partKey({ name, labels }: Sample): string {
  return JSON.stringify([name, ...[...labels].sort()]);
}

function compareTimes(a: string | undefined, b: string | undefined): number {
  return a === b ? 0 : Number(a) - Number(b);
}

function checkPoint(family: Family, point: readonly Sample[]): void {
  if (family.type !== "histogram" && family.type !== "gaugehistogram") return;
  const of = (suffix: string): Sample | undefined => point.find(({ name }) => name === family.name + suffix);
  const buckets = point.filter(({ name }) => name === `${family.name}_bucket`);
  const edges = buckets.map(({ labels }) => numberOf(labels.get("le")!));
  const [sum, count] =
    family.type === "histogram" ? [of("_sum"), of("_count")] : [of("_gsum"), of("_gcount")];
  if (edges.at(-1) !== Number.POSITIVE_INFINITY) fail("the last bucket must be +Inf", family);
  if (edges.some((edge, at) => at > 0 && !(edge > edges[at - 1]!))) fail("edges must ascend", family, edges);
  const values = buckets.map(({ value }) => value);
  if (values.some((value, at) => at > 0 && value < values[at - 1]!))
    fail("buckets must be cumulative", family, values);
  if ((sum === undefined) !== (count === undefined)) fail("sum and count must be there, or neither", family);
  if (count !== undefined && count.value !== values.at(-1))
    fail("the count must be that of +Inf", family, count.value);
  const hasNegative = edges.some((edge) => edge < 0);
  if (family.type === "histogram" && sum !== undefined && hasNegative)
    fail("a histogram with negative edges must have no sum", family);
  if (family.type === "gaugehistogram" && sum !== undefined && sum.value < 0 && !hasNegative)
    fail("a sum must not be negative without negative edges", family);
}

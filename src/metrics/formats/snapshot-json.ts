import { bucketLowerAt, bucketUpperAt, type ExponentialHistogram, quantileOf } from "../../sketch/index.js";
import type { HistogramPoint, MetricFamily, MetricsSnapshot, NumberPoint, WindowPoint } from "../snapshot.js";
import { average, summarizeWindow } from "./window-summary.js";

/** A snapshot as JSON. Numbers that JSON has not, NaN and the infinities, are null. */
export interface SnapshotJson {
  /** Changes when the meaning of a field does; new fields may come without. */
  readonly schema: "poundlock.metrics/1";
  /** In milliseconds since 1970, like all names ending so. */
  readonly atMs: number;
  /** Whether all numbers are of one cut. */
  readonly isExact: boolean;
  /** By the name that was registered. */
  readonly families: Readonly<Record<string, FamilyJson>>;
}

export interface FamilyJson {
  readonly kind: MetricFamily["kind"];
  readonly help: string;
  /** UCUM; absent when there is none. */
  readonly unit?: string;
  readonly points: readonly PointJson[];
}

export type PointJson = NumberPointJson | HistogramPointJson | WindowPointJson;

interface PointHeadJson {
  /** Every label of the family; of the overflow series all are empty. */
  readonly labels: Readonly<Record<string, string>>;
  /** Only of the series that took what the cap on series refused. */
  readonly isOverflow?: true;
  readonly startedMs: number;
}

export interface NumberPointJson extends PointHeadJson {
  readonly value: number | null;
  /** Of a gauge, when it was set. */
  readonly setMs?: number;
}

export interface HistogramPointJson extends PointHeadJson {
  readonly count: number;
  readonly sum: number | null;
  /** Null when empty, as are all that follow but the buckets. */
  readonly min: number | null;
  readonly max: number | null;
  /** Only where min and max are bounds, because this is a difference of two histograms. */
  readonly hasLooseRange?: true;
  readonly avg: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Used ones, by ascending value: `lower` < values <= `upper`; the reverse for negative ones, and both 0 for zeros. */
  readonly buckets: readonly { readonly lower: number; readonly upper: number; readonly count: number }[];
}

export interface WindowPointJson extends PointHeadJson {
  /** Observations in the window. */
  readonly n: number;
  /** Null when the window is empty, as the others. */
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** The snapshot as plain data that JSON can hold, with labels as objects. Percentiles are those of `quantileOf`. */
export function snapshotToJson({ atMs, isExact, families }: MetricsSnapshot): SnapshotJson {
  const byName = families.map((family): [string, FamilyJson] => [
    family.name,
    { ...headJson(family), points: pointsOf(family).map((point) => pointJson(family.labelNames, point)) },
  ]);
  return { schema, atMs, isExact, families: objectOf(byName) };
}

/** The text of `snapshotToJson` in pieces, one for each series, so that others may have a turn between them. */
export function* renderJson({ atMs, isExact, families }: MetricsSnapshot): Generator<string> {
  yield `{"schema":"${schema}","atMs":${atMs},"isExact":${isExact},"families":{`;
  for (const [at, family] of families.entries()) {
    const head = JSON.stringify(headJson(family)).slice(0, -1);
    yield `${at === 0 ? "" : ","}${JSON.stringify(family.name)}:${head},"points":[`;
    for (const [pointAt, point] of pointsOf(family).entries())
      yield `${pointAt === 0 ? "" : ","}${JSON.stringify(pointJson(family.labelNames, point))}`;
    yield "]}";
  }
  yield "}}";
}

const schema = "poundlock.metrics/1";

function headJson({ kind, help, unit }: MetricFamily): Omit<FamilyJson, "points"> {
  return { kind, help, ...(unit === undefined ? {} : { unit }) };
}

function pointsOf(family: MetricFamily): readonly (NumberPoint | HistogramPoint | WindowPoint)[] {
  return family.points;
}

function pointJson(names: readonly string[], point: NumberPoint | HistogramPoint | WindowPoint): PointJson {
  const head = {
    labels: objectOf(names.map((name, at) => [name, point.labels[at] ?? ""])),
    ...(point.isOverflow ? { isOverflow: true as const } : {}),
    startedMs: point.startedMs,
  };
  if ("histogram" in point) return { ...head, ...histogramJson(point.histogram) };
  if ("values" in point) return { ...head, ...windowJson(point.values) };
  return {
    ...head,
    value: finite(point.value),
    ...(point.setMs === undefined ? {} : { setMs: point.setMs }),
  };
}

type HistogramJson = Omit<HistogramPointJson, keyof PointHeadJson>;

function histogramJson(histogram: ExponentialHistogram): HistogramJson {
  const { count, sum, min, max } = histogram;
  const quantile = (q: number): number | null => finite(quantileOf(histogram, q));
  return {
    count,
    sum: finite(sum),
    min: finite(min),
    max: finite(max),
    ...(histogram.hasLooseRange ? { hasLooseRange: true as const } : {}),
    avg: finite(average(sum, { n: count, min, max })),
    p50: quantile(0.5),
    p90: quantile(0.9),
    p95: quantile(0.95),
    p99: quantile(0.99),
    buckets: bucketsJson(histogram),
  };
}

function bucketsJson({
  schema,
  zeroCount,
  positive,
  negative,
}: ExponentialHistogram): HistogramJson["buckets"] {
  const below = negative.indexes.map((index, at) => ({
    lower: 0 - bucketUpperAt(schema, index),
    upper: 0 - bucketLowerAt(schema, index),
    count: negative.counts[at]!,
  }));
  const above = positive.indexes.map((index, at) => ({
    lower: bucketLowerAt(schema, index),
    upper: bucketUpperAt(schema, index),
    count: positive.counts[at]!,
  }));
  const zeros = zeroCount > 0 ? [{ lower: 0, upper: 0, count: zeroCount }] : [];
  return [...below.reverse(), ...zeros, ...above];
}

function windowJson(values: WindowPoint["values"]): Omit<WindowPointJson, keyof PointHeadJson> {
  const { n, avg, min, max, p50, p95, p99 } = summarizeWindow(values);
  return {
    n,
    avg: finite(avg),
    min: finite(min),
    max: finite(max),
    p50: finite(p50),
    p95: finite(p95),
    p99: finite(p99),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null;
}

/** A name may be `__proto__`: entries make it an ordinary key. */
function objectOf<V>(entries: readonly (readonly [string, V])[]): Readonly<Record<string, V>> {
  return Object.fromEntries(entries);
}

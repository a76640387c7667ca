import { integerOption, OptionError } from "../../base/index.js";
import type { ExponentialHistogram } from "../../sketch/index.js";
import type {
  HistogramFamily,
  HistogramPoint,
  MetricFamily,
  MetricsSnapshot,
  NumberFamily,
  NumberPoint,
  WindowFamily,
  WindowPoint,
} from "../snapshot.js";
import { type DenseBuckets, denseBuckets, denseBucketsMaxMin, downscaleToSpan } from "./dense-buckets.js";
import {
  addNumbers,
  distinctPoints,
  mergeGauges,
  mergeHistograms,
  mergeWindows,
  wellFormed,
} from "./distinct-points.js";
import { NameTable } from "./legal-names.js";
import { unixNanos } from "./unix-time.js";
import { summarizeWindow, type WindowSummary } from "./window-summary.js";

/** A whole number becomes OTLP's integer, any other its double. */
export type OtlpAttributeValue = string | boolean | number;

export interface OtlpOptions {
  /** What the numbers are of. @default `service.name` is `unknown_service:node`, as OpenTelemetry has it for who does not say */
  readonly resource?: Readonly<Record<string, OtlpAttributeValue>>;
  /** What made the numbers. @default `poundlock`, without a version */
  readonly scope?: { readonly name: string; readonly version?: string };
  /**
   * Whether counters and histograms count from the beginning of each series, or are differences, as SnapshotCursor answers them.
   * @default "cumulative"
   */
  readonly temporality?: "cumulative" | "delta";
  /** Of differences: when the earliest began, in milliseconds since 1970; a series that says a later start keeps it. */
  readonly startedMs?: number;
  /**
   * Most buckets of a histogram's sign, used ones and those in between (160..100,000). One that spans more is written in wider
   * buckets, as exact as a lower schema is. @default 1,280: 12 decades at schema 5
   */
  readonly bucketsMax?: number;
}

/**
 * An ExportMetricsServiceRequest with one resource and one scope, as both encodings write it (opentelemetry-proto,
 * opentelemetry/proto/metrics/v1/metrics.proto). Texts are well-formed. Without metrics it is an empty message.
 */
export interface OtlpRequest {
  readonly resource: readonly OtlpAttribute[];
  readonly scope: { readonly name: string; readonly version?: string };
  /** Made while it is read, once; undefined is where others may have a turn. */
  readonly metrics: Iterable<OtlpMetric | undefined>;
}

export type OtlpAttribute = readonly [key: string, value: OtlpAttributeValue];

/** Has at least one point; points are made while they are read, once, because a histogram's are large. */
export type OtlpMetric = {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
} & (
  | { readonly kind: "gauge"; readonly points: Iterable<OtlpNumberPoint> }
  | {
      readonly kind: "sum";
      readonly isMonotonic: boolean;
      readonly temporality: OtlpTemporality;
      readonly points: Iterable<OtlpNumberPoint>;
    }
  | {
      readonly kind: "exponentialHistogram";
      readonly temporality: OtlpTemporality;
      readonly points: Iterable<OtlpHistogramPoint>;
    }
);

/** AggregationTemporality: 1 is delta, 2 is cumulative. */
export type OtlpTemporality = 1 | 2;

interface OtlpPointHead {
  readonly attributes: readonly OtlpAttribute[];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
}

export interface OtlpNumberPoint extends OtlpPointHead {
  /** Never -0, which JSON writers make 0. Always a double: a series that is an integer now and a fraction later would be two to some receivers. */
  readonly asDouble: number;
}

export interface OtlpHistogramPoint extends OtlpPointHead {
  readonly count: number;
  /** Not of negative values: the schema reserves it for sums that only grow. */
  readonly sum?: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: DenseBuckets;
  readonly negative: DenseBuckets;
  /** Of values that there were; absent when there is none, or only a bound is known. */
  readonly min?: number;
  readonly max?: number;
}

/** The attribute of the series that took what the cap on series refused (OpenTelemetry metrics SDK, "Overflow attribute"). */
const overflowAttributes: readonly OtlpAttribute[] = [["otel.metric.overflow", true]];

/**
 * What OTLP says of a snapshot.
 *
 * - Counters are monotonic sums, upDownCounters other sums, histograms ExponentialHistogram with the same buckets.
 * - Windows are gauges, because nothing in them is cumulative, which OTLP's summary must be: `name` with the attribute `quantile` (0 is
 *   the smallest value, 1 the largest), `name.avg` and `name.count`. An empty one has nothing but its count.
 * - Metrics and points come in the order of the snapshot. Names stay as they are; only those of windows make way for others.
 *
 * @throws OptionError when bucketsMax is not in its range
 */
export function otlpRequest(snapshot: MetricsSnapshot, options: OtlpOptions = {}): OtlpRequest {
  const maker = new RequestMaker(snapshot, options);
  const { resource = { "service.name": "unknown_service:node" }, scope = { name: "poundlock" } } = options;
  return {
    resource: Object.entries(resource).map(([key, value]) => attribute(key, value)),
    scope: {
      name: wellFormed(scope.name),
      ...(scope.version === undefined ? {} : { version: wellFormed(scope.version) }),
    },
    metrics: maker.metricsOf(snapshot.families),
  };
}

class RequestMaker {
  readonly #temporality: OtlpTemporality;
  readonly #bucketsMax: number;
  readonly #startedMs: number;
  readonly #timeUnixNano: bigint;
  readonly #names = new NameTable();
  /** Series often begin together. */
  readonly #startNanos = new Map<number, bigint>();

  constructor(snapshot: MetricsSnapshot, options: OtlpOptions) {
    const { temporality = "cumulative", startedMs = Number.NEGATIVE_INFINITY } = options;
    if (temporality !== "cumulative" && temporality !== "delta")
      throw new OptionError("temporality", `Cannot use temporality = ${String(temporality)}`);
    this.#temporality = temporality === "delta" ? 1 : 2;
    this.#startedMs = startedMs;
    this.#bucketsMax = integerOption("bucketsMax", options.bucketsMax, {
      default: 1280,
      min: denseBucketsMaxMin,
      max: 100_000,
    });
    this.#timeUnixNano = unixNanos(snapshot.atMs);
    for (const { kind, name } of snapshot.families) if (kind !== "window") this.#names.take(wellFormed(name));
  }

  *metricsOf(families: readonly MetricFamily[]): Generator<OtlpMetric | undefined> {
    for (const family of families) {
      if (family.kind === "histogram") yield* this.#ofHistogram(family);
      else if (family.kind === "window") yield* this.#ofWindow(family);
      else yield* this.#ofNumber(family);
    }
  }

  *#ofNumber(family: NumberFamily): Generator<OtlpMetric | undefined> {
    const isGauge = family.kind === "gauge";
    const distinct = yield* distinctPoints(family.points, isGauge ? mergeGauges(family.across) : addNumbers);
    if (distinct.length === 0) return;
    const points = made(distinct, (point) => ({ ...this.#head(family, point), asDouble: point.value + 0 }));
    if (isGauge) return yield { ...metricHead(family), kind: "gauge", points };
    const isMonotonic = family.kind === "counter";
    yield { ...metricHead(family), kind: "sum", isMonotonic, temporality: this.#temporality, points };
  }

  *#ofHistogram(family: HistogramFamily): Generator<OtlpMetric | undefined> {
    const distinct = yield* distinctPoints(family.points, mergeHistograms);
    if (distinct.length === 0) return;
    const points = made(distinct, (point) => this.#histogramPoint(family, point));
    yield { ...metricHead(family), kind: "exponentialHistogram", temporality: this.#temporality, points };
  }

  #histogramPoint(family: HistogramFamily, point: HistogramPoint): OtlpHistogramPoint {
    const histogram = downscaleToSpan(point.histogram, this.#bucketsMax);
    const { count, sum, min, max, zeroCount, positive, negative } = histogram;
    const isSumKnown = negative.indexes.length === 0 && !Number.isNaN(sum);
    return {
      ...this.#head(family, point),
      count,
      ...(isSumKnown ? { sum: sum + 0 } : {}),
      scale: histogram.schema,
      zeroCount,
      positive: denseBuckets(positive),
      negative: denseBuckets(negative),
      ...(isRangeKnown(histogram) ? { min: min + 0, max: max + 0 } : {}),
    };
  }

  *#ofWindow(family: WindowFamily): Generator<OtlpMetric | undefined> {
    const name = this.#names.take(wellFormed(family.name), ["", ".avg", ".count"]);
    const quantiles: OtlpNumberPoint[] = [];
    const averages: OtlpNumberPoint[] = [];
    const counts: OtlpNumberPoint[] = [];
    for (const point of yield* distinctPoints(family.points, mergeWindows)) {
      yield;
      const summary = summarizeWindow(point.values);
      const head = this.#head(family, point);
      counts.push({ ...head, asDouble: summary.n });
      if (summary.n === 0) continue;
      averages.push({ ...head, asDouble: summary.avg + 0 });
      for (const [quantile, of] of windowQuantiles) {
        const attributes = [...head.attributes, ["quantile", quantile] as const];
        quantiles.push({ ...head, attributes, asDouble: summary[of] + 0 });
      }
    }
    const { description, unit } = metricHead(family);
    const countUnit = "{observation}";
    if (quantiles.length > 0) yield { name, description, unit, kind: "gauge", points: quantiles };
    if (averages.length > 0)
      yield { name: `${name}.avg`, description, unit, kind: "gauge", points: averages };
    if (counts.length > 0)
      yield { name: `${name}.count`, description, unit: countUnit, kind: "gauge", points: counts };
  }

  #head(family: MetricFamily, point: NumberPoint | HistogramPoint | WindowPoint): OtlpPointHead {
    const attributes = point.isOverflow
      ? overflowAttributes
      : family.labelNames.map((label, at) => attribute(label, point.labels[at] ?? ""));
    return {
      attributes,
      startTimeUnixNano: this.#startOf(point.startedMs),
      timeUnixNano: this.#timeUnixNano,
    };
  }

  #startOf(startedMs: number): bigint {
    const known = this.#startNanos.get(startedMs);
    if (known !== undefined) return known;
    const isDelta = this.#temporality === 1;
    const nanos = unixNanos(isDelta ? Math.max(startedMs, this.#startedMs) : startedMs);
    this.#startNanos.set(startedMs, nanos);
    return nanos;
  }
}

/** As texts, because 0 and 1 would be integers beside doubles, and an attribute has one type. */
const windowQuantiles: readonly (readonly [quantile: string, of: keyof WindowSummary])[] = [
  ["0", "min"],
  ["0.5", "p50"],
  ["0.95", "p95"],
  ["0.99", "p99"],
  ["1", "max"],
];

function metricHead({
  name,
  help,
  unit = "",
}: MetricFamily): Pick<OtlpMetric, "name" | "description" | "unit"> {
  return { name: wellFormed(name), description: wellFormed(help), unit: wellFormed(unit) };
}

function attribute(key: string, value: OtlpAttributeValue): OtlpAttribute {
  return [wellFormed(key), typeof value === "string" ? wellFormed(value) : value];
}

function isRangeKnown({ count, hasLooseRange, min, max }: ExponentialHistogram): boolean {
  return count > 0 && hasLooseRange !== true && !Number.isNaN(min) && !Number.isNaN(max);
}

function* made<P, T>(points: readonly P[], make: (point: P) => T): Generator<T> {
  for (const point of points) yield make(point);
}

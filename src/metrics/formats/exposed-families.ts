import type {
  HistogramFamily,
  HistogramPoint,
  MetricFamily,
  NumberFamily,
  NumberPoint,
  WindowFamily,
  WindowPoint,
} from "../snapshot.js";
import { addNumbers, distinctPoints, mergeGauges, mergeHistograms, mergeWindows } from "./distinct-points.js";
import { legalLabelName, legalMetricName, NameTable } from "./legal-names.js";
import { unitWord } from "./unit-words.js";
import { summarizeWindow, type WindowSummary } from "./window-summary.js";

/** The one label of the series that took what the cap on series refused, with the value `true` (OpenTelemetry's name). */
export const overflowLabel = "otel_metric_overflow";

/** A family as Prometheus knows it: legal names that no other has, and no label set twice. */
export type ExposedFamily = ExposedNumbers | ExposedHistograms;

interface ExposedHead {
  /** Of a counter without `_total`, which its samples end with. */
  readonly name: string;
  readonly help: string;
  /** Spelled out; only when the name ends with it. */
  readonly unit: string | undefined;
  /** In the order of the points' label values; none is `le` or `otel_metric_overflow`. */
  readonly labelNames: readonly string[];
}

export interface ExposedNumbers extends ExposedHead {
  readonly kind: "counter" | "gauge";
  readonly points: readonly NumberPoint[];
}

export interface ExposedHistograms extends ExposedHead {
  readonly kind: "histogram";
  readonly points: readonly HistogramPoint[];
  /** Where it comes from. */
  readonly family: HistogramFamily;
}

/** Names that samples of a counter or histogram have in some format, and so nobody else's. */
const counterSuffixes = ["", "_total", "_created"];
const histogramSuffixes = ["", "_bucket", "_sum", "_count", "_created"];

const windowGauges: readonly {
  readonly suffix: string;
  readonly of: keyof WindowSummary;
  readonly help: string;
}[] = [
  { suffix: "_avg", of: "avg", help: "average" },
  { suffix: "_min", of: "min", help: "smallest" },
  { suffix: "_max", of: "max", help: "largest" },
  { suffix: "_p50", of: "p50", help: "50th percentile" },
  { suffix: "_p95", of: "p95", help: "95th percentile" },
  { suffix: "_p99", of: "p99", help: "99th percentile" },
  { suffix: "_count", of: "n", help: "observations in the window" },
];

/**
 * What all Prometheus formats write, in the order of the families; so they agree on every name. A window becomes gauges. Yields
 * undefined where others may have a turn.
 */
export function* exposeFamilies(families: readonly MetricFamily[]): Generator<ExposedFamily | undefined> {
  const names = new NameTable();
  for (const family of families) {
    if (family.kind === "histogram") yield* exposeHistograms(names, family);
    else if (family.kind === "window") yield* exposeWindows(names, family);
    else yield* exposeNumbers(names, family);
  }
}

function* exposeNumbers(names: NameTable, family: NumberFamily): Generator<ExposedFamily | undefined> {
  const legal = legalMetricName(family.name);
  const isCounter = family.kind === "counter";
  const name = isCounter ? names.take(legal.replace(/_total$/, ""), counterSuffixes) : names.take(legal);
  const merge = family.kind === "gauge" ? mergeGauges(family.across) : addNumbers;
  const points = yield* distinctPoints(family.points, merge);
  yield { kind: isCounter ? "counter" : "gauge", ...headOf(name, family), points };
}

function* exposeHistograms(names: NameTable, family: HistogramFamily): Generator<ExposedFamily | undefined> {
  const name = names.take(legalMetricName(family.name), histogramSuffixes);
  const points = yield* distinctPoints(family.points, mergeHistograms);
  yield { kind: "histogram", ...headOf(name, family), points, family };
}

/** Gauges, because nothing in a window is cumulative. An empty window has nothing but its count: no number would be true. */
function* exposeWindows(names: NameTable, family: WindowFamily): Generator<ExposedFamily | undefined> {
  const name = names.take(
    legalMetricName(family.name),
    windowGauges.map(({ suffix }) => suffix),
  );
  const points = yield* distinctPoints(family.points, mergeWindows);
  const summaries: { point: WindowPoint; summary: WindowSummary }[] = [];
  for (const point of points) {
    summaries.push({ point, summary: summarizeWindow(point.values) });
    yield;
  }
  for (const { suffix, of, help } of windowGauges) {
    const shown = of === "n" ? summaries : summaries.filter(({ summary }) => summary.n > 0);
    if (shown.length === 0) continue;
    const head = headOf(name + suffix, family);
    yield {
      kind: "gauge",
      ...head,
      help: family.help === "" ? help : `${family.help} (${help})`,
      points: shown.map(({ point: { values: _, ...point }, summary }) => ({ ...point, value: summary[of] })),
    };
  }
}

function headOf(name: string, { help, unit, labelNames }: MetricFamily): ExposedHead {
  const word = unitWord(unit);
  const labels = new NameTable();
  for (const reserved of ["le", "quantile", overflowLabel]) labels.take(reserved);
  return {
    name,
    help,
    unit: word !== undefined && name.endsWith(`_${word}`) ? word : undefined,
    labelNames: labelNames.map((label) => labels.take(legalLabelName(label))),
  };
}

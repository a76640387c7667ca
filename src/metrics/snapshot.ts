import type { ExponentialHistogram } from "../sketch/index.js";

/** All metrics of a registry at one moment: what formats write, processes merge and cursors subtract. Plain data. */
export interface MetricsSnapshot {
  /** Wall time of the cut, in milliseconds since 1970. */
  readonly atMs: number;
  /**
   * Whether all numbers are of one cut. False when the registry had to answer without one, because other readers kept taking
   * theirs in between; each number is right then, but they may be of slightly different moments.
   */
  readonly isExact: boolean;
  /** In order of registration; no two share a name. */
  readonly families: readonly MetricFamily[];
}

/** One metric with all its series. */
export type MetricFamily = NumberFamily | HistogramFamily | WindowFamily;

interface FamilyHead {
  /** As registered: any text. Formats make it legal. */
  readonly name: string;
  readonly help: string;
  /** UCUM, as OpenTelemetry writes it: `s`, `ms`, `By`, `1`, `{request}`; absent when there is none. */
  readonly unit?: string;
  /** Any text, each once; every point has as many label values, in this order. */
  readonly labelNames: readonly string[];
}

export interface NumberFamily extends FamilyHead {
  /** `counter` never goes down. */
  readonly kind: "counter" | "upDownCounter" | "gauge";
  /** How gauges of several threads or processes become one. @default "latest" */
  readonly across?: GaugeMerge;
  readonly points: readonly NumberPoint[];
}

/** `latest` is the value set last; the others are over live threads and processes. */
export type GaugeMerge = "latest" | "sum" | "min" | "max";

interface PointHead {
  /** Values of the family's labels; strings are kept as they were given, lone surrogates included. */
  readonly labels: readonly string[];
  /** True for the one series that took what the cap on series refused; its label values are empty. */
  readonly isOverflow?: boolean;
  /** When the series began, in milliseconds since 1970: cumulative numbers count from here. */
  readonly startedMs: number;
}

export interface NumberPoint extends PointHead {
  readonly value: number;
  /** Of a gauge: when it was set, in milliseconds since 1970. */
  readonly setMs?: number;
}

export interface HistogramFamily extends FamilyHead {
  readonly kind: "histogram";
  readonly points: readonly HistogramPoint[];
}

export interface HistogramPoint extends PointHead {
  readonly histogram: ExponentialHistogram;
}

/** A window over the newest observations: not cumulative, so formats write it as gauges, and nothing when it is empty. */
export interface WindowFamily extends FamilyHead {
  readonly kind: "window";
  readonly points: readonly WindowPoint[];
}

export interface WindowPoint extends PointHead {
  /**
   * The last N observations themselves, ascending; or of the last T milliseconds a histogram, because any number of
   * observations may fall into them.
   */
  readonly values:
    | { readonly kind: "samples"; readonly samplesMax: number; readonly sorted: readonly number[] }
    | { readonly kind: "recent"; readonly forMs: number; readonly histogram: ExponentialHistogram };
}

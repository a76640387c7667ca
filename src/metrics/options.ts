import type { GaugeMerge } from "./snapshot.js";

export interface RegistryOptions {
  /** Threads find the registry of this name; a process may have several. @default "default" */
  readonly name?: string;
  /**
   * Address space of the registry, in bytes (4 MiB..8 GiB); it can't grow later, and what is not used costs no memory.
   * @default 256 MiB
   */
  readonly reserveBytes?: number;
  /** Threads that may record at the same time (1..1024). @default 128 */
  readonly threadsMax?: number;
  /** Metrics (1..65,536). @default 4096 */
  readonly metricsMax?: number;
  /** Series of a metric that says nothing else (1..1,000,000); what comes beyond goes to one overflow series. @default 10,000 */
  readonly seriesMax?: number;
  /** Series that nobody recorded to for so long are forgotten, in milliseconds (1,000..); looked at by snapshots. @default never */
  readonly idleMs?: number;
  /**
   * What the methods that take a metric's name do with one that is not registered: refuse it, or register it by how it is used.
   * @default "strict"
   */
  readonly registration?: "strict" | "lazy";
  /** Whether snapshots have the registry's own metrics, `poundlock_metrics_…`, too. @default true */
  readonly hasOwnMetrics?: boolean;
}

export interface MetricOptions<L extends string = string> {
  /** One sentence for people. @default "" */
  readonly help?: string;
  /** UCUM: `s`, `ms`, `By`, `{request}`. A name should end in it as Prometheus spells it: `_seconds`, `_bytes`. */
  readonly unit?: string;
  /** Names of the labels, each once. @default none */
  readonly labels?: readonly L[];
  /** See RegistryOptions. */
  readonly seriesMax?: number;
  /** See RegistryOptions. */
  readonly idleMs?: number;
}

export interface GaugeOptions<L extends string = string> extends MetricOptions<L> {
  /** How the values that several threads set become one; all but `latest` are over live threads. @default "latest" */
  readonly across?: GaugeMerge;
}

export interface HistogramOptions<L extends string = string> extends MetricOptions<L> {
  /**
   * -4..8: 2^schema buckets to an octave. A quantile is off by at most 1.08 % with 5, 0.54 % with 6, 4.33 % with 3.
   * @default 5
   */
  readonly schema?: number;
}

/** Exactly one of `samplesMax` and `forMs`. */
export interface WindowOptions<L extends string = string> extends HistogramOptions<L> {
  /** The last N observations, kept themselves, so that quantiles are exact (1..100,000). */
  readonly samplesMax?: number;
  /** The observations of the last T milliseconds (100..86,400,000), as a histogram. */
  readonly forMs?: number;
  /** Of `forMs`: pieces in which it ages (2..100); so it covers T, or up to one piece less. @default 12 */
  readonly slots?: number;
}

/** Label values by name, all of a metric's labels. Numbers and booleans become text. */
export type LabelValues<L extends string> = { readonly [N in L]: string | number | boolean };

export interface TimerMetricOptions<L extends string = string> extends Omit<HistogramOptions<L>, "unit"> {
  /** Unit of what is recorded. @default "s" */
  readonly unit?: "s" | "ms";
  /** Label that the timer adds for what went wrong, empty when nothing did; `false` for none. @default "error_type" */
  readonly errorLabel?: string | false;
  /** Makes it a window over the last N durations instead of a histogram. */
  readonly samplesMax?: number;
  /** Makes it a window over the last T milliseconds. */
  readonly forMs?: number;
  /** See WindowOptions. */
  readonly slots?: number;
}

/** Labels of a metric that is used by its name. */
export type LabelObject = Readonly<Record<string, string | number | boolean>>;

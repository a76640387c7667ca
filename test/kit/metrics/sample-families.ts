import type { HistogramFamily, NumberFamily, WindowFamily } from "../../../src/metrics/index.js";
import { type ExponentialHistogram, Histogram } from "../../../src/sketch/index.js";

const startedMs = 1_700_000_000_123;

/** What a hand-made family leaves open is its help, `h`, and having no unit. */
interface Head {
  readonly name: string;
  readonly help?: string;
  readonly unit?: string;
  readonly labelNames?: readonly string[];
}

type Labelled<V> = readonly (readonly [labels: readonly string[], value: V])[];

function head({ name, help = "h", unit, labelNames = [] }: Head): {
  name: string;
  help: string;
  unit?: string;
  labelNames: readonly string[];
} {
  return { name, help, ...(unit === undefined ? {} : { unit }), labelNames };
}

export function numbers(kind: NumberFamily["kind"], given: Head, values: Labelled<number>): NumberFamily {
  return { ...head(given), kind, points: values.map(([labels, value]) => ({ labels, value, startedMs })) };
}

export function histograms(given: Head, values: Labelled<readonly number[]>): HistogramFamily {
  const points = values.map(([labels, of]) => ({ labels, startedMs, histogram: histogramOf(of) }));
  return { ...head(given), kind: "histogram", points };
}

/** The last observations of each series. */
export function samplesWindow(given: Head, values: Labelled<readonly number[]>): WindowFamily {
  const points = values.map(([labels, of]) => ({
    labels,
    startedMs,
    values: { kind: "samples" as const, samplesMax: 1000, sorted: [...of].sort((a, b) => a - b) },
  }));
  return { ...head(given), kind: "window", points };
}

/** The observations of the last minute of each series. */
export function recentWindow(given: Head, values: Labelled<readonly number[]>): WindowFamily {
  const points = values.map(([labels, of]) => ({
    labels,
    startedMs,
    values: { kind: "recent" as const, forMs: 60_000, histogram: histogramOf(of) },
  }));
  return { ...head(given), kind: "window", points };
}

/** With every value recorded, schema 5. */
export function histogramOf(values: readonly number[]): ExponentialHistogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toExponential();
}

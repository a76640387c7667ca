import { type ExponentialHistogram, Histogram } from "../../sketch/index.js";
import type { MetricFamily, MetricsSnapshot, NumberFamily } from "../snapshot.js";

export function histogramOf(...values: readonly number[]): ExponentialHistogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toExponential();
}

export function snapshotOf(atMs: number, ...families: readonly MetricFamily[]): MetricsSnapshot {
  return { atMs, isExact: true, families };
}

/** A family without labels that has one point. */
export function numberFamily(
  kind: NumberFamily["kind"],
  name: string,
  point: { readonly value: number; readonly startedMs?: number; readonly setMs?: number },
  across?: NumberFamily["across"],
): NumberFamily {
  const points = [{ labels: [], startedMs: 0, ...point }];
  return { kind, name, help: "", labelNames: [], points, ...(across === undefined ? {} : { across }) };
}

/** A counter with a series for each entry. */
export function counterBy(
  name: string,
  label: string,
  values: Readonly<Record<string, number>>,
  startedMs = 0,
): NumberFamily {
  const points = Object.entries(values).map(([key, value]) => ({ labels: [key], startedMs, value }));
  return { kind: "counter", name, help: "", labelNames: [label], points };
}

export function familyNamed(snapshot: MetricsSnapshot, name: string): MetricFamily | undefined {
  return snapshot.families.find((family) => family.name === name);
}

/** The only number of a family; undefined when the family is not there. */
export function numberIn(snapshot: MetricsSnapshot, name: string): number | undefined {
  const point = familyNamed(snapshot, name)?.points[0];
  return point !== undefined && "value" in point ? point.value : undefined;
}

import type { MetricFamily, MetricsSnapshot, SnapshotSource } from "../../src/metrics/index.js";
import { Histogram } from "../../src/sketch/index.js";

interface Tallied {
  value: number;
  readonly startedMs: number;
}

/** A plain registry: `events` by `k`, the distribution `sizes`, the gauges `newest` (latest) and `open` (sum), the balance `held`. */
export class Tally implements SnapshotSource {
  nowMs = 1_000;
  open = 0;
  held = 0;
  newest: { readonly value: number; readonly setMs: number } | undefined;
  readonly events: Map<string, Tallied> = new Map();
  #sizes = new Histogram();

  count(key: string, n: number): void {
    const series = this.events.get(key) ?? { value: 0, startedMs: this.nowMs };
    this.events.set(key, series);
    series.value += n;
  }

  size(value: number): void {
    this.#sizes.record(value);
  }

  snapshot(): MetricsSnapshot {
    const atMs = this.nowMs;
    const head = { help: "", labelNames: [] };
    const one = (values: { readonly value: number; readonly setMs?: number }) => [
      { labels: [], startedMs: 0, ...values },
    ];
    const families: MetricFamily[] = [
      {
        ...head,
        kind: "counter",
        name: "events",
        labelNames: ["k"],
        points: [...this.events].map(([key, series]) => ({ labels: [key], ...series })),
      },
      {
        ...head,
        kind: "histogram",
        name: "sizes",
        points: [{ labels: [], startedMs: 0, histogram: this.#sizes.toExponential() }],
      },
      { ...head, kind: "gauge", name: "newest", points: this.newest === undefined ? [] : one(this.newest) },
      { ...head, kind: "gauge", name: "open", across: "sum", points: one({ value: this.open }) },
      { ...head, kind: "upDownCounter", name: "held", points: one({ value: this.held }) },
    ];
    return { atMs, isExact: true, families };
  }
}

/** Of the counter `events`; undefined when there is no such series. */
export function eventsOf(snapshot: MetricsSnapshot, key: string): number | undefined {
  return numberBy(snapshot, "events", key);
}

/** The number of a family's series, with one label or none. */
export function numberBy(snapshot: MetricsSnapshot, name: string, key?: string): number | undefined {
  const family = snapshot.families.find((one) => one.name === name);
  for (const point of family?.points ?? [])
    if ("value" in point && point.isOverflow !== true && point.labels[0] === key) return point.value;
  return undefined;
}

/** Of the histogram `sizes`: its count and sum. */
export function sizesOf(snapshot: MetricsSnapshot): { readonly count: number; readonly sum: number } {
  const point = snapshot.families.find(({ name }) => name === "sizes")?.points[0];
  if (point === undefined || !("histogram" in point)) return { count: 0, sum: 0 };
  return { count: point.histogram.count, sum: point.histogram.sum };
}

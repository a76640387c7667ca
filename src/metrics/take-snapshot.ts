import type { Definition } from "./definition.js";
import type { Cut } from "./memory/cut.js";
import type { Family } from "./memory/families.js";
import { SeriesReader } from "./memory/read-series.js";
import type { Segment } from "./memory/segment.js";
import { type SeriesEntry, SeriesList } from "./memory/series-list.js";
import type { GaugeMerge, HistogramPoint, MetricFamily, NumberPoint, WindowPoint } from "./snapshot.js";

/** Series between two looks at whether the event loop should have a turn. */
const seriesPerStep = 64;

/** The moment of a cut, for what depends on time. */
export interface CutTime {
  readonly atMs: number;
  /** Since the registry began. */
  readonly sinceMs: number;
  /** Wall time at which the registry began. */
  readonly startedMs: number;
}

/** Turns the shared memory at a cut into plain data. */
export class SnapshotMaker {
  readonly list: SeriesList;
  readonly #reader: SeriesReader;

  constructor(segment: Segment) {
    this.list = new SeriesList(segment);
    this.#reader = new SeriesReader(segment);
  }

  /** Yields now and then, so that the caller may give way; the result is right only if the cut is still valid then. */
  *read(cut: Cut, families: readonly Family[], time: CutTime): Generator<void, MetricFamily[]> {
    yield* this.list.update(families);
    const made: MetricFamily[] = [];
    for (const family of families) {
      const points: unknown[] = [];
      let steps = 0;
      for (const entry of this.list.of(family)) {
        if (this.list.isThere(entry)) {
          const point = this.#point(cut, family.definition, entry, time);
          // If another reader has freed it meanwhile, what was read may be of others.
          if (point !== undefined && this.list.isThere(entry)) points.push(point);
        }
        steps += 1;
        if (steps % seriesPerStep === 0) yield;
      }
      made.push(familyOf(family.definition, points));
      yield;
    }
    return made;
  }

  #point(cut: Cut, definition: Definition, entry: SeriesEntry, time: CutTime): object | undefined {
    const { labels, startedMs, unit, isOverflow } = entry;
    const head = isOverflow ? { labels, startedMs, isOverflow } : { labels, startedMs };
    switch (definition.kind) {
      case "counter":
      case "upDownCounter": {
        const value = this.#reader.number(cut, unit);
        // Written out, since a copy of `head` takes longer than to read the number.
        return isOverflow ? { ...head, value } : { labels, startedMs, value };
      }
      case "gauge": {
        const gauge = mergeGauges(this.#reader.gauge(cut, unit), definition.across ?? "latest");
        if (gauge === undefined) return undefined;
        return { ...head, value: gauge.value, setMs: time.startedMs + gauge.sinceMs };
      }
      case "histogram": {
        const histogram = this.#reader.histogram(cut, unit, definition.schema!);
        return isOverflow ? { ...head, histogram } : { labels, startedMs, histogram };
      }
      case "samples": {
        const samplesMax = definition.samplesMax!;
        const sorted = this.#reader.samples(cut, unit, samplesMax);
        return { ...head, values: { kind: "samples", samplesMax, sorted } };
      }
      case "recent": {
        const { forMs, slots, schema } = definition;
        const oldest = Math.floor(time.sinceMs / (forMs! / slots!)) + 2 - slots!;
        const histogram = this.#reader.recent(cut, unit, schema!, oldest);
        return { ...head, values: { kind: "recent", forMs: forMs!, histogram } };
      }
    }
  }
}

/** A metric with these points. */
export function familyOf(definition: Definition, points: readonly unknown[]): MetricFamily {
  const { name, help, unit, labels, kind, across } = definition;
  const head = { name, help, labelNames: labels, ...(unit === undefined ? {} : { unit }) };
  switch (kind) {
    case "histogram":
      return { ...head, kind, points: points as HistogramPoint[] };
    case "samples":
    case "recent":
      return { ...head, kind: "window", points: points as WindowPoint[] };
    default:
      return { ...head, kind, ...(across === undefined ? {} : { across }), points: points as NumberPoint[] };
  }
}

interface SetGauge {
  readonly value: number;
  readonly sinceMs: number;
  readonly isLive: boolean;
}

function mergeGauges(
  gauges: readonly SetGauge[],
  across: GaugeMerge,
): { value: number; sinceMs: number } | undefined {
  const counted = across === "latest" ? gauges : gauges.filter(({ isLive }) => isLive);
  if (counted.length === 0) return undefined;
  const newest = counted.reduce((a, b) => (b.sinceMs > a.sinceMs ? b : a));
  const values = counted.map(({ value }) => value);
  switch (across) {
    case "latest":
      return newest;
    case "sum":
      return { value: values.reduce((a, b) => a + b), sinceMs: newest.sinceMs };
    case "min":
      return { value: Math.min(...values), sinceMs: newest.sinceMs };
    case "max":
      return { value: Math.max(...values), sinceMs: newest.sinceMs };
  }
}

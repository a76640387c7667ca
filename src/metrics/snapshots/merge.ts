import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { type FamilyShape, isSameShape, labelOrder, shapeOf } from "./family-shape.js";
import { atOnce, eachPoint, type Steps } from "./in-turns.js";
import { keyOfPoint, type SeriesPoint } from "./series-key.js";
import { newSeriesSum, type SeriesSum } from "./series-sum.js";

/** Two families of one name that are not one metric: the first was kept, the other left out. */
export interface FamilyConflict {
  readonly name: string;
  readonly kept: FamilyShape;
  readonly refused: FamilyShape;
  /** Series that were left out. */
  readonly seriesRefused: number;
}

export interface MergeOptions {
  /** Told of each family that was left out. */
  readonly onConflict?: (conflict: FamilyConflict) => void;
}

/**
 * Several registries' snapshots as one.
 *
 * - Counters and upDownCounters are added exactly and rounded once; histograms are merged in the lower schema, their sums exact too.
 * - Gauges become one by their family's `across`.
 * - Windows hold each source's newest: `samplesMax` is the sum of theirs; a window of time leaves out a source whose cut is older than the window.
 * - Series are the same when their label values are equal by label name, in whatever order the names stand.
 * - A family of a known name, but another kind, unit, `across` or other labels, is left out as a whole: `onConflict` names both.
 * - Families and series stand in the order of their first appearance. `startedMs` is the earliest, `atMs` the latest;
 *   `isExact` only when all are.
 */
export function mergeSnapshots(
  snapshots: readonly MetricsSnapshot[],
  options: MergeOptions = {},
): MetricsSnapshot {
  const sum = new SnapshotSum();
  let isExact = true;
  let atMs = 0;
  for (const snapshot of snapshots) {
    sum.add(snapshot, options);
    isExact &&= snapshot.isExact;
    atMs = Math.max(atMs, snapshot.atMs);
  }
  return sum.finish(atMs, isExact);
}

interface Series {
  readonly labels: readonly string[];
  readonly isOverflow: boolean;
  startedMs: number;
  readonly sum: SeriesSum;
}

interface FamilySum {
  readonly head: MetricFamily;
  shape: FamilyShape;
  readonly series: Map<string, Series>;
}

/** Sums up snapshots, exactly, for as long as it is kept. */
export class SnapshotSum {
  readonly #families = new Map<string, FamilySum>();
  #seriesCount = 0;

  /** Of all families. */
  get seriesCount(): number {
    return this.#seriesCount;
  }

  add(snapshot: MetricsSnapshot, options: MergeOptions = {}): void {
    atOnce(this.addInSteps(snapshot, options));
  }

  /** As `add`. Half of it is no snapshot: nothing else may be done with the sum until it has ended. */
  *addInSteps(snapshot: MetricsSnapshot, { onConflict }: MergeOptions = {}): Steps<void> {
    for (const family of snapshot.families) {
      const shape = shapeOf(family);
      const sum = this.#familyOf(family, shape);
      if (!isSameShape(sum.shape, shape)) {
        const seriesRefused = family.points.length;
        onConflict?.({ name: family.name, kept: sum.shape, refused: shape, seriesRefused });
        continue;
      }
      if (sum.shape.window === undefined) sum.shape = { ...shape, labelNames: sum.shape.labelNames };
      yield* this.#addPoints(sum, family, snapshot.atMs);
    }
  }

  has(family: string, key: string): boolean {
    return this.#families.get(family)?.series.has(key) ?? false;
  }

  delete(family: string, key: string): void {
    if (this.#families.get(family)?.series.delete(key) === true) this.#seriesCount -= 1;
  }

  /** Another sum of the same; this one must not change until it has ended. */
  *copyInSteps(): Steps<SnapshotSum> {
    const copy = new SnapshotSum();
    for (const [name, { head, shape, series }] of this.#families) {
      const copied = new Map<string, Series>();
      copy.#families.set(name, { head, shape, series: copied });
      yield* eachPoint(series, ([key, { labels, isOverflow, startedMs, sum }]) => {
        copied.set(key, { labels, isOverflow, startedMs, sum: sum.copy() });
      });
    }
    copy.#seriesCount = this.#seriesCount;
    return copy;
  }

  finish(atMs: number, isExact: boolean): MetricsSnapshot {
    return atOnce(this.finishInSteps(atMs, isExact));
  }

  /** As `finish`; the sum must not change until it has ended. */
  *finishInSteps(atMs: number, isExact: boolean): Steps<MetricsSnapshot> {
    const families: MetricFamily[] = [];
    for (const { head, series } of this.#families.values()) {
      const points: unknown[] = [];
      yield* eachPoint(series.values(), ({ sum, labels, isOverflow, startedMs }) => {
        const values = sum.finish(atMs);
        if (values === undefined) return;
        points.push({ labels, ...(isOverflow ? { isOverflow } : {}), startedMs, ...values });
      });
      // Each point was made by the sum that its family's kind asks for.
      families.push({ ...head, points } as MetricFamily);
    }
    return { atMs, isExact, families };
  }

  #familyOf(family: MetricFamily, shape: FamilyShape): FamilySum {
    let sum = this.#families.get(family.name);
    if (sum === undefined) {
      sum = { head: { ...family, points: [] }, shape, series: new Map() };
      this.#families.set(family.name, sum);
    }
    return sum;
  }

  #addPoints(sum: FamilySum, family: MetricFamily, atMs: number): Steps<void> {
    const order = labelOrder(family.labelNames, sum.shape.labelNames);
    const isInOrder = order.every((from, to) => from === to);
    return eachPoint<SeriesPoint>(family.points, (given) => {
      const point = isInOrder ? given : reordered(given, order);
      const key = keyOfPoint(point);
      let series = sum.series.get(key);
      if (series === undefined) {
        const { labels, isOverflow = false, startedMs } = point;
        series = { labels, isOverflow, startedMs, sum: newSeriesSum(family) };
        sum.series.set(key, series);
        this.#seriesCount += 1;
      }
      series.startedMs = Math.min(series.startedMs, point.startedMs);
      series.sum.add(point, atMs);
    });
  }
}

function reordered(point: SeriesPoint, order: readonly number[]): SeriesPoint {
  return { ...point, labels: order.map((from) => point.labels[from] ?? "") };
}

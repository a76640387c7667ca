import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { isSameShape, labelOrder, shapeOf } from "./family-shape.js";
import { keyOfPoint, type SeriesPoint } from "./series-key.js";

interface KnownFamily {
  readonly family: MetricFamily;
  readonly points: Map<string, SeriesPoint>;
}

/**
 * What a reader has already taken of each series: the point that its next difference starts from. Holds no more series than the
 * snapshots that it was given.
 */
export class Baseline {
  #families = new Map<string, KnownFamily>();

  /** Answers for a point of the family the one to subtract from it; undefined when all of the point is new. */
  of(family: MetricFamily): (point: SeriesPoint) => SeriesPoint | undefined {
    const points = this.#known(family)?.points;
    return (point) => {
      const former = points?.get(keyOfPoint(point));
      return former === undefined || isNewStart(family.kind, point, former) ? undefined : former;
    };
  }

  /** From now on differences of these series start from these points; other series keep theirs. */
  take(family: MetricFamily, points: readonly SeriesPoint[]): void {
    let known = this.#known(family);
    if (known === undefined) {
      known = { family: { ...family, points: [] }, points: new Map() };
      this.#families.set(family.name, known);
    }
    for (const point of points) known.points.set(keyOfPoint(point), point);
  }

  /** Forgets the series that the snapshot has not. */
  keepOnly(snapshot: MetricsSnapshot): void {
    const kept = new Map<string, KnownFamily>();
    for (const family of snapshot.families) {
      const known = this.#known(family);
      if (known === undefined) continue;
      const keys = new Set(family.points.map(keyOfPoint));
      for (const key of known.points.keys()) if (!keys.has(key)) known.points.delete(key);
      kept.set(family.name, known);
    }
    this.#families = kept;
  }

  /** Undefined also when the family became another metric, or orders its labels in another way. */
  #known(family: MetricFamily): KnownFamily | undefined {
    const known = this.#families.get(family.name);
    if (known === undefined || !isSameShape(shapeOf(known.family), shapeOf(family))) return undefined;
    const order = labelOrder(known.family.labelNames, family.labelNames);
    return order.every((at, index) => at === index) ? known : undefined;
  }
}

/**
 * A later `startedMs` says so, or a number that never falls and has. An earlier `startedMs` does not: a merged snapshot has the
 * earliest of all, and a process may join late.
 */
function isNewStart(kind: MetricFamily["kind"], point: SeriesPoint, former: SeriesPoint): boolean {
  if (point.startedMs > former.startedMs) return true;
  if ("histogram" in point && "histogram" in former) return point.histogram.count < former.histogram.count;
  return kind === "counter" && "value" in point && "value" in former && point.value < former.value;
}

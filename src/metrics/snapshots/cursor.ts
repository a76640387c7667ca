import { subtractExponential } from "../../sketch/index.js";
import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { Baseline } from "./baseline.js";
import type { SeriesPoint } from "./series-key.js";

export interface CursorOptions {
  /** Whether counters and histograms that did not change are answered too, with a difference of nothing. @default false */
  readonly keepsUnchanged?: boolean;
}

/**
 * One reader's place in a registry's growing numbers: answers what came in between its looks. Reading resets nothing, and
 * cursors do not know of each other.
 *
 * - Counters, upDownCounters and histograms are differences to the former look; of series that are new, or began anew, all of it.
 *   A counter's is never negative. `startedMs` is then the former look's time, or the series' own start if that is later.
 * - Gauges and windows are as they are.
 * - A difference of two doubles is rounded: the sum of all answers of a counter of fractions may differ from its value in the last
 *   digits. Counts are exact.
 *
 * The snapshots must be of one source, and that must not hide a series and show it again. Processes gathered by `gatherProcesses`
 * are such a source; a merge of whatever processes are there is not.
 */
export class SnapshotCursor {
  readonly #keepsUnchanged: boolean;
  #baseline = new Baseline();
  #formerMs = Number.NEGATIVE_INFINITY;

  constructor(options: CursorOptions = {}) {
    this.#keepsUnchanged = options.keepsUnchanged ?? false;
  }

  /** What came after the snapshot of the former call; all of it the first time. */
  next(snapshot: MetricsSnapshot): MetricsSnapshot {
    const families = snapshot.families.flatMap((family) => this.#familyOf(family));
    this.#baseline = new Baseline();
    for (const family of snapshot.families) this.#baseline.take(family, family.points);
    this.#formerMs = snapshot.atMs;
    return { ...snapshot, families };
  }

  #familyOf(family: MetricFamily): readonly MetricFamily[] {
    if (family.kind === "gauge" || family.kind === "window") return [family];
    const formerOf = this.#baseline.of(family);
    const points = (family.points as readonly SeriesPoint[])
      .map((point) => this.#difference(point, formerOf(point)))
      .filter((point) => this.#keepsUnchanged || !isNothing(point));
    if (points.length === 0 && !this.#keepsUnchanged) return [];
    // Each point is of the kind that it is the difference of.
    return [{ ...family, points } as MetricFamily];
  }

  #difference(point: SeriesPoint, former: SeriesPoint | undefined): SeriesPoint {
    if (former === undefined) return point;
    const startedMs = Math.max(point.startedMs, this.#formerMs);
    if ("value" in point && "value" in former) {
      // A sum that has left the doubles does not change any more; infinity less infinity is not that.
      const value = point.value === former.value ? 0 : point.value - former.value;
      return { ...point, startedMs, value };
    }
    if ("histogram" in point && "histogram" in former) {
      const histogram = subtractExponential(point.histogram, former.histogram);
      return { ...point, startedMs, histogram };
    }
    return point;
  }
}

function isNothing(point: SeriesPoint): boolean {
  if ("value" in point) return point.value === 0;
  return "histogram" in point && point.histogram.count === 0;
}

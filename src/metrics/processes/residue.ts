import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { eachPoint, type Steps } from "../snapshots/in-turns.js";
import type { FamilyConflict } from "../snapshots/merge.js";
import { SnapshotSum } from "../snapshots/merge.js";
import { keyOfPoint, type SeriesPoint } from "../snapshots/series-key.js";

type OnConflict = (conflict: FamilyConflict) => void;

/** Says whether a living process has the series now. */
export type IsHeld = (family: string, key: string) => boolean;

/**
 * What processes that are gone have counted, so that no sum goes back when one ends: their counters and histograms, and of the
 * gauges that are `latest` the one set last. What tells of the present (other gauges, windows, upDownCounters) goes with its process.
 *
 * At most `seriesMax` series that no living process has; what comes beyond is added to the family's overflow series, which keeps the
 * sum over all labels right.
 */
export class Residue {
  readonly #sum = new SnapshotSum();
  readonly #seriesMax: number;
  readonly #onConflict: OnConflict;

  constructor(seriesMax: number, onConflict: OnConflict) {
    this.#seriesMax = seriesMax;
    this.#onConflict = onConflict;
  }

  get seriesCount(): number {
    return this.#sum.seriesCount;
  }

  /** Families in the order, and of the shape, that living processes have. */
  declare(snapshot: MetricsSnapshot): void {
    const families = snapshot.families.map((family) => ({ ...family, points: [] }) as MetricFamily);
    this.#sum.add({ ...snapshot, families }, { onConflict: this.#onConflict });
  }

  /** Adds all that lasts of a process that is gone. */
  *fold(snapshot: MetricsSnapshot, isHeld: IsHeld): Steps<void> {
    for (const family of lastingOf(snapshot).families)
      yield* eachPoint<SeriesPoint>(family.points, (point) => {
        const admitted = this.#admitted(family, point, isHeld);
        if (admitted !== undefined) this.#add(snapshot, family, admitted);
      });
  }

  /**
   * A process stopped reporting a series, or began it anew: it had been idle for so long that its registry gave it up. What it had counted
   * stays in the sum while others count on; when nobody does, the series ends.
   *
   * @param hasBegunAnew whether the process has the series again
   */
  expire(
    snapshot: MetricsSnapshot,
    { family, point, hasBegunAnew }: ExpiredSeries,
    isHeldByOthers: boolean,
  ): void {
    const key = keyOfPoint(point);
    const isKnown = this.#sum.has(family.name, key);
    if (isHeldByOthers || (hasBegunAnew && isKnown)) this.#add(snapshot, family, point);
    else if (isKnown) this.#sum.delete(family.name, key);
  }

  /** A sum that starts with what is here, to add the living to; nothing may change here until it has ended. */
  copyInSteps(): Steps<SnapshotSum> {
    return this.#sum.copyInSteps();
  }

  /** Undefined for a gauge that there is no room for: gauges of different labels are nothing together. */
  #admitted(family: MetricFamily, point: SeriesPoint, isHeld: IsHeld): SeriesPoint | undefined {
    const key = keyOfPoint(point);
    const hasRoom = this.#sum.seriesCount < this.#seriesMax;
    if (hasRoom || this.#sum.has(family.name, key) || isHeld(family.name, key)) return point;
    if (family.kind === "gauge") return undefined;
    return { ...point, labels: family.labelNames.map(() => ""), isOverflow: true };
  }

  #add(snapshot: MetricsSnapshot, family: MetricFamily, point: SeriesPoint): void {
    // A point of the family it was taken from.
    const families = [{ ...family, points: [point] } as MetricFamily];
    this.#sum.add({ ...snapshot, families }, { onConflict: this.#onConflict });
  }
}

export interface ExpiredSeries {
  readonly family: MetricFamily;
  readonly point: SeriesPoint;
  readonly hasBegunAnew: boolean;
}

/** Counters and histograms of `former` that `newer` has no more, or only with a later start. */
export function* expiredSeries(
  former: MetricsSnapshot,
  newer: MetricsSnapshot,
): Steps<readonly ExpiredSeries[]> {
  const expired: ExpiredSeries[] = [];
  const families = new Map(newer.families.map((family) => [family.name, family]));
  for (const [index, family] of former.families.entries()) {
    if (!isCumulative(family) || (yield* continues(family, newer.families[index]))) continue;
    const points = new Map<string, SeriesPoint>();
    yield* eachPoint<SeriesPoint>(families.get(family.name)?.points ?? [], (point) => {
      points.set(keyOfPoint(point), point);
    });
    yield* eachPoint<SeriesPoint>(family.points, (point) => {
      const now = points.get(keyOfPoint(point));
      if (now !== undefined && now.startedMs <= point.startedMs) return;
      expired.push({ family, point, hasBegunAnew: now !== undefined });
    });
  }
  return expired;
}

/** The usual case, for which no map is needed: every series stands where it stood. */
function* continues(former: MetricFamily, newer: MetricFamily | undefined): Steps<boolean> {
  if (newer?.name !== former.name || newer.points.length < former.points.length) return false;
  let at = 0;
  let isSame = true;
  yield* eachPoint<SeriesPoint>(former.points, (point) => {
    const now = newer.points[at]!;
    at += 1;
    isSame &&= now.startedMs <= point.startedMs && keyOfPoint(now) === keyOfPoint(point);
  });
  return isSame;
}

export function isCumulative({ kind }: MetricFamily): boolean {
  return kind === "counter" || kind === "histogram";
}

/** What does not tell of the present only. */
export function lastingOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  const isLasting = (family: MetricFamily): boolean =>
    isCumulative(family) || (family.kind === "gauge" && (family.across ?? "latest") === "latest");
  return { ...snapshot, families: snapshot.families.filter(isLasting) };
}

import type { HistogramPoint, NumberPoint, WindowPoint } from "../snapshot.js";

/** A point of any family. */
export type SeriesPoint = NumberPoint | HistogramPoint | WindowPoint;

/**
 * A map key that is equal exactly for equal label values: each goes with its length, so that no value can look like the end of
 * another. The overflow series, of which a family has one, is told from a series whose labels are all empty.
 */
export function seriesKey(labels: readonly string[], isOverflow: boolean | undefined): string {
  if (isOverflow === true) return "+";
  let key = "";
  for (const label of labels) key += `${label.length}:${label}`;
  return key;
}

export function keyOfPoint(point: SeriesPoint): string {
  return seriesKey(point.labels, point.isOverflow);
}

import { summarizeWindow, type WindowSummary } from "../formats/window-summary.js";
import type { LabelObject } from "../options.js";
import type { HistogramPoint, MetricsSnapshot, NumberPoint, WindowPoint } from "../snapshot.js";

/** The series with exactly these labels; undefined when there is none, also when the metric has other labels. */
export function pointOf(
  snapshot: MetricsSnapshot,
  name: string,
  labels: LabelObject = {},
): NumberPoint | HistogramPoint | WindowPoint | undefined {
  const family = snapshot.families.find((one) => one.name === name);
  if (family === undefined || Object.keys(labels).length !== family.labelNames.length) return undefined;
  const wanted = family.labelNames.map((label) =>
    Object.hasOwn(labels, label) ? String(labels[label]) : undefined,
  );
  const points: readonly (NumberPoint | HistogramPoint | WindowPoint)[] = family.points;
  return points.find(
    (point) => point.isOverflow !== true && point.labels.every((value, n) => value === wanted[n]),
  );
}

/** Count, average, range and percentiles of a histogram or a window. */
export function summaryOf(point: HistogramPoint | WindowPoint): WindowSummary {
  if ("values" in point) return summarizeWindow(point.values);
  return summarizeWindow({ kind: "recent", forMs: 0, histogram: point.histogram });
}

import { mergeExponential } from "../../sketch/index.js";
import type { GaugeMerge, HistogramPoint, NumberPoint, WindowPoint } from "../snapshot.js";

/** After so many points there is a chance to let others have their turn: some 100 µs. */
const pointsPerPause = 500;

type Point = NumberPoint | HistogramPoint | WindowPoint;

/**
 * The points of a family with no two of one label set. Sets become the same when they are made UTF-8, which has no lone surrogates;
 * one set twice would make a scraper refuse everything. Yields where others may have a turn; returns the points in the order of
 * each one's first.
 */
export function* distinctPoints<P extends Point>(
  points: readonly P[],
  merge: (a: P, b: P) => P,
): Generator<undefined, readonly P[]> {
  const rough = new Set<string>();
  for (const [at, point] of points.entries()) {
    rough.add(roughKey(point));
    if (at % pointsPerPause === pointsPerPause - 1) yield;
  }
  // Joined values can be alike though the values differ, but never the other way round.
  if (rough.size === points.length) return points;
  const merged = new Map<string, P>();
  for (const [at, point] of points.entries()) {
    const key = JSON.stringify([point.isOverflow === true, ...point.labels.map(wellFormed)]);
    const earlier = merged.get(key);
    merged.set(key, earlier === undefined ? point : merge(earlier, point));
    if (at % pointsPerPause === pointsPerPause - 1) yield;
  }
  return [...merged.values()];
}

function roughKey({ labels, isOverflow }: Point): string {
  return wellFormed(`${isOverflow ? "+" : "-"}${labels.length === 1 ? labels[0] : labels.join("\u0000")}`);
}

/** As UTF-8 can hold it: a lone surrogate becomes U+FFFD. */
export function wellFormed(text: string): string {
  // In Node 20, and not yet in the ES2023 library types.
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

export function addNumbers(a: NumberPoint, b: NumberPoint): NumberPoint {
  return { ...a, value: a.value + b.value, startedMs: Math.min(a.startedMs, b.startedMs) };
}

export function mergeGauges(across: GaugeMerge = "latest"): (a: NumberPoint, b: NumberPoint) => NumberPoint {
  return (a, b) => {
    if (across === "latest") return (b.setMs ?? 0) >= (a.setMs ?? 0) ? b : a;
    if (across === "sum") return addNumbers(a, b);
    return { ...a, value: Math[across](a.value, b.value) };
  };
}

export function mergeHistograms(a: HistogramPoint, b: HistogramPoint): HistogramPoint {
  const histogram = mergeExponential(a.histogram, b.histogram);
  return { ...a, histogram, startedMs: Math.min(a.startedMs, b.startedMs) };
}

/** Of windows of one kind; of others, which no family has, the first stays. */
export function mergeWindows(a: WindowPoint, b: WindowPoint): WindowPoint {
  if (a.values.kind === "samples" && b.values.kind === "samples") {
    const sorted = [...a.values.sorted, ...b.values.sorted].sort((x, y) => x - y);
    return { ...a, values: { ...a.values, sorted } };
  }
  if (a.values.kind === "recent" && b.values.kind === "recent") {
    const histogram = mergeExponential(a.values.histogram, b.values.histogram);
    return { ...a, values: { ...a.values, histogram } };
  }
  return a;
}

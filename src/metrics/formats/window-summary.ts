import { quantileOf } from "../../sketch/index.js";
import type { WindowPoint } from "../snapshot.js";

/** What a window says of itself. */
export interface WindowSummary {
  /** Observations in the window. */
  readonly n: number;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** All but n are NaN when the window is empty. Percentiles are values of rank ceil(p * n): of samples exact, else as `quantileOf`. */
export function summarizeWindow(values: WindowPoint["values"]): WindowSummary {
  if (values.kind === "recent") {
    const { histogram } = values;
    const quantile = (q: number): number => quantileOf(histogram, q);
    const { count, sum, min, max } = histogram;
    return { n: count, avg: average(sum, { n: count, min, max }), min, max, ...percentiles(quantile) };
  }
  const { sorted } = values;
  const n = sorted.length;
  const rank = (q: number): number => sorted[Math.max(1, Math.ceil(q * n)) - 1] ?? Number.NaN;
  const [min, max] = [rank(0), rank(1)];
  let sum = 0;
  for (const value of sorted) sum += value;
  return { n, avg: average(sum, { n, min, max }), min, max, ...percentiles(rank) };
}

function percentiles(quantile: (q: number) => number): Pick<WindowSummary, "p50" | "p95" | "p99"> {
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}

/** Inside the range, out of which the rounding of the sum could carry it. */
export function average(
  sum: number,
  { n, min, max }: { readonly n: number; readonly min: number; readonly max: number },
): number {
  return n === 0 ? Number.NaN : Math.min(Math.max(sum / n, min), max);
}

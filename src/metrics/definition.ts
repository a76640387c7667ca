import type { GaugeMerge } from "./snapshot.js";

/** Everything that makes a metric what it is: what has to be the same wherever it is registered. */
export interface Definition {
  readonly name: string;
  readonly kind: "counter" | "upDownCounter" | "gauge" | "histogram" | "samples" | "recent";
  readonly help: string;
  readonly unit?: string;
  readonly labels: readonly string[];
  readonly seriesMax: number;
  readonly idleMs?: number;
  /** Of gauges. */
  readonly across?: GaugeMerge;
  /** Of histograms and recent windows. */
  readonly schema?: number;
  /** Of sample windows. */
  readonly samplesMax?: number;
  /** Of recent windows. */
  readonly forMs?: number;
  readonly slots?: number;
}

import type { Format, TimeFormat } from "../events/index.js";

/** Where a source's event time comes from. `arrival`: the store's clock when the bytes were taken. */
export type TimeRule =
  | { readonly kind: "field"; readonly path: string; readonly format: TimeFormat }
  | { readonly kind: "arrival" }
  | { readonly kind: "none" };

/** A source of events as the config names it; plain data. */
export interface SourceRule {
  readonly name: string;
  readonly format: Format;
  readonly time: TimeRule;
  /** CEL; events it does not hold for are dropped and counted as such. */
  readonly where?: string;
}

/** What a metric observes: CEL, or a field by its path, which may hold what CEL would read as operators. */
export type ValueRule = string | { readonly path: string };

export interface MetricRuleBase {
  readonly name: string;
  /** Names of sources; empty for all. */
  readonly from: readonly string[];
  /** Field paths. */
  readonly by: readonly string[];
  /** CEL; an event it does not hold for is not in this metric, and not dropped. */
  readonly where?: string;
  /** Groups kept. @default 10,000 */
  readonly groupsMax?: number;
  /** Spans to show by default, in milliseconds. */
  readonly windowsMs?: readonly number[];
}

export type MetricRule = MetricRuleBase &
  (
    | { readonly kind: "count" | "rate" }
    | { readonly kind: "sum" | "gauge" | "distribution"; readonly value: ValueRule; readonly unit: string }
    /** Share of `of`'s events for which `where` holds; has `of`'s sources and groups. */
    | { readonly kind: "ratio"; readonly of: string; readonly where: string }
  );

/** All that the fold needs; plain data, sent to threads. */
export interface Rules {
  readonly sources: readonly SourceRule[];
  readonly metrics: readonly MetricRule[];
  /** False keeps totals only, as `report` wants. @default true */
  readonly hasSlots?: boolean;
}

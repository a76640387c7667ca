import { type Clock, systemClock } from "../base/index.js";
import type { MetricFamily } from "../metrics/index.js";
import { Query } from "../pipeline/index.js";
import { defaultLevels, type SlotLevel, type Store } from "../store/index.js";
import { shippedRules } from "./definitions.js";

/** Answers windows, percentiles and totals of shipped metrics by their names, as for any others of the store. */
export function queryShipped(options: {
  readonly store: Store;
  /** Of a snapshot: only their names, kinds, units and labels count. */
  readonly families: readonly MetricFamily[];
  readonly clock?: Clock;
  /** Of the store. @default those that every store has by default */
  readonly levels?: readonly SlotLevel[];
}): Query {
  const { store, families, clock = systemClock, levels = defaultLevels } = options;
  return new Query({ store, rules: shippedRules(families), clock, levels });
}

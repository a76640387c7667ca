import type { MetricFamily } from "../metrics/index.js";
import type { Store } from "../store/index.js";
import { shippedRules } from "./definitions.js";

/** Makes families known to a store before anything of them is shipped, so that they can be asked for and are empty. */
export function defineShipped(store: Store, families: readonly MetricFamily[]): Promise<void> {
  return store.define(shippedRules(families).definitions);
}

import { randomUUID } from "node:crypto";
import { OptionError } from "../base/index.js";
import { Baseline } from "../metrics/index.js";
import type { Generation, Settlement, Store } from "../store/index.js";
import type { SeriesChange } from "./changes.js";

/** What was sent, and is sent again as it is until it is known whether it is in the store. */
export interface Pending {
  readonly settlement: Settlement & { readonly take: { readonly kind: "file" } };
  readonly changes: readonly SeriesChange[];
}

/** What of a registry is in a store: so long as both live, so that a shipping after another one goes on where that has left off. */
export class Progress {
  /** Name among the watermarks of its source. */
  readonly instance: string = randomUUID();
  readonly baseline: Baseline = new Baseline();
  generation: Generation | undefined;
  /** Number that the next settlement takes, by source. */
  readonly next: Map<string, number> = new Map();
  pending: Pending | undefined;
  isTaken = false;
}

const known = new WeakMap<object, WeakMap<Store, Progress>>();

/**
 * The progress of a registry in a store, to be given back by `isTaken = false`.
 * @throws OptionError when another shipping has it: all that both send would count twice
 */
export function takeProgress(registry: object, store: Store): Progress {
  const stores = known.get(registry) ?? new WeakMap<Store, Progress>();
  known.set(registry, stores);
  const progress = stores.get(store) ?? new Progress();
  stores.set(store, progress);
  if (progress.isTaken)
    throw new OptionError("registry", "Cannot ship registry: it is being shipped to this store already");
  progress.isTaken = true;
  return progress;
}

import type { Clock, NoticeSink } from "../../base/index.js";
import type { StoreLimits } from "../options.js";

/**
 * What a resolved settlement has outlived. `interval`: the death of its process, by `kill -9` too; a power failure takes
 * back at most the last second, state and watermarks together, so that followed files are read again from there.
 * `always`: a power failure as well.
 */
export type Durability = "interval" | "always";

export interface LmdbStoreOptions extends StoreLimits {
  /** Folder of the store; made if absent. Must be on a local disk. */
  readonly path: string;
  /** @default "interval" */
  readonly durability?: Durability;
  /** How long to wait for another owner to end, in milliseconds (0..60_000). @default 500 */
  readonly ownerWaitMs?: number;
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
}

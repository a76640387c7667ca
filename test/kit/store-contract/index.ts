import { changes } from "./changes.js";
import { claims } from "./claims.js";
import { failures } from "./failures.js";
import { faults } from "./faults.js";
import { gates } from "./gates.js";
import { keyed } from "./keyed.js";
import type { OpenStore } from "./lab.js";
import { model } from "./model.js";
import { slots } from "./slots.js";
import { stream } from "./stream.js";

export type { OpenStore } from "./lab.js";

export interface StoreCapabilities {
  /** Frames, leases and retries. @default true */
  readonly hasStream?: boolean;
  /** Claims and the lanes under them. @default true */
  readonly hasClaims?: boolean;
  /** Whether `onWrite` can be called, which a store in a thread of its own can't. @default true */
  readonly hasFaults?: boolean;
}

/** The guarantees of a store, each as a test; `open` gives a new and empty one each time. */
export function storeContract(name: string, open: OpenStore, capabilities: StoreCapabilities = {}): void {
  gates(name, open);
  slots(name, open);
  failures(name, open);
  keyed(name, open);
  changes(name, open);
  model(name, open);
  if (capabilities.hasFaults !== false) faults(name, open);
  if (capabilities.hasStream !== false) stream(name, open);
  if (capabilities.hasClaims !== false) claims(name, open);
}

import type { MessagePort } from "node:worker_threads";
import type { PackedError } from "../../base/index.js";
import type { LocalStoreOptions } from "./local-store.js";

/** What the store's thread gets as `workerData`. */
export interface StoreThreadData {
  readonly port: MessagePort;
  /** Whether the caller's time comes with each call. */
  readonly isClockRelayed: boolean;
  readonly options: Omit<LocalStoreOptions, "clock" | "notices" | "onWrite">;
}

/** The thread's one message to its parent; all else goes over the port. */
export type Opening = { readonly kind: "opened" } | { readonly kind: "failed"; readonly error: PackedError };

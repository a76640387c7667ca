import type { WriteSet } from "./tables.js";

/**
 * Where the steps of a store are kept beyond its memory: the one thing in which stores over tables differ. At opening
 * the implementation decodes what it had kept (`decodeRecord`) into `emptyTables()` and gives the tables to the core.
 */
export interface Persistence {
  /**
   * Keeps all of the writes, or throws and keeps none. Synchronous, so that no other step comes between a step's
   * checks and its effect.
   */
  write(writes: WriteSet): void;
  /** Resolves when everything written so far is durable at the store's level; rejects when it can't become so. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

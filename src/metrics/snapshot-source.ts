import type { MetricsSnapshot } from "./snapshot.js";

/** Whatever takes snapshots: a registry, or the gathered processes. */
export interface SnapshotSource {
  /** At once, however long it takes. */
  snapshot(): MetricsSnapshot;
  /** As `snapshot`, but begun after the call and made in turns of the event loop. Used in its place where waiting is possible. */
  collect?(): Promise<MetricsSnapshot>;
}

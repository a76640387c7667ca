import type { MetricsSnapshot } from "./snapshot.js";

/** Whatever takes snapshots: a registry, or the gathered processes. */
export interface SnapshotSource {
  snapshot(): MetricsSnapshot;
}

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type Notice, packError, systemClock } from "../../base/index.js";
import { hostStore, RelayedClock } from "../host-store.js";
import { openLocalStore } from "./local-store.js";
import type { Opening, StoreThreadData } from "./thread-protocol.js";

const { port, isClockRelayed, options } = workerData as StoreThreadData & { readonly port: MessagePort };
const clock = isClockRelayed ? new RelayedClock() : undefined;

try {
  const store = await openLocalStore({
    ...options,
    clock: clock ?? systemClock,
    notices: (notice: Notice) => port.postMessage({ kind: "notice", notice }),
  });
  hostStore(port, store, clock === undefined ? {} : { clock });
  parentPort?.postMessage({ kind: "opened" } satisfies Opening);
} catch (error) {
  parentPort?.postMessage({ kind: "failed", error: packError(error) } satisfies Opening);
  port.close();
}

import { MessageChannel } from "node:worker_threads";
import { storeContract } from "../../test/kit/store-contract/index.js";
import { hostStore, RelayedClock } from "./host-store.js";
import { openMemoryStore } from "./memory/memory-store.js";
import { RemoteStore } from "./remote-store.js";

storeContract("memory at the far end of a port", async ({ clock, ...options }) => {
  const { port1, port2 } = new MessageChannel();
  const relayed = new RelayedClock();
  hostStore(port2, openMemoryStore({ ...options, clock: relayed }), { clock: relayed });
  return new RemoteStore(port1, clock === undefined ? {} : { clock });
});

import { randomUUID } from "node:crypto";
import type { Store } from "../contract.js";
import type { StoreOptions } from "../options.js";
import type { Persistence } from "../persistence.js";
import { TableStore } from "../table-store.js";
import { emptyTables } from "../tables.js";

/** A store that is gone with its process; a new generation at each opening. @throws OptionError */
export function openMemoryStore(options: StoreOptions = {}): Store {
  const { onWrite } = options;
  const persistence: Persistence = {
    write(writes) {
      for (let index = 0; index < writes.length; index += 1) onWrite?.(index);
    },
    flushed: async () => {},
    close: async () => {},
  };
  const newGeneration = randomUUID();
  return new TableStore({
    kind: "memory",
    durability: "none",
    options,
    tables: emptyTables(),
    persistence,
    newGeneration,
  });
}

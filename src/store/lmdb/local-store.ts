import { randomUUID } from "node:crypto";
import { type Clock, ignoreNotices, type NoticeSink, systemClock } from "../../base/index.js";
import type { Store } from "../contract.js";
import { metaKey } from "../keys.js";
import type { StoreLimits } from "../options.js";
import type { Persistence } from "../persistence.js";
import { TableStore } from "../table-store.js";
import type { Tables } from "../tables.js";
import { openTables } from "./open-tables.js";
import type { Durability } from "./options.js";
import { type Owner, type Ownership, takeOwnership } from "./ownership.js";

export interface LocalStoreOptions {
  readonly directory: string;
  readonly durability: Durability;
  readonly limits: StoreLimits;
  readonly owner: Owner;
  readonly ownerWaitMs: number;
  /** What the store takes the time from. @default the system's */
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
  /** As in StoreOptions. For tests. */
  readonly onWrite?: (index: number) => void;
}

/**
 * Opens the store in this thread, which every step and checkpoint then holds up for as long as it takes.
 * @throws StoreLockedError, StoreCorruptError, StoreVersionError, StoreAccessError, StoreFullError
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  const { directory, durability, limits, owner, ownerWaitMs } = options;
  const notices = options.notices ?? ignoreNotices;
  const ownership = await takeOwnership({ directory, owner, clock: systemClock, waitMs: ownerWaitMs });
  let persistence: Persistence | undefined;
  try {
    const opened = await openTables({
      directory,
      durability,
      clock: systemClock,
      notices,
      ...(options.onWrite === undefined ? {} : { onWrite: options.onWrite }),
    });
    persistence = releasing(opened.persistence, ownership);
    if (opened.isRolledBack) renewGeneration(opened.tables, persistence, notices);
    return new TableStore({
      kind: "lmdb",
      durability,
      options: { ...limits, clock: options.clock ?? systemClock },
      tables: opened.tables,
      persistence,
      newGeneration: randomUUID(),
    });
  } catch (error) {
    await (persistence?.close() ?? ownership.release());
    throw error;
  }
}

/** The next owner may come only when everything is closed. */
function releasing(persistence: Persistence, ownership: Ownership): Persistence {
  return {
    write: (writes) => persistence.write(writes),
    flushed: () => persistence.flushed(),
    async close() {
      try {
        await persistence.close();
      } finally {
        await ownership.release();
      }
    },
  };
}

/** Whoever had seen later versions must notice that they are gone. */
function renewGeneration(tables: Tables, persistence: Persistence, notices: NoticeSink): void {
  const meta = tables.meta.get(metaKey);
  if (meta === undefined) return;
  const record = { ...meta, generation: randomUUID() };
  persistence.write([{ table: "meta", key: metaKey, record }]);
  tables.meta.set(metaKey, record);
  notices({
    name: "store.rolled-back",
    level: "warn",
    message:
      "The machine went down while the store was open, or an older copy was put back: the newest state and watermarks may have been taken back, files are read again from there",
  });
}

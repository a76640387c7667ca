import { closeSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, NoticeSink } from "../../base/index.js";
import { codeOf, messageOf } from "../../base/index.js";
import { emptyTables, type Records, type TableName, type Tables } from "../tables.js";
import { openingError } from "./disk-error.js";
import { type Environment, type Header, openEnvironment, readHeader, writeHeader } from "./environment.js";
import { StoreCorruptError, StoreFullError } from "./errors.js";
import { LmdbPersistence } from "./lmdb-persistence.js";
import type { Durability } from "./options.js";
import { decodeStored } from "./record-bytes.js";
import { RedoLog, recoverLog } from "./redo-log.js";

export interface OpenTablesOptions {
  readonly directory: string;
  readonly durability: Durability;
  /** For the pauses between checkpoints. */
  readonly clock: Clock;
  readonly notices: NoticeSink;
  readonly checkpointBytes?: number;
  readonly onWrite?: (index: number) => void;
  readonly onPut?: (index: number) => void;
}

export interface OpenedTables {
  readonly tables: Tables;
  readonly persistence: LmdbPersistence;
  /** The machine went down while the store was open, or an older copy was put back: settled steps may be missing, the generation must change. */
  readonly isRolledBack: boolean;
}

/**
 * Everything that was committed in the directory, brought together: the database and what the log has beyond it.
 * The directory must be this process's own.
 * @throws StoreCorruptError, StoreVersionError, StoreAccessError, StoreFullError
 */
export async function openTables(options: OpenTablesOptions): Promise<OpenedTables> {
  const { directory, notices } = options;
  const environment = openEnvironment(join(directory, "state.mdb"));
  let log: RedoLog | undefined;
  try {
    const header = readHeader(environment);
    const logPath = join(directory, "state.log");
    log = new RedoLog(logPath);
    const bootId = currentBootId();
    const persistence = new LmdbPersistence({
      ...options,
      environment,
      log,
      header: { ...header, bootId },
    });
    const isDetached = recover(persistence, { logPath, header, notices });
    markOpen(environment, bootId);
    if (!persistence.checkpoint()) throw new StoreFullError(environment.path, "its log has no room left");
    syncDirectory(directory);
    const isRolledBack = isDetached || (header.isOpen && (bootId === "" || bootId !== header.bootId));
    return { tables: loadTables(environment), persistence, isRolledBack };
  } catch (error) {
    log?.close();
    await environment.root.close();
    throw openingError(error, environment.path);
  }
}

function recover(
  persistence: LmdbPersistence,
  { logPath, header, notices }: { logPath: string; header: Header; notices: NoticeSink },
): boolean {
  const { steps, isDetached } = recoverLog(logPath, header.sequence);
  for (const { sequence, writes } of steps) persistence.adopt(sequence, writes);
  if (steps.length > 0)
    notices({
      name: "store.recovered",
      level: "info",
      data: { steps: steps.length },
      message: `Recovered ${steps.length} steps of a run that was not closed`,
    });
  if (isDetached)
    notices({
      name: "store.log-skipped",
      level: "warn",
      message: "Skipped the store's log: it begins later than its database ends",
    });
  return isDetached;
}

function markOpen(environment: Environment, bootId: string): void {
  environment.root.transactionSync(() => {
    writeHeader(environment.root, { ...readHeader(environment), bootId, isOpen: true });
  });
}

/** @throws StoreCorruptError when anything is not as it was written */
function loadTables({ path, records }: Environment): Tables {
  const tables = emptyTables();
  try {
    for (const { key, value } of records.getRange({})) {
      const stored = decodeStored(key, value);
      (tables[stored.table] as Map<string, Records[TableName]>).set(stored.key, stored.record);
    }
  } catch (error) {
    throw new StoreCorruptError(path, messageOf(error), error);
  }
  return tables;
}

/** The same as long as the machine runs; empty where that can't be told. */
function currentBootId(): string {
  if (process.platform !== "linux") return "";
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "EACCES") return "";
    throw error;
  }
}

/** Without it a power failure could take back the making of the files themselves. */
function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

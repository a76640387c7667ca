import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, messageOf, PoundlockError } from "../../base/index.js";
import { StoreAccessError, StoreCorruptError, StoreFullError } from "./errors.js";

/** ENOSPC, EDQUOT, EFBIG by number, a map that can't grow, and the names that Node gives. */
const fullCodes: ReadonlySet<number | string> = new Set([28, 122, 27, -30_792, "ENOSPC", "EDQUOT", "EFBIG"]);
const inputOutputError = 5;
const spareBytesMin = 4 * 1024 * 1024;

/** Page not found, page of the wrong kind, not a database. */
const corruptCodes: ReadonlySet<number | string> = new Set([-30_797, -30_796, -30_793]);

/** LMDB's codes are numbers. */
function anyCodeOf(error: unknown): number | string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "number" ? code : codeOf(error);
}

/** LMDB reports a write cut short by a full disk as an input/output error, so the disk itself is asked. */
export function isDiskFull(error: unknown, path: string): boolean {
  const code = anyCodeOf(error);
  if (fullCodes.has(code)) return true;
  if (code !== inputOutputError) return false;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < spareBytesMin;
  } catch {
    // A folder that is gone is not full.
    return false;
  }
}

/** What stopped an opening, in the store's words. */
export function openingError(error: unknown, path: string): PoundlockError {
  if (error instanceof PoundlockError) return error;
  if (corruptCodes.has(anyCodeOf(error))) return new StoreCorruptError(path, messageOf(error), error);
  return isDiskFull(error, path) ? new StoreFullError(path, error) : new StoreAccessError(path, error);
}

import { PoundlockError } from "../../base/index.js";

/** Another process, or another part of this one, has the store open. */
export class StoreLockedError extends PoundlockError {
  readonly code = "STORE_LOCKED";
  override readonly retryable = true;
  readonly path: string;
  /** Process that owns it; undefined when it didn't answer in time. */
  readonly pid: number | undefined;

  constructor(path: string, owner: { readonly pid: number; readonly command: string } | undefined) {
    const who =
      owner === undefined ? "a process that does not answer" : `process ${owner.pid} (${owner.command})`;
    super(`Cannot open store ${path}: it is owned by ${who}`, {
      hint: "Stop that process, or give this one another store path; commands that only read ask the running server instead.",
    });
    this.path = path;
    this.pid = owner?.pid;
  }
}

/** What lies at the store's path is not a store, or one that was damaged. It was not touched. */
export class StoreCorruptError extends PoundlockError {
  readonly code = "STORE_CORRUPT";
  readonly path: string;

  constructor(path: string, state: string, cause?: unknown) {
    super(`Cannot open store ${path}: ${state}`, {
      cause,
      hint: "Restore a copy, or move the folder away to begin anew: followed files that still exist are then read again from their start.",
    });
    this.path = path;
  }
}

/** The store was written in a layout that this version of Poundlock doesn't know. It was not touched. */
export class StoreVersionError extends PoundlockError {
  readonly code = "STORE_VERSION";
  readonly path: string;

  constructor(path: string, found: string, known: string) {
    super(`Cannot open store ${path}: its layout is ${found}, known is ${known}`, {
      hint: "Use the version of Poundlock that wrote it, or give this one another store path.",
    });
    this.path = path;
  }
}

/** The store's folder can't be made, read or written. */
export class StoreAccessError extends PoundlockError {
  readonly code = "STORE_ACCESS";
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`Cannot open store ${path}: ${reasonOf(cause)}`, {
      cause,
      hint: "The folder must be on a local disk, and readable and writable for this user.",
    });
    this.path = path;
  }
}

/** There was no room for a step; nothing of it happened, and the store goes on when there is room again. */
export class StoreFullError extends PoundlockError {
  readonly code = "STORE_FULL";
  override readonly retryable = true;
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`Cannot write store ${path}: ${reasonOf(cause)}`, {
      cause,
      hint: "Free some space on that disk; nothing is lost, reading goes on from the last settled place.",
    });
    this.path = path;
  }
}

/** A write failed in a way that leaves open what is on disk, so the store takes no more of them. */
export class StoreFailedError extends PoundlockError {
  readonly code = "STORE_FAILED";
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`Cannot write store ${path}: ${reasonOf(cause)}`, {
      cause,
      hint: "Check the disk and start again: everything up to the last completed write is kept.",
    });
    this.path = path;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

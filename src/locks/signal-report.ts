import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { messageOf } from "../base/index.js";
import { reportDomains } from "./domains.js";
import { LockReportError } from "./errors.js";
import { locksDocument } from "./report/index.js";

export interface SignalReportOptions {
  /** Made when it is not there. `poundlock locks --pid` looks in `.poundlock` of the working directory. */
  readonly folder: string;
  /** Whether the file is written once more at exit and stays, for `poundlock locks merge`. @default false */
  readonly keepAtExit?: boolean;
  /** @default "SIGUSR2" */
  readonly signal?: NodeJS.Signals;
}

/** Where a process writes its report. */
export function signalReportPath(folder: string, pid: number): string {
  return join(folder, `poundlock-locks-${pid}.json`);
}

/**
 * Writes `poundlock-locks-<pid>.json` into the folder, now and whenever the signal comes: the locks of the main thread, as
 * `poundlock locks --json` prints them. The file is there from the start because it says that the signal may be sent: a process that does not
 * listen to SIGUSR2 dies of it. It is replaced in one step, readable by its owner alone, and removed at exit unless it is to be kept.
 *
 * @returns ends it and removes the file; may be called twice
 * @throws LockReportError in another thread, which gets no signals, or when the folder can't be written to
 */
export function reportOnSignal(options: SignalReportOptions): () => void {
  const { folder, signal = "SIGUSR2", keepAtExit = false } = options;
  if (!isMainThread)
    throw new LockReportError("Cannot report locks on a signal: only the main thread gets signals");
  const path = signalReportPath(folder, process.pid);
  try {
    mkdirSync(folder, { recursive: true });
    writeReport(path);
  } catch (error) {
    throw new LockReportError(
      `Cannot report locks on a signal: ${path} can't be written: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const onSignal = (): void => {
    try {
      writeReport(path);
    } catch (error) {
      process.emitWarning(`${path} can't be written: ${messageOf(error)}`, "PoundlockWarning");
    }
  };
  const onExit = (): void => (keepAtExit ? onSignal() : stop());
  const stop = (): void => {
    process.off(signal, onSignal);
    process.off("exit", onExit);
    rmSync(path, { force: true });
  };
  process.on(signal, onSignal);
  process.on("exit", onExit);
  return stop;
}

/** Beside its place and then there, so that nobody reads half of it. */
function writeReport(path: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${JSON.stringify(locksDocument(reportDomains()))}\n`, { mode: 0o600 });
  // The mode counts only for a file that is new.
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}

const place: unique symbol = Symbol.for("poundlock.locks.environment.1") as never;

/** With POUNDLOCK_LOCKS_FOLDER in its environment, a process reports its locks there without a line of code, and keeps the report at exit. */
export function reportFromEnvironment(): void {
  const here = globalThis as { [place]?: true };
  const folder = process.env.POUNDLOCK_LOCKS_FOLDER;
  if (here[place] === true || folder === undefined || folder === "" || !isMainThread) return;
  here[place] = true;
  try {
    reportOnSignal({ folder, keepAtExit: true });
  } catch (error) {
    process.emitWarning(messageOf(error), "PoundlockWarning");
  }
}

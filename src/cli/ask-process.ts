import { readFile, stat } from "node:fs/promises";
import { type Clock, codeOf, messageOf, pause } from "../base/index.js";
import { isLocksDocument, type LocksDocument, signalReportPath } from "../locks/index.js";
import { UnreachableError } from "./errors.js";

/** A process that needs longer is too busy to answer, or stopped. */
const answerMs = 5_000;
const lookAgainMs = 20;
/** Of SIGUSR2 in the masks of /proc on Linux: signal 12 is bit 11. */
const sigusr2Bit = 1n << 11n;

/**
 * Has a process write its report, and reads it. Only one whose file is there already is sent the signal, because any other would die of it.
 *
 * @throws UnreachableError when it does not report its locks, is gone or does not answer
 */
export async function askProcess(options: {
  readonly pid: number;
  readonly folder: string;
  readonly clock: Clock;
}): Promise<LocksDocument> {
  const { pid, folder, clock } = options;
  const path = signalReportPath(folder, pid);
  const before = await stampOf(path);
  if (before === undefined)
    throw new UnreachableError(`Cannot ask process ${pid}: it does not report its locks in ${folder}`, {
      hint: "call reportOnSignal({ folder }) of poundlock/locks in it, and give its folder with --folder",
    });
  await assertListens(pid);
  signal(pid);
  const untilMs = clock.monotonicMs() + answerMs;
  while ((await stampOf(path)) === before) {
    if (clock.monotonicMs() > untilMs)
      throw new UnreachableError(`Cannot ask process ${pid}: it did not answer in ${answerMs / 1000} s`, {
        hint: "its event loop is blocked, or it is stopped",
      });
    await pause(clock, lookAgainMs);
  }
  const document: unknown = JSON.parse(await readFile(path, "utf8"));
  if (isLocksDocument(document)) return document;
  throw new UnreachableError(`Cannot read ${path}: it is no report of locks that this version knows`);
}

/** Changes whenever the file is replaced. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UnreachableError(`Cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** A file may be left over from a killed process whose number another one has by now. */
async function assertListens(pid: number): Promise<void> {
  let status: string;
  try {
    status = await readFile(`/proc/${pid}/status`, "latin1");
  } catch {
    // Not Linux, or gone: the signal itself will tell.
    return;
  }
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (caught === undefined || (BigInt(`0x${caught}`) & sigusr2Bit) !== 0n) return;
  throw new UnreachableError(`Cannot ask process ${pid}: it does not listen to SIGUSR2 and would die of it`, {
    hint: "the report's file is left over from a process that had this number before",
  });
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGUSR2");
  } catch (error) {
    const why = codeOf(error) === "ESRCH" ? "there is no such process" : messageOf(error);
    throw new UnreachableError(`Cannot ask process ${pid}: ${why}`, { cause: error });
  }
}

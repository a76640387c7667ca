import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** How commands find the server that runs in this folder; mode 0600, because it holds the token. */
export interface RunFile {
  readonly pid: number;
  readonly port: number;
  readonly host: string;
  readonly token: string;
  readonly startedMs: number;
}

/** On the same machine: a server that needs longer to say that it is there is as good as not there. */
const healthMs = 1_000;

export function runFilePath(folder: string): string {
  return join(folder, ".poundlock", "run.json");
}

export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

/** Written beside its place and moved there, so that nobody reads half of it. */
export async function writeRunFile(folder: string, run: RunFile): Promise<void> {
  const path = runFilePath(folder);
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(run)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

/** The server that a run file names; undefined when there is none, or its process is gone. */
export async function readRunFile(folder: string): Promise<RunFile | undefined> {
  let run: RunFile;
  try {
    run = JSON.parse(await readFile(runFilePath(folder), "utf8")) as RunFile;
  } catch {
    return undefined;
  }
  const isWhole = Number.isInteger(run?.pid) && run.pid > 0 && Number.isInteger(run.port);
  return isWhole && isAlive(run.pid) ? run : undefined;
}

/** A server that answers where the run file says; a process alone could be another program that got its number. */
export async function runningServer(folder: string): Promise<RunFile | undefined> {
  const run = await readRunFile(folder);
  if (run === undefined || run.pid === process.pid) return undefined;
  const signal = AbortSignal.timeout(healthMs);
  const isThere = await fetch(`${serverBase(run)}/healthz`, { signal, redirect: "error" }).then(
    ({ ok }) => ok,
    () => false,
  );
  return isThere ? run : undefined;
}

/** A server that listens on all addresses is reached on this machine's own. */
export function serverBase({ host, port }: RunFile): string {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
}

/** Removes the run file if it is still this process's own. */
export async function removeRunFile(folder: string): Promise<void> {
  const run = await readRunFile(folder);
  if (run?.pid === process.pid) await rm(runFilePath(folder), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

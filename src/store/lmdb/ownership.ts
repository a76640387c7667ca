import { createHash } from "node:crypto";
import { mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, codeOf, pause } from "../../base/index.js";
import { StoreAccessError, StoreLockedError } from "./errors.js";

/** What an owner says about itself to whoever comes second. */
export interface Owner {
  readonly pid: number;
  /** The command line without the interpreter. */
  readonly command: string;
}

export interface OwnershipOptions {
  readonly directory: string;
  readonly owner: Owner;
  readonly clock: Clock;
  /** How long to wait for an owner that may be about to end, in milliseconds. */
  readonly waitMs: number;
}

/** Proof of being the directory's only owner; ends with the process at the latest, however it dies. */
export interface Ownership {
  release(): Promise<void>;
}

/** An owner answers within its event loop's longest pause; one that is stopped never does. */
const answerMsMax = 1_000;
const retryMs = 50;

/**
 * Makes the directory if needed and takes it for this process. A bound socket is the proof: the operating system gives
 * it to one process only and takes it back the moment that process is gone, so there is nothing stale to clean up.
 * @throws StoreLockedError, StoreAccessError
 */
export async function takeOwnership(options: OwnershipOptions): Promise<Ownership> {
  const { directory, clock } = options;
  const address = addressOf(directory);
  const deadlineMs = clock.monotonicMs() + options.waitMs;
  for (;;) {
    const server = await bind(address, options.owner);
    if (server !== undefined) return { release: () => closed(server) };
    const owner = await askOwner(address, clock);
    if (owner === "gone") removeStale(address);
    else if (clock.monotonicMs() >= deadlineMs) throw new StoreLockedError(directory, owner);
    await pause(clock, retryMs);
  }
}

/** By device and inode, so that links and other spellings of the path meet at one address. */
function addressOf(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { dev, ino } = statSync(directory, { bigint: true });
    const path = process.platform === "win32" ? realpathSync.native(directory).toLowerCase() : "";
    const name = `poundlock-store-${createHash("sha256").update(`${dev}:${ino}:${path}`).digest("hex").slice(0, 32)}`;
    if (process.platform === "linux") return `\0${name}`;
    if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
    return join(tmpdir(), `${name}.sock`);
  } catch (error) {
    throw new StoreAccessError(directory, error);
  }
}

/** Undefined when the address is taken. */
function bind(address: string, owner: Owner): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((caller) => {
      caller.on("error", () => caller.destroy());
      caller.end(`${JSON.stringify(owner)}\n`);
    });
    server.once("error", (error) => (codeOf(error) === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen({ path: address, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** `gone`: nobody listens there any more. Undefined: somebody does and keeps silent. */
function askOwner(address: string, clock: Clock): Promise<Owner | "gone" | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path: address });
    let answer = "";
    const finish = (owner: Owner | "gone" | undefined): void => {
      cancel();
      socket.destroy();
      resolve(owner);
    };
    const cancel = clock.after(answerMsMax, () => finish(undefined));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("end", () => finish(parseOwner(answer)));
    socket.on("error", (error) => {
      const isGone = codeOf(error) === "ECONNREFUSED" || codeOf(error) === "ENOENT";
      finish(isGone ? "gone" : undefined);
    });
  });
}

function parseOwner(answer: string): Owner | undefined {
  try {
    const { pid, command } = JSON.parse(answer) as Partial<Owner>;
    return typeof pid === "number" && typeof command === "string" ? { pid, command } : undefined;
  } catch {
    return undefined;
  }
}

/** Only sockets that are files outlive their process; elsewhere there is nothing to remove. */
function removeStale(address: string): void {
  if (process.platform !== "linux" && process.platform !== "win32") rmSync(address, { force: true });
}

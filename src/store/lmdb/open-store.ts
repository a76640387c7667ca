import { once } from "node:events";
import { basename, resolve } from "node:path";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { ignoreNotices, integerOption, systemClock, unpackError } from "../../base/index.js";
import type { Store } from "../contract.js";
import { StoreDiedError } from "../errors.js";
import { resolveLimits } from "../options.js";
import { RemoteStore } from "../remote-store.js";
import type { LmdbStoreOptions } from "./options.js";
import type { Owner } from "./ownership.js";
import type { Opening, StoreThreadData } from "./thread-protocol.js";

/**
 * Opens the embedded store in a thread of its own, so that neither a step nor the disk ever holds up the caller's event
 * loop. One process owns a folder at a time; the ownership ends with the process, however it ends.
 *
 * - Errors arrive as RemoteError with the code: STORE_LOCKED, STORE_CORRUPT, STORE_VERSION, STORE_ACCESS, STORE_FULL.
 * - If the thread dies every pending and later call rejects with STORE_DIED.
 * - An idle store does not keep the process alive.
 * @throws OptionError
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const notices = options.notices ?? ignoreNotices;
  const { port1, port2 } = new MessageChannel();
  const workerData = threadData(options, port2);
  const thread = new Worker(new URL("./store.thread.js", import.meta.url), {
    workerData,
    transferList: [port2],
    name: "poundlock-store",
    // Not the process's own: some of them, such as --input-type, stop a thread from loading a file.
    execArgv: [],
  });
  const death = new Promise<Error>((tell) => {
    thread.once("error", (error) => tell(new StoreDiedError(error)));
    thread.once("exit", () => tell(new StoreDiedError()));
  });
  const remote = new RemoteStore(port1, { clock: options.clock ?? systemClock, notices, death });
  const opening = once(thread, "message") as Promise<[Opening]>;
  const [opened] = await Promise.race([opening, death.then((error) => Promise.reject(error))]);
  if (opened.kind === "failed") throw unpackError(opened.error);
  thread.unref();
  return remote;
}

function threadData(options: LmdbStoreOptions, port: MessagePort): StoreThreadData {
  const { path, durability, ownerWaitMs, clock, notices: _notices, ...limits } = options;
  resolveLimits(limits);
  return {
    port,
    isClockRelayed: clock !== undefined && clock !== systemClock,
    options: {
      directory: resolve(path),
      durability: durability ?? "interval",
      limits,
      owner: thisProcess(),
      ownerWaitMs: integerOption("ownerWaitMs", ownerWaitMs, { default: 500, min: 0, max: 60_000 }),
    },
  };
}

function thisProcess(): Owner {
  const [, script, ...rest] = process.argv;
  return { pid: process.pid, command: [basename(script ?? "node"), ...rest].join(" ") };
}

import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "./context.js";
import { UnreachableError } from "./errors.js";
import type { Reader } from "./reader.js";
import type { ReaderOptions } from "./reader-options.js";
import { readRunFile, serverBase } from "./run-file.js";
import { ServerReader } from "./server-reader.js";

/**
 * The server that was named, or the one that runs in this folder; else the store that the configuration names, opened here
 * and said so.
 *
 * @throws UnreachableError when there is neither
 */
export async function openReader(options: ReaderOptions, context: Context): Promise<Reader> {
  const { environment, folder, terminal } = context;
  const server = await findServer(options, context);
  if (server !== undefined) return server;
  const { findConfig, loadConfig } = await import("../config/index.js");
  const file = options.config ?? (await findConfig(folder).catch(() => undefined));
  if (file === undefined) {
    throw new UnreachableError(
      `Cannot find a server: none runs in ${folder}, and there is no configuration`,
      {
        hint: "start one with `poundlock FILE`, or name one with --server URL",
      },
    );
  }
  const config = await loadConfig(resolve(folder, file), environment);
  if (config.store.kind !== "lmdb") {
    throw new UnreachableError("Cannot find a server: none runs here, and the store is in memory only");
  }
  const { path } = config.store;
  await access(path).catch(() => {
    throw new UnreachableError(`Cannot find a server: none runs here, and there is no store at ${path} yet`, {
      hint: "start one with `poundlock up`",
    });
  });
  const { openStoreReader } = await import("./store-reader.js");
  const reader = await openStoreReader(config, context);
  terminal.say(`no server is running: reading the store at ${path}`);
  return reader;
}

/** The server that was named, or unless a configuration is named the one that runs in this folder. */
export async function findServer(
  options: ReaderOptions,
  context: Context,
): Promise<ServerReader | undefined> {
  const { environment, folder } = context;
  const named = options.server ?? environment.POUNDLOCK_SERVER;
  if (named !== undefined && named !== "")
    return new ServerReader(checkUrl(named), environment.POUNDLOCK_TOKEN);
  const run = options.config === undefined ? await readRunFile(folder) : undefined;
  return run === undefined ? undefined : new ServerReader(serverBase(run), run.token);
}

function checkUrl(text: string): string {
  const url = /^\d+$/.test(text)
    ? `http://127.0.0.1:${text}`
    : text.includes("://")
      ? text
      : `http://${text}`;
  if (URL.canParse(url)) return url;
  throw new UnreachableError(`Cannot reach a server at ${text}: that is no URL`, {
    hint: "--server http://127.0.0.1:4600",
  });
}

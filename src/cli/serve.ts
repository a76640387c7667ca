import { pause } from "../base/index.js";
import type { LoadedConfig, ServerChoice } from "../config/index.js";
import { type Engine, openEngine, packageVersion } from "../engine/index.js";
import { isLoopback } from "../server/index.js";
import { type LedgerRow, sumLedger } from "../store/index.js";
import type { Context } from "./context.js";
import { equation } from "./ledger-text.js";
import { listen } from "./listen.js";
import { sayNotices } from "./notice-text.js";
import { spanText } from "./numbers.js";
import type { CommonOptions, ProgressOptions } from "./options.js";
import { newToken, removeRunFile, runningServer, writeRunFile } from "./run-file.js";
import { StatusLine } from "./status-line.js";
import { StopSignals } from "./stop-signals.js";

/** What is under way gets this long to be settled after the first signal. */
const drainMs = 10_000;

export interface ServeOptions {
  readonly config: LoadedConfig;
  /** Lines of the banner after the dashboard's: `Feeding`, `made-up orders, 40/s`. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  readonly options: CommonOptions & ProgressOptions;
  /** Runs beside the engine until the signal aborts: the demo's feed. */
  readonly beside?: (signal: AbortSignal) => Promise<void>;
}

/** Runs engine and server until a signal, then settles what is under way and says what became of every event. */
export async function serve(serving: ServeOptions, context: Context): Promise<void> {
  const { config, options } = serving;
  const { terminal, folder, clock } = context;
  using signals = new StopSignals(context);
  const notices = sayNotices(terminal);
  await using engine = await openEngine({ config, notices, clock });
  const choice = withToken(config.server);
  const server = await listen(choice, { source: engine, notices }, terminal);
  const stopBeside = new AbortController();
  const beside = (serving.beside?.(stopBeside.signal) ?? pause(clock, 2 ** 31 - 1, stopBeside.signal)).catch(
    (error: unknown) => {
      if (!stopBeside.signal.aborted) throw error;
    },
  );
  const status = new StatusLine(engine, terminal, clock, options.progress ?? "auto");
  try {
    await announce(serving, { ...server, token: choice.token ?? "" }, context);
    status.start();
    await Promise.race([signals.first, engine.finished, beside]);
  } finally {
    status.end();
    stopBeside.abort();
    await beside.catch(() => {});
    await server.close();
    await removeRunFile(folder);
  }
  await finish(engine, serving, context);
}

/** A token for this run, which run.json hands to other commands. Beyond this machine one must have been chosen by a person. */
function withToken(choice: ServerChoice): ServerChoice {
  return choice.token === undefined && isLoopback(choice.host) ? { ...choice, token: newToken() } : choice;
}

async function announce(
  { config, facts, options }: ServeOptions,
  server: { readonly url: string; readonly port: number; readonly token: string },
  context: Context,
): Promise<void> {
  const { terminal, folder, clock } = context;
  const run = {
    pid: process.pid,
    port: server.port,
    host: config.server.host,
    token: server.token,
    startedMs: clock.now(),
  };
  const other = await runningServer(folder);
  if (other !== undefined)
    terminal.say(
      `warning  a server on port ${other.port} runs in this folder already: other commands ask that one; for this one give them --server ${server.url}`,
    );
  else
    await writeRunFile(folder, run).catch((error: unknown) => {
      terminal.say(`warning  other commands will not find this server by themselves: ${String(error)}`);
    });
  const version = terminal.styleErr("bold", `poundlock ${packageVersion}`);
  const rows: (readonly [string, string])[] = [
    ["Dashboard", terminal.styleErr("cyan", server.url)],
    ...(isLoopback(config.server.host)
      ? []
      : [
          [
            "Open to",
            `every machine that reaches ${config.server.host}:${server.port} and has the token`,
          ] as const,
        ]),
    ["Stored in", storeText(config)],
    ...facts,
    ["Stop", "Ctrl-C; what is under way is settled first"],
  ];
  terminal.say(`\n  ${version}   ready in ${spanText(clock.monotonicMs() - context.startMs)}\n`);
  for (const [name, text] of rows) terminal.say(`  ${name.padEnd(11)} ${text}`);
  terminal.say("");
  if (!options.json) return;
  const sources = config.sources.map(({ rule, patterns }) => ({ name: rule.name, patterns }));
  const { url, port } = server;
  await terminal.print(
    JSON.stringify({ schema: "poundlock.started/1", pid: process.pid, url, port, sources }),
  );
}

function storeText(config: LoadedConfig): string {
  return config.store.kind === "memory" ? "memory: nothing is kept" : config.store.path;
}

async function finish(engine: Engine, { config, options }: ServeOptions, context: Context): Promise<void> {
  const { terminal, clock } = context;
  const giveUp = new AbortController();
  const limit = pause(clock, drainMs, giveUp.signal).then(
    () => undefined,
    () => undefined,
  );
  const rows = await Promise.race([engine.drain(), limit]);
  giveUp.abort();
  if (rows === undefined) {
    return terminal.say(
      `stopped after ${drainMs / 1_000} s: what was not settled by then is read again next time`,
    );
  }
  // An error that ended the workers is the command's own.
  await engine.finished;
  await sayReceipt(rows, config, options.json === true, terminal);
}

async function sayReceipt(
  rows: readonly LedgerRow[],
  config: LoadedConfig,
  isJson: boolean,
  terminal: Context["terminal"],
): Promise<void> {
  const ledger = sumLedger(rows);
  const next = config.store.kind === "memory" ? "" : "; goes on from here next time";
  terminal.say(`stopped cleanly. ${equation(ledger)}${next}`);
  if (isJson) await terminal.print(JSON.stringify({ schema: "poundlock.stopped/1", ledger }));
}

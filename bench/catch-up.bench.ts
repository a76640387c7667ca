import { equal } from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseSize, writeOrderFile } from "../test/kit/order-lines.js";
import { RunningServer } from "../test/kit/running-server.js";
import { until } from "../test/kit/until.js";
import type { LoopDelay } from "./kit/loop-delay.js";
import { measure, median, peakRssMiB, round, warmPageCache } from "./kit/programs.js";

/**
 * `npm run bench -- catch-up [--size 512MiB] [--rounds 3] [--node 24]`: `poundlock up` on its LMDB store finds a file that
 * nobody has read. From the start of the program until the last line is settled, beside the bare loop over the same file;
 * and how late the main thread's event loop is meanwhile, which is what everyone who asks the server would feel.
 */
const { values: flags } = parseArgs({
  options: { size: { type: "string", default: "512MiB" }, rounds: { type: "string", default: "3" } },
});
const isSmoke = flags.size === "smoke";
const bytes = isSmoke ? 2 * 1024 * 1024 : parseSize(flags.size);
const rounds = isSmoke ? 1 : Number(flags.rounds);
const caughtUpMsMax = 600_000;

interface Round {
  readonly wallS: number;
  readonly rssMiB: number;
  readonly delay: LoopDelay;
}

const config = (file: string): string => `version: 1
sources:
  orders: { type: file, path: ${JSON.stringify(file)}, format: json, time: time }
store: { type: lmdb, path: ./store }
metrics:
  orders: { kind: count, by: [status, order.coin] }
`;

const folder = mkdtempSync(join(tmpdir(), "poundlock-bench-"));
try {
  const file = join(folder, "orders.jsonl");
  const { lines } = writeOrderFile(file, bytes, { seed: 1 });
  warmPageCache(file);
  const ours: Round[] = [];
  const bare: number[] = [];
  for (let count = 0; count < rounds; count += 1) {
    ours.push(await catchUp(file, lines));
    const peer = fileURLToPath(new URL("./peers/bare-json-parse.js", import.meta.url));
    bare.push((await measure([process.execPath, peer, file])).wallS);
  }
  print(ours, bare, lines);
} finally {
  rmSync(folder, { recursive: true });
}

async function catchUp(file: string, lines: number): Promise<Round> {
  const home = mkdtempSync(join(folder, "home-"));
  const result = join(home, "delay.json");
  writeFileSync(join(home, "poundlock.yaml"), config(file));
  const startedMs = performance.now();
  using server = await RunningServer.start(home, {
    execArgv: ["--import", new URL("./kit/loop-delay.js", import.meta.url).href],
    env: { POUNDLOCK_LOOP_DELAY: result },
  });
  process.kill(server.pid, "SIGUSR2");
  await until("everything is settled", async () => (await server.ledger()).accepted === lines, caughtUpMsMax);
  const wallS = (performance.now() - startedMs) / 1000;
  const rssMiB = peakRssMiB(server.pid);
  process.kill(server.pid, "SIGUSR2");
  await until("the delay is written", () => existsSync(result) && readFileSync(result).length > 0);
  const totals = await server.totals("orders");
  equal(
    [...totals.values()].reduce((sum, n) => sum + n, 0),
    lines,
  );
  await server.stop();
  return { wallS, rssMiB, delay: JSON.parse(readFileSync(result, "utf8")) as LoopDelay };
}

function print(ours: readonly Round[], bare: readonly number[], lines: number): void {
  const wallS = median(ours.map((round) => round.wallS));
  const ratio = median(bare) / wallS;
  const p50 = median(ours.map(({ delay }) => delay.p50Ms));
  const p99 = median(ours.map(({ delay }) => delay.p99Ms));
  const max = Math.max(...ours.map(({ delay }) => delay.maxMs));
  const rssMiB = Math.max(...ours.map((round) => round.rssMiB));
  const mib = bytes / 1024 / 1024;
  process.stdout.write(
    `${mib.toFixed(0)} MiB, ${lines} order lines, ${rounds} rounds, Node ${process.versions.node}, ${availableParallelism()} cores; medians
poundlock up       ${wallS.toFixed(2)} s, ${(mib / wallS).toFixed(0)} MiB/s, at most ${rssMiB.toFixed(0)} MiB resident
bare-json-parse    ${median(bare).toFixed(2)} s; poundlock is ${ratio.toFixed(2)} × as fast
main's event loop  late by ${p50.toFixed(1)} ms in the median, ${p99.toFixed(1)} ms at p99, ${max.toFixed(1)} ms at most
`,
  );
  const figures = {
    linesPerS: Math.round(lines / wallS),
    rssMaxMiB: Math.round(rssMiB),
    loopDelayP99Ms: round(p99),
    loopDelayMaxMs: round(max),
  };
  process.stdout.write(
    `${JSON.stringify({ bench: "catch-up", node: process.versions.node, ratios: { "bare-json-parse": round(ratio) }, figures })}\n`,
  );
}

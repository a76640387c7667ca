import { deepEqual, equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseSize, writeOrderFile } from "../test/kit/order-lines.js";
import { exists, type Measured, measure, median, round, warmPageCache } from "./kit/programs.js";

/**
 * `npm run bench -- report [--size 512MiB] [--rounds 3] [--node 24]`: whole programs over one file of order lines, with
 * their start-up. Rounds take turns, so that a machine that slows down slows everyone; medians are compared.
 */
const { values: flags } = parseArgs({
  options: { size: { type: "string", default: "512MiB" }, rounds: { type: "string", default: "3" } },
});
const isSmoke = flags.size === "smoke";
const bytes = isSmoke ? 2 * 1024 * 1024 : parseSize(flags.size);
const rounds = isSmoke ? 1 : Number(flags.rounds);

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "poundlock-bench-"));
try {
  const file = join(folder, "orders.jsonl");
  const { lines, byStatusAndCoin } = writeOrderFile(file, bytes, { seed: 1 });
  const contenders = contendersFor(file).filter(({ command }) => exists(command[0] ?? ""));
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  warmPageCache(file);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, command } of contenders) results.get(name)?.push(await measure(command));
  }
  checkCounts(file, byStatusAndCoin);
  print(results, lines);
} finally {
  rmSync(folder, { recursive: true });
}

function contendersFor(file: string): Contender[] {
  const cli = fileURLToPath(new URL("../../bin/poundlock.js", import.meta.url));
  const bare = fileURLToPath(new URL("./peers/bare-json-parse.js", import.meta.url));
  const program = join(folder, "orders.mtail");
  writeFileSync(
    program,
    'counter orders by status, coin\n/"status":"(?P<status>[^"]+)","order":\\{"coin":"(?P<coin>[^"]+)"/ {\n  orders[$status][$coin]++\n}\n',
  );
  const fields = ["--format", "json", "--by", "status", "--by", "order.coin", "--json"];
  return [
    { name: "poundlock", command: [process.execPath, cli, "report", file, ...fields] },
    { name: "bare-json-parse", command: [process.execPath, bare, file] },
    { name: "mtail", command: ["mtail", "--one_shot", "--progs", program, "--logs", file] },
  ];
}

/** A fast wrong answer is worth nothing: one more run, whose counts must be the generator's. */
function checkCounts(file: string, expected: ReadonlyMap<string, number>): void {
  const [command = "", ...args] = contendersFor(file)[0]?.command ?? [];
  const { stdout } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const report = JSON.parse(stdout) as {
    metrics: { groups: { by: Record<string, string>; value: number }[] }[];
    ledger: { unaccounted: number };
  };
  const groups = report.metrics[0]?.groups ?? [];
  const counts = new Map(groups.map(({ by, value }) => [`${by.status} ${by["order.coin"]}`, value]));
  deepEqual(counts, expected);
  equal(report.ledger.unaccounted, 0);
}

function print(results: ReadonlyMap<string, readonly Measured[]>, lines: number): void {
  const wall = (name: string): number => median((results.get(name) ?? []).map(({ wallS }) => wallS));
  const rss = (name: string): number => Math.max(0, ...(results.get(name) ?? []).map(({ rssMiB }) => rssMiB));
  const mib = bytes / 1024 / 1024;
  const out = process.stdout;
  out.write(
    `${mib.toFixed(0)} MiB, ${lines} order lines, ${rounds} rounds, Node ${process.versions.node}, ${availableParallelism()} cores; medians\n`,
  );
  out.write("program              wall s     MiB/s   peak RSS MiB   poundlock is\n");
  const ratios: Record<string, number> = {};
  for (const name of results.keys()) {
    const ratio = wall(name) / wall("poundlock");
    if (name !== "poundlock") ratios[name] = round(ratio);
    const cells = [
      wall(name).toFixed(2).padStart(8),
      (mib / wall(name)).toFixed(0).padStart(9),
      rss(name).toFixed(0).padStart(14),
    ];
    out.write(
      `${name.padEnd(18)} ${cells.join(" ")} ${name === "poundlock" ? "" : `${ratio.toFixed(2)} × as fast`.padStart(18)}\n`,
    );
  }
  const figures = {
    linesPerS: Math.round(lines / wall("poundlock")),
    rssMaxMiB: Math.round(rss("poundlock")),
  };
  out.write(`${JSON.stringify({ bench: "report", node: process.versions.node, ratios, figures })}\n`);
}

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../kit/feed.js";
import { OrderLines } from "../kit/order-lines.js";
import { RunningServer } from "../kit/running-server.js";
import { until } from "../kit/until.js";
import { OrderFeed } from "./order-feed.js";

/** `POUNDLOCK_CRASH=full` is the size that the promise is made for; every test run does a smaller one. */
const isFull = process.env.POUNDLOCK_CRASH === "full";
const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
const sizeBytes = isFull ? 300_000_000 : 40_000_000;
const kills = isFull ? 24 : 6;
const startShare = 0.4;
const roundMsMax = 60_000;

/** Either way of keeping a step must be whole at every instant, so the rounds take them in turn. */
const configOf = (durability: "interval" | "always"): string => `version: 1
sources:
  orders: { type: file, path: "./logs/orders.jsonl*", format: json, time: time }
store: { type: lmdb, path: ./store, durability: ${durability} }
metrics:
  statuses: { kind: count, by: [status] }
  coins: { kind: count, by: [order.coin] }
  both: { kind: count, by: [status, order.coin] }
`;

interface Round {
  /** Bytes that the process had read from anywhere; NaN where the system doesn't say. */
  readonly bytesRead: number;
  readonly settled: number;
}

test(`every line counts once through ${kills} kills, appends and rotations (seed ${seed})`, {
  timeout: 600_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "poundlock-crash-"));
  const configure = (durability: "interval" | "always"): void =>
    writeFileSync(join(folder, "poundlock.yaml"), configOf(durability));
  const random = seededRandom(seed);
  const feed = new OrderFeed(join(folder, "logs"), new OrderLines({ seed }), random);
  while (feed.bytes < sizeBytes * startShare) feed.append(4_000_000);
  const budget = (sizeBytes * (1 - startShare)) / kills;

  let bytesRead = 0;
  let settled = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    configure(kill % 2 === 0 ? "interval" : "always");
    const feedUntilBytes = feed.bytes + budget;
    const round = await feedAndKill(folder, { feed, random, settled, feedUntilBytes });
    bytesRead += round.bytesRead;
    settled = round.settled;
    while (feed.bytes < feedUntilBytes) feed.append(1_000_000);
    if (random() < 0.3) feed.rotate();
  }
  feed.finish();
  bytesRead += await readToTheEnd(folder, feed);

  const { lines, bytes } = feed.oracle();
  const again = bytesRead - (kills + 1) * (await bytesReadWithoutFiles(folder)) - bytes;
  t.diagnostic(
    `${lines} lines in ${bytes} bytes, ${again} bytes read again, ${kills} kills, ${feed.rotations} rotations`,
  );
  assert.ok(feed.rotations > 0, "nothing was rotated, so nothing was proved about it");
  assert.ok(!(again < 1_000_000), `${again} bytes were read again: no line twice, so nothing was proved`);
  assert.deepEqual(offlineLedger(folder), { accepted: lines, settled: lines, unaccounted: 0 });
  rmSync(folder, { recursive: true });
});

/** Kills the process somewhere in its work, after it has settled more than any before it. */
async function feedAndKill(
  folder: string,
  given: { feed: OrderFeed; random: () => number; settled: number; feedUntilBytes: number },
): Promise<Round> {
  const { feed, random, settled, feedUntilBytes } = given;
  using server = await RunningServer.start(folder);
  const wanted = settled + 1 + Math.floor(random() * 20_000);
  const settledNow = await until(
    "the process has made progress",
    async () => {
      if (feed.bytes < feedUntilBytes) feed.append(50_000 + Math.floor(random() * 200_000));
      if (random() < 0.05) feed.rotate();
      const row = await server.ledger();
      assert.equal(row.unaccounted, 0);
      assert.equal(row.dead, 0);
      assert.ok(row.bytes <= feed.bytes, `${row.bytes} bytes were counted of ${feed.bytes}`);
      const isDone = row.settled >= wanted || (row.settled > settled && feed.bytes >= feedUntilBytes);
      return isDone && row.settled;
    },
    roundMsMax,
  );
  feed.append(500_000);
  const log = join(folder, "store", "state.log");
  const bytesRead = (await server.killAtWrite(log)) ?? Number.NaN;
  // The next process reads it when it starts; that is no line read twice.
  return { settled: settledNow, bytesRead: bytesRead - statSync(log).size };
}

/** @returns bytes that the last process read */
async function readToTheEnd(folder: string, feed: OrderFeed): Promise<number> {
  const oracle = feed.oracle();
  using server = await RunningServer.start(folder);
  await until(
    "everything is settled",
    async () => (await server.ledger()).accepted >= oracle.lines,
    5 * roundMsMax,
  );
  const { accepted, settled, dead, dropped, unaccounted, bytes } = await server.ledger();
  assert.deepEqual(
    { accepted, settled, dead, dropped, unaccounted, bytes },
    {
      accepted: oracle.lines,
      settled: oracle.lines,
      dead: 0,
      dropped: 0,
      unaccounted: 0,
      bytes: oracle.bytes,
    },
  );
  const byKey = (counts: ReadonlyMap<string, number>): [string, number][] => [...counts].sort();
  assert.deepEqual(byKey(await server.totals("statuses")), byKey(oracle.byStatus));
  assert.deepEqual(byKey(await server.totals("coins")), byKey(oracle.byCoin));
  assert.deepEqual(byKey(await server.totals("both")), byKey(oracle.byStatusAndCoin));
  const bytesRead = server.bytesRead() ?? Number.NaN;
  await server.stop();
  return bytesRead;
}

/** What a process reads that has no line to read: the program itself, mostly. */
async function bytesReadWithoutFiles(folder: string): Promise<number> {
  using server = await RunningServer.start(folder);
  await until("it answers", () => server.ledger());
  const bytesRead = server.bytesRead() ?? Number.NaN;
  await server.stop();
  return bytesRead;
}

/** What a person sees who asks when nothing runs any more. */
function offlineLedger(folder: string): { accepted: number; settled: number; unaccounted: number } {
  const bin = fileURLToPath(new URL("../../../bin/poundlock.js", import.meta.url));
  const asked = spawnSync(process.execPath, [bin, "ledger", "--json"], { cwd: folder, encoding: "utf8" });
  assert.equal(asked.status, 0, asked.stderr);
  const { total } = JSON.parse(asked.stdout) as { total: ReturnType<typeof offlineLedger> };
  const { accepted, settled, unaccounted } = total;
  return { accepted, settled, unaccounted };
}

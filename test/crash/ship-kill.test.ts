import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { seededRandom } from "../kit/feed.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
const kills = Number(process.env.POUNDLOCK_KILLS ?? 8);

interface Round {
  /** Events in the store when the process began. */
  readonly found: number;
  readonly shipped: number;
  /** Events of the shipment that was under way when it was killed. */
  readonly sending: number;
}

/** Lets one process ship until it has said `linesMax` lines, then kills it with whatever it is doing. */
async function runAndKill(path: string, linesMax: number, roundSeed: number): Promise<Round> {
  const script = new URL("./ship-loop.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path, String(roundSeed)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const said = { found: -1, shipped: 0, sending: 0 };
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, number] = line.split(" ");
    if (word === "found") said.found = Number(number);
    if (word === "sending") said.sending = Number(number);
    if (word === "shipped") {
      said.shipped += Number(number);
      said.sending = 0;
    }
    lines += 1;
    if (lines === linesMax) child.kill("SIGKILL");
  }
  const [, signal] = await exited;
  assert.equal(signal, "SIGKILL", stderr);
  return said;
}

test(`a store that metrics were shipped to has, after each SIGKILL, exactly what was acknowledged, and the shipment under way whole or not at all (seed ${seed})`, async () => {
  const path = mkdtempSync(join(tmpdir(), "poundlock-ship-kill-"));
  const random = seededRandom(seed);
  let before: Round = { found: 0, shipped: 0, sending: 0 };
  for (let kill = 0; kill <= kills; kill += 1) {
    const round = await runAndKill(path, 2 + Math.floor(random() * 60), seed + kill);

    const acknowledged = before.found + before.shipped;
    const allowed = [acknowledged, acknowledged + before.sending];
    assert.ok(
      allowed.includes(round.found),
      `kill ${kill}: found ${round.found}, expected one of ${allowed}`,
    );
    before = round;
  }
  assert.ok(before.found > 100, `only ${before.found} events were ever shipped`);
  rmSync(path, { recursive: true });
});

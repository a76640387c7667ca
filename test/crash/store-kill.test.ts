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
const kills = 20;

interface Round {
  /** Events that the process found settled, after proving that all figures agree with them. */
  readonly found: number;
  /** Events whose settlement was acknowledged before the kill. */
  readonly acknowledged: number;
}

/** Lets one process settle until `linesMax` settlements were acknowledged, then kills it with whatever it is doing. */
async function runAndKill(path: string, linesMax: number, roundSeed: number): Promise<Round> {
  const script = new URL("./settle-loop.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path, String(roundSeed)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let found = -1;
  let acknowledged = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, ...numbers] = line.split(" ");
    if (word === "found") found = Number(numbers[1]);
    else acknowledged += Number(numbers[0]);
    lines += 1;
    if (lines === linesMax) child.kill("SIGKILL");
  }
  const [, signal] = await exited;
  assert.equal(signal, "SIGKILL", stderr);
  return { found, acknowledged };
}

test(`the store after SIGKILL in the middle of settlements agrees with itself and has all that was acknowledged (seed ${seed})`, async () => {
  const path = mkdtempSync(join(tmpdir(), "poundlock-kill-"));
  const random = seededRandom(seed);
  let before: Round = { found: 0, acknowledged: 0 };
  let unacknowledged = 0;
  for (let kill = 0; kill <= kills; kill += 1) {
    const round = await runAndKill(path, 2 + Math.floor(random() * 60), seed + kill * 10);

    const surplus = round.found - before.found - before.acknowledged;
    assert.ok(surplus >= 0, `kill ${kill}: ${-surplus} acknowledged events are gone`);
    unacknowledged += surplus;
    before = round;
  }
  assert.ok(unacknowledged > 0, "no kill came between a step and its acknowledgement, so nothing was proved");
  rmSync(path, { recursive: true });
});

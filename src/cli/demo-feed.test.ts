import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../base/index.js";
import { folderWith } from "./cli.testkit.js";
import { DemoFeed } from "./demo-feed.js";

const nowMs = 1_753_000_000_000;

function feed(folder: string, seed: number, ratePerS = 1_000): DemoFeed {
  return new DemoFeed({ folder, ratePerS, seed, brokenEvery: 200, clock: systemClock });
}

test("DemoFeed makes the same lines again from the same seed", () => {
  const [a, b, c] = [feed("", 7), feed("", 7), feed("", 8)];

  const lines = Array.from({ length: 50 }, () => a.line(nowMs));

  assert.deepEqual(
    lines,
    Array.from({ length: 50 }, () => b.line(nowMs)),
  );
  assert.notEqual(lines[0], c.line(nowMs));
});

test("DemoFeed breaks exactly one line in 200, and never into something that still reads", () => {
  const lines = Array.from(
    { length: 2_000 },
    (
      (made) => () =>
        made.line(nowMs)
    )(feed("", 1)),
  );

  const broken = lines.flatMap((line, i) => (reads(line) ? [] : [i]));

  assert.deepEqual(
    broken,
    Array.from({ length: 10 }, (_, i) => 199 + i * 200),
  );
});

function reads(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

test("DemoFeed.run() writes whole lines to hourly files until it is stopped", async (t) => {
  const folder = await folderWith(t, {});
  const stop = new AbortController();
  const running = feed(folder, 1, 2_000).run(stop.signal);
  const written = async (): Promise<string> => {
    const [name] = await readdir(folder);
    return name === undefined ? "" : readFile(join(folder, name), "utf8");
  };
  while ((await written()).split("\n").length < 50) await new Promise(setImmediate);

  stop.abort();
  await running;

  assert.match((await readdir(folder))[0] ?? "", /^orders-\d{8}-\d\d-000\.jsonl$/);
  assert.equal((await written()).endsWith("\n"), true);
});

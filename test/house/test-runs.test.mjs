import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { runGroup } from "../../scripts/child.mjs";
import { inRoot } from "../../scripts/paths.mjs";
import { testFiles } from "../../scripts/test.mjs";

test("slowestReporter names each file once, with its whole time", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "poundlock-reporter-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const name of ["a", "b"])
    writeFileSync(join(dir, `${name}.test.mjs`), `import test from "node:test"; test("${name}", () => {});`);
  const out = join(dir, "timings.jsonl");

  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  spawnSync(
    process.execPath,
    [
      "--test",
      `--test-reporter=${inRoot("scripts/slowest-reporter.mjs")}`,
      `--test-reporter-destination=${out}`,
      "a.test.mjs",
      "b.test.mjs",
    ],
    { cwd: dir, env },
  );

  const timings = readFileSync(out, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(timings.map(({ file }) => file).sort(), [
    join(dir, "a.test.mjs"),
    join(dir, "b.test.mjs"),
  ]);
  assert.ok(timings.every(({ durationMs }) => durationMs > 1));
});

test("runGroup() ends a command that is past its limit, with what it started", async () => {
  const grandchild = `require("node:child_process").spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: "inherit" })`;

  const result = await runGroup(process.execPath, ["-e", grandchild], {
    limitMs: 300,
    stdio: ["pipe", "ignore", "ignore"],
  });

  assert.deepEqual(result, { status: 1, isPastLimit: true });
});

test("testFiles() leaves out what runs once when it lists a second run", () => {
  const first = testFiles();
  const second = testFiles({ isSecond: true });

  assert.ok(first.includes("test/house/test-runs.test.mjs"));
  assert.ok(second.every((file) => !/^(?:dist\/)?test\/(?:end-to-end|crash|docs)\//.test(file)));
  assert.ok(second.includes("test/house/test-runs.test.mjs"));
});

test("testFiles() keeps only paths with the pattern", () => {
  assert.deepEqual(testFiles({ pattern: "house/test-runs" }), ["test/house/test-runs.test.mjs"]);
});

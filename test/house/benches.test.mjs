import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { benchFiles, problemOfLastLine } from "../../scripts/bench.mjs";
import { inRoot } from "../../scripts/paths.mjs";

for (const name of benchFiles().keys())
  test(`bench ${name} runs at smoke size and closes with a line that programs can read`, () => {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    const args = [inRoot("scripts/bench.mjs"), name, "--size", "smoke"];

    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      env,
      encoding: "utf8",
      timeout: 120_000,
    });

    assert.equal(status, 0, `${stdout}\n${stderr}`);
  });

test("problemOfLastLine() accepts one object of numbers by name", () => {
  const line = `{"bench":"report","node":"20.20.2","ratios":{"mtail":8.1},"figures":{"linesPerS":5e6}}`;

  assert.equal(problemOfLastLine("report", line), undefined);
});

for (const [what, line, expected] of [
  ["text", "done", /not JSON/],
  ["another bench's line", `{"bench":"tail","node":"20","ratios":{},"figures":{}}`, /"bench"/],
  ["no version", `{"bench":"report","ratios":{},"figures":{}}`, /"node"/],
  ["no ratios", `{"bench":"report","node":"20","figures":{}}`, /"ratios"/],
  [
    "a figure that is no number",
    `{"bench":"report","node":"20","ratios":{},"figures":{"rssMaxMiB":null}}`,
    /rssMaxMiB/,
  ],
])
  test(`problemOfLastLine() refuses ${what}`, () => {
    assert.match(problemOfLastLine("report", line), expected);
  });

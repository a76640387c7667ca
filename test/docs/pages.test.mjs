import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { runSteps, stepsOf } from "../../scripts/docs-run.mjs";
import { inRoot, rootDir } from "../../scripts/paths.mjs";
import { sourceFiles } from "../../scripts/source-files.mjs";

for (const page of sourceFiles(rootDir, ".", [".md"])) {
  const steps = stepsOf(readFileSync(inRoot(page), "utf8"));
  if (steps.length === 0) continue;
  test(`${page}: its commands, outputs and configurations are true`, () => {
    const problems = runSteps(steps);

    assert.deepEqual(
      problems.map(({ line, problem }) => `${page}:${line} ${problem}`),
      [],
    );
  });
}

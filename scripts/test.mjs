import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { runGroup } from "./child.mjs";
import { inRoot, rootDir } from "./paths.mjs";
import { SuiteLocks } from "./suite-locks.mjs";

/** All test runs of one command together; each issue may add about 2 minutes of the 12. */
const wallMsMax = 12 * 60_000;
const slowestShown = 10;

/** Tests that run on one Node.js only: what they show (a page, a killed process, a page of docs) does not depend on it. */
const runOnceDirs = ["test/end-to-end/", "test/crash/", "test/docs/"];

/** One command's test runs: they share the time limit, and report the slowest files of all together. */
export class TestRuns {
  #endsAtMs = performance.now() + wallMsMax;
  #timings = [];
  #locks = new SuiteLocks();
  isGreen = true;

  /** Runs the test files whose path contains `pattern` on the Node.js at `nodePath`. */
  async run({ nodePath, label, pattern, isSecond = false }) {
    const files = testFiles({ pattern, isSecond });
    if (files.length === 0) return this.#fail(`No test file has "${pattern}" in its path.`);
    process.stdout.write(`\nTests on Node.js ${label}: ${files.length} files\n`);
    const dir = mkdtempSync(join(tmpdir(), "poundlock-tests-"));
    const timings = join(dir, "timings.jsonl");
    const { status, isPastLimit } = await runGroup(nodePath, [...runnerArgs(timings), ...files], {
      limitMs: Math.max(0, this.#endsAtMs - performance.now()),
      env: { ...process.env, ...this.#locks.environment, NODE_OPTIONS: "" },
    });
    this.#collect(timings, label);
    rmSync(dir, { recursive: true });
    if (isPastLimit) this.#fail(`The tests took more than ${wallMsMax / 60_000} minutes and were stopped.`);
    else if (status !== 0) this.isGreen = false;
  }

  printSlowest() {
    const slowest = this.#timings.sort((a, b) => b.durationMs - a.durationMs).slice(0, slowestShown);
    process.stdout.write("\nThe slowest test files:\n");
    for (const { file, durationMs, label } of slowest) {
      const seconds = (durationMs / 1000).toFixed(1).padStart(6);
      process.stdout.write(`${seconds} s  ${relative(rootDir, file)} (Node.js ${label})\n`);
    }
  }

  /** Every lock of the project's own is taken with all checks on, whatever is tested. */
  async checkLocks() {
    const { processes, acquisitions, problems } = await this.#locks.end();
    const found = problems.length === 0 ? "nothing found" : `${problems.length} found`;
    process.stdout.write(`\nLocks: ${acquisitions} acquisitions in ${processes} processes, ${found}.\n`);
    for (const problem of problems) this.#fail(problem);
  }

  #collect(path, label) {
    if (!existsSync(path)) return;
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    this.#timings.push(...lines.map((line) => ({ ...JSON.parse(line), label })));
  }

  #fail(message) {
    process.stderr.write(`${message}\n`);
    this.isGreen = false;
  }
}

// An explicit list of files and a named reporter, because Node 20 and 24 disagree on folders, globs and what piped
// output looks like.
function runnerArgs(timings) {
  return [
    "--test",
    "--test-concurrency=2",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${inRoot("scripts/slowest-reporter.mjs")}`,
    `--test-reporter-destination=${timings}`,
  ];
}

/** Relative paths of the test files: compiled ones, and those of the scripts, which are plain JavaScript. */
export function testFiles({ pattern = "", isSecond = false } = {}) {
  const compiled = ["dist/src", "dist/test"].flatMap((dir) => filesUnder(dir, ".test.js"));
  const plain = filesUnder("test", ".test.mjs");
  return [...compiled, ...plain]
    .filter((file) => file.includes(pattern))
    .filter((file) => !isSecond || !runOnceDirs.some((dir) => file.replace(/^dist\//, "").startsWith(dir)))
    .sort();
}

function filesUnder(dir, ending) {
  if (!existsSync(inRoot(dir))) return [];
  return readdirSync(inRoot(dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesUnder(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

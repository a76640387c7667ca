import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { runHere } from "./child.mjs";
import { ensureBenchFolders, ensureInstalled, ensureNode24 } from "./install.mjs";
import { inRoot, rootDir } from "./paths.mjs";
import { ensureBenchPackages, ensureTestPackages } from "./system.mjs";
import { TestRuns } from "./test.mjs";

const jobs = { build: () => {}, start, test, ok, check, bench };
const isCurrent24 = process.versions.node.startsWith("24.");

/** Installs and builds what is missing or stale, then does the job; sets the exit code. */
export async function runJob(name, args) {
  const job = jobs[name];
  if (job === undefined) {
    process.stderr.write(`Usage: node scripts/run.mjs ${Object.keys(jobs).join("|")} [ARGUMENT…]\n`);
    process.exitCode = 2;
    return;
  }
  ensureInstalled(rootDir);
  build();
  await job(args);
}

/** The product itself, in this process: signals and the terminal are its own. */
async function start(args) {
  const bin = inRoot("bin/poundlock.js");
  // npm goes to the package's folder; the paths in `args` are meant from where the person is.
  if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);
  process.argv = [process.execPath, bin, ...(args.length === 0 ? ["demo"] : args)];
  await import(new URL("../bin/poundlock.js", import.meta.url).href);
}

async function ok() {
  const isTidy = runChecks();
  const runs = new TestRuns();
  await runs.run({ nodePath: process.execPath, label: process.versions.node });
  await runs.checkLocks();
  runs.printSlowest();
  finish([!isTidy && "checks", !runs.isGreen && "tests"]);
}

function check() {
  finish([!runChecks() && "checks"]);
}

/** Everything CI does; with a PATTERN only the test files that have it in their path, on one Node.js. */
async function test(args) {
  const { values, positionals } = parseArgs({
    args,
    options: { node: { type: "string" } },
    allowPositionals: true,
  });
  const arePackagesThere = ensureTestPackages();
  if (positionals.length > 0 || values.node !== undefined) return testPart(positionals[0], values.node);
  if (!arePackagesThere) {
    process.exitCode = 1;
    return;
  }
  const isTidy = runChecks();
  const runs = new TestRuns();
  await runs.run({ nodePath: process.execPath, label: process.versions.node });
  await runOnNode24(runs);
  await runs.checkLocks();
  runs.printSlowest();
  finish([!isTidy && "checks", !runs.isGreen && "tests"]);
}

async function testPart(pattern, node) {
  const nodePath = node === "24" && !isCurrent24 ? ensureNode24() : process.execPath;
  const runs = new TestRuns();
  await runs.run({ nodePath, label: node ?? process.versions.node, pattern });
  await runs.checkLocks();
  runs.printSlowest();
  finish([!runs.isGreen && "tests"]);
}

async function runOnNode24(runs) {
  if (isCurrent24) {
    process.stdout.write("This is Node.js 24: no second run.\n");
    return;
  }
  const nodePath = ensureNode24();
  if (nodePath === undefined) {
    process.stdout.write(
      `No second run: test/kit/node24 has no Node.js 24 for ${process.platform}-${process.arch}.\n`,
    );
    return;
  }
  await runs.run({ nodePath, label: "24", isSecond: true });
}

/** Format and lint, then our own checks; all of them, so that one run shows everything. Types were checked by the build. */
function runChecks() {
  const biome = inRoot("node_modules/@biomejs/biome/bin/biome");
  const colors = process.stdout.isTTY ? [] : ["--colors=off"];
  const results = [runHere(process.execPath, [biome, "ci", "--error-on-warnings", ...colors, "."])];
  for (const name of ["layers", "docs", "tidy"]) {
    const script = inRoot(`scripts/check-${name}.mjs`);
    if (existsSync(script)) results.push(runHere(process.execPath, [script]));
  }
  return results.every((status) => status === 0);
}

function bench(args) {
  const node24At = args.indexOf("--node");
  const wants24 = node24At !== -1 && args[node24At + 1] === "24";
  const rest = node24At === -1 ? args : args.toSpliced(node24At, 2);
  ensureBenchPackages();
  const nodePath = wants24 && !isCurrent24 ? ensureNode24() : process.execPath;
  ensureBenchFolders(rest[0], wants24 ? 24 : Number.parseInt(process.versions.node, 10));
  process.exitCode = runHere(nodePath, [inRoot("scripts/bench.mjs"), ...rest]);
}

function finish(failures) {
  const failed = failures.filter((what) => what !== false);
  if (failed.length > 0) process.stderr.write(`\nNot ok: ${failed.join(", ")} failed.\n`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

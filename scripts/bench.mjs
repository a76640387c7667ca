import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { basename } from "node:path";
import { inRoot, rootDir } from "./paths.mjs";
import { isProgram } from "./source-files.mjs";

/** The compiled benches: name → path relative to the root. A bench lies in bench/, or beside what it measures. */
export function benchFiles() {
  const files = ["dist/bench", "dist/src"].flatMap(filesUnder);
  return new Map(files.map((file) => [basename(file, ".bench.js"), file]));
}

function filesUnder(dir) {
  if (!existsSync(inRoot(dir))) return [];
  return readdirSync(inRoot(dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory()) return filesUnder(path);
    return entry.name.endsWith(".bench.js") ? [path] : [];
  });
}

/**
 * What is wrong with a bench's last line, which programs read: one JSON object with the bench's `bench` (its name) and `node`
 * (version), `ratios` (peer's time / ours, by peer) and `figures` (by name, unit last), both of finite numbers.
 * @returns undefined when nothing is
 */
export function problemOfLastLine(name, line) {
  let result;
  try {
    result = JSON.parse(line);
  } catch {
    return `the last line is not JSON: ${line}`;
  }
  if (typeof result !== "object" || result === null) return `the last line is no object: ${line}`;
  if (result.bench !== name) return `"bench" is ${JSON.stringify(result.bench)}, not "${name}"`;
  if (typeof result.node !== "string") return `"node" is no version`;
  for (const key of ["ratios", "figures"]) {
    const numbers = result[key];
    if (typeof numbers !== "object" || numbers === null) return `"${key}" is no object`;
    for (const [what, value] of Object.entries(numbers))
      if (!Number.isFinite(value))
        return `"${key}" has ${what} = ${JSON.stringify(value)}, not a finite number`;
  }
  return undefined;
}

/** Runs one bench on this Node.js, shows what it prints, and checks its last line. @returns the exit code */
export async function runBench(name, args) {
  const file = benchFiles().get(name);
  if (file === undefined) {
    const known = [...benchFiles().keys()].sort().join(", ");
    process.stderr.write(
      `Usage: npm run bench -- NAME [--size SIZE] [--node 24]\nBenches: ${known || "none"}\n`,
    );
    return 2;
  }
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  process.stdout.write(
    `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${memoryGiB} GiB; Node.js ${process.versions.node}\n`,
  );
  const { status, lastLine } = await runAndListen([inRoot(file), ...args]);
  if (status !== 0) return status;
  const problem = problemOfLastLine(name, lastLine);
  if (problem !== undefined) process.stderr.write(`Bench ${name}: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}

function runAndListen(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: rootDir, stdio: ["ignore", "pipe", "inherit"] });
    let tail = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      process.stdout.write(text);
      tail = `${tail}${text}`.slice(-64 * 1024);
    });
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ status: code ?? 1, lastLine: tail.trimEnd().split("\n").at(-1) }),
    );
  });
}

if (isProgram(import.meta)) {
  const [name = "", ...args] = process.argv.slice(2);
  process.exitCode = await runBench(name, args);
}

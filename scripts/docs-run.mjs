import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { blocksOf } from "./markdown.mjs";
import { inRoot, rootDir } from "./paths.mjs";

const stepMsMax = 60_000;

/**
 * What a page asks to be run, in order. The first word of a fence's info string is the language, the others say:
 *
 * - `sh run` or `sh run exit=N`: run by `sh -e` with `poundlock` on PATH, in a folder that the page's blocks share
 * - `text output`: what the command before prints to stdout; see mismatchOf
 * - `yaml config`: `poundlock validate` accepts it
 * - any language, `file=NAME`: written to NAME in that folder for what follows
 */
export function stepsOf(markdown) {
  const steps = [];
  for (const { info, text, line } of blocksOf(markdown)) {
    const [, ...words] = info.split(/\s+/);
    const wordAfter = (key) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    if (wordAfter("file") !== undefined) steps.push({ kind: "file", name: wordAfter("file"), text, line });
    if (words.includes("config")) steps.push({ kind: "config", text, line });
    if (words.includes("run")) steps.push({ kind: "run", text, line, exit: Number(wordAfter("exit") ?? 0) });
    if (words.includes("output")) steps.push({ kind: "output", text, line });
  }
  return steps;
}

/** Does what the steps say in a new folder. @returns what went wrong, one entry for each step that did */
export function runSteps(steps) {
  const folder = mkdtempSync(join(tmpdir(), "poundlock-docs-"));
  try {
    const env = prepare(folder);
    const problems = [];
    let printed;
    for (const step of steps) {
      const outcome = doStep(step, { cwd: join(folder, "page"), env, printed });
      printed = outcome.printed;
      if (outcome.problem !== undefined) problems.push({ line: step.line, problem: outcome.problem });
    }
    return problems;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A folder for the page with the examples in it, a home of its own, and `poundlock` as if it were installed, as command and as package. */
function prepare(folder) {
  const bin = join(folder, "bin");
  for (const dir of [bin, join(folder, "home"), join(folder, "page")]) mkdirSync(dir);
  const command = join(bin, "poundlock");
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${inRoot("bin/poundlock.js")}" "$@"\n`);
  chmodSync(command, 0o755);
  mkdirSync(join(folder, "page/node_modules"));
  symlinkSync(rootDir, join(folder, "page/node_modules/poundlock"));
  if (existsSync(inRoot("examples"))) symlinkSync(inRoot("examples"), join(folder, "page/examples"));
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return { ...env, PATH: `${bin}${delimiter}${env.PATH}`, HOME: join(folder, "home"), NO_COLOR: "1" };
}

function doStep(step, { cwd, env, printed }) {
  if (step.kind === "output") {
    const problem = printed === undefined ? "no command before this output" : mismatchOf(step.text, printed);
    return { printed, problem };
  }
  if (step.kind === "file") {
    mkdirSync(dirname(join(cwd, step.name)), { recursive: true });
    writeFileSync(join(cwd, step.name), step.text);
    return {};
  }
  if (step.kind === "run") return runShell(step.text, step.exit, { cwd, env });
  writeFileSync(join(cwd, "config-shown.yaml"), step.text);
  const { problem } = runShell("poundlock validate -c config-shown.yaml", 0, { cwd, env });
  return { problem };
}

function runShell(script, exit, { cwd, env }) {
  const options = { cwd, env, encoding: "utf8", timeout: stepMsMax };
  const { status, signal, stdout, stderr } = spawnSync("sh", ["-e", "-c", script], options);
  const problem = `exit code ${status ?? signal}, not ${exit}, of: ${script.trim()}\n${stdout}${stderr}`;
  return { printed: stdout, problem: status === exit ? undefined : problem };
}

/**
 * How what was printed differs from what is shown. Loose where a reader is: runs of white space are one space, `…` stands for
 * anything within a line, a line `…` for any lines, and what follows the last line shown does not matter.
 * @returns undefined when it does not differ
 */
export function mismatchOf(shown, printed) {
  const wanted = shown
    .split("\n")
    .map(squeeze)
    .filter((line) => line !== "");
  const lines = printed
    .split("\n")
    .map(squeeze)
    .filter((line) => line !== "");
  let at = 0;
  let maySkip = false;
  for (const want of wanted) {
    if (want === "…") {
      maySkip = true;
      continue;
    }
    const pattern = new RegExp(`^${want.split("…").map(literally).join(".*")}$`);
    const found = maySkip ? lines.findIndex((line, index) => index >= at && pattern.test(line)) : at;
    if (found === -1 || !pattern.test(lines[found] ?? ""))
      return `expected the line: ${want}\nbut got:\n${printed}`;
    at = found + 1;
    maySkip = false;
  }
  return undefined;
}

function squeeze(line) {
  return line.trim().replace(/\s+/g, " ");
}

function literally(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Paths below `dir`, relative to `root`, with one of the endings; installed and built things are left out. */
export function sourceFiles(root, dir, endings) {
  const absolute = join(root, dir);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .flatMap((entry) => {
      if (["node_modules", "dist", ".git"].includes(entry.name)) return [];
      const path = dir === "." ? entry.name : `${dir}/${entry.name}`;
      if (entry.isDirectory()) return sourceFiles(root, path, endings);
      return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
    })
    .sort();
}

/** Prints the problems and ends with 1, or says that there are none. */
export function report(check, problems, looked) {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const outcome = problems.length === 0 ? "ok" : `${problems.length} problems`;
  process.stdout.write(`${check}: ${outcome} (${looked})\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** Whether this module is the program that was started, not one imported by it. */
export function isProgram(meta) {
  return process.argv[1] !== undefined && meta.url === new URL(`file://${process.argv[1]}`).href;
}

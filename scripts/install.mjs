import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runHere } from "./child.mjs";
import { inRoot } from "./paths.mjs";

/**
 * `npm ci` in `dir` when its packages are missing or its lock is another than the one they were installed from.
 * A linked node_modules belongs to somebody else and is left as it is.
 */
export function ensureInstalled(dir) {
  const modules = join(dir, "node_modules");
  const stamp = join(modules, ".installed-from");
  const lockHash = createHash("sha256")
    .update(readFileSync(join(dir, "package-lock.json")))
    .digest("hex");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash) return;
  process.stderr.write(`Installing packages in ${dir} …\n`);
  const status = runNpm(["ci", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"], dir);
  if (status !== 0) {
    process.stderr.write(`Cannot install packages in ${dir}: npm ci ended with exit code ${status}\n`);
    process.exit(3);
  }
  writeFileSync(stamp, lockHash);
}

/** The npm that runs this script, not whichever is first on PATH; that one only when there is no better. */
function runNpm(args, cwd) {
  const npm = process.env.npm_execpath;
  const isNpm = npm !== undefined && basename(npm) === "npm-cli.js";
  return isNpm ? runHere(process.execPath, [npm, ...args], { cwd }) : runHere("npm", args, { cwd });
}

/** Peers of one bench that exclude the oldest Node.js of this project, each in a folder with a lock of its own. */
const benchFolders = [{ bench: "metrics", folder: "bench/peers/prometheus-client", nodeMin: 22 }];

/** Installs them where they can run; elsewhere the bench leaves them out. */
export function ensureBenchFolders(name, nodeMajor) {
  for (const { bench, folder, nodeMin } of benchFolders)
    if (bench === name && nodeMajor >= nodeMin) ensureInstalled(inRoot(folder));
}

/** Path of Node.js 24 from the kit, installed when needed; undefined where the kit has none for this platform. */
export function ensureNode24() {
  const kit = inRoot("test/kit/node24");
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(readFileSync(join(kit, "package.json"), "utf8"));
  if (optionalDependencies[name] === undefined) return undefined;
  ensureInstalled(kit);
  const binary = join(kit, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  return existsSync(binary) ? binary : undefined;
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrExit } from "./child.mjs";
import { inRoot, rootDir } from "./paths.mjs";
import { sourceFiles } from "./source-files.mjs";

/** Of the sources that dist was built from; the compiler alone needs a second to find that nothing changed. */
const stampPath = inRoot("dist/.built");

/** Compiles src, test and bench into dist, and bundles the dashboard into dist/web, unless that was done. Ends the process when it can't. */
export function build() {
  const stamp = stampOf(rootDir);
  if (isBuilt(stamp)) return;
  for (const dir of ["src", "test", "bench"]) removeOrphans(rootDir, dir);
  runOrExit(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-p", "."]);
  if (existsSync(inRoot("scripts/build-web.mjs")))
    runOrExit(process.execPath, [inRoot("scripts/build-web.mjs")]);
  writeFileSync(stampPath, stamp);
}

function isBuilt(stamp) {
  const isThere = [stampPath, inRoot("dist/src/index.js"), inRoot("dist/web/app.js")].every(existsSync);
  return isThere && readFileSync(stampPath, "utf8") === stamp;
}

/** Changes when any file that the build reads is added, removed or written. */
export function stampOf(root) {
  const files = [
    ...["src", "test", "bench", "web", "scripts"].flatMap((dir) => sourceFiles(root, dir, [""])),
    ...sourceFiles(root, ".", ["package.json", "package-lock.json", "tsconfig.json"]),
  ];
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/** Deletes compiled files whose source is gone, so that a deleted test can't go on passing. */
export function removeOrphans(root, dir) {
  const compiled = join(root, "dist", dir);
  if (!existsSync(compiled)) return;
  for (const entry of readdirSync(compiled, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(root, path))) removeOrphans(root, path);
      else rmSync(join(root, "dist", path), { recursive: true });
      continue;
    }
    const stem = /^(.+?)\.(?:js|js\.map|d\.ts)$/.exec(path)?.[1];
    if (stem !== undefined && !existsSync(join(root, `${stem}.ts`))) rmSync(join(root, "dist", path));
  }
}

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runOrExit } from "./child.mjs";
import { inRoot, rootDir } from "./paths.mjs";

/** Compiles src, test and bench into dist, and bundles the dashboard into dist/web. Ends the process when it can't. */
export function build() {
  for (const dir of ["src", "test", "bench"]) removeOrphans(rootDir, dir);
  runOrExit(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-p", "."]);
  if (existsSync(inRoot("scripts/build-web.mjs")))
    runOrExit(process.execPath, [inRoot("scripts/build-web.mjs")]);
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

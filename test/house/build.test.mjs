import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { removeOrphans } from "../../scripts/build.mjs";

test("removeOrphans() deletes compiled files and folders whose source is gone, and nothing else", (t) => {
  const root = mkdtempSync(join(tmpdir(), "poundlock-build-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const dir of ["src/kept", "dist/src/kept", "dist/src/gone"])
    mkdirSync(join(root, dir), { recursive: true });
  writeFileSync(join(root, "src/kept/a.test.ts"), "");
  for (const file of ["kept/a.test.js", "kept/a.test.d.ts", "kept/b.js", "kept/b.js.map", "gone/c.js"])
    writeFileSync(join(root, "dist/src", file), "");

  removeOrphans(root, "src");

  assert.deepEqual(readdirSync(join(root, "dist/src")), ["kept"]);
  assert.deepEqual(readdirSync(join(root, "dist/src/kept")).sort(), ["a.test.d.ts", "a.test.js"]);
});

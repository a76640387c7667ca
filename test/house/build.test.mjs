import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { removeOrphans, stampOf } from "../../scripts/build.mjs";

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

test("stampOf() changes with every file that the build reads, and only with those", (t) => {
  const root = mkdtempSync(join(tmpdir(), "poundlock-build-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const dir of ["src/kept", "web", "dist", "docs"]) mkdirSync(join(root, dir), { recursive: true });
  const write = (path) => () => writeFileSync(join(root, path), path);
  write("src/kept/a.ts")();
  const first = stampOf(root);

  const changes = [
    write("src/kept/b.ts"),
    write("web/app.css"),
    write("tsconfig.json"),
    () => utimesSync(join(root, "web/app.css"), 1, 2),
    () => rmSync(join(root, "src/kept/b.ts")),
  ];
  const stamps = changes.map((change) => {
    change();
    return stampOf(root);
  });

  assert.equal(new Set([first, ...stamps]).size, changes.length + 1);
  write("dist/x.js")();
  write("docs/x.md")();
  assert.equal(stampOf(root), stamps.at(-1));
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { checkLayers } from "../../scripts/check-layers.mjs";
import { layers, layersAsMarkdown } from "../../scripts/layers.mjs";
import { inRoot } from "../../scripts/paths.mjs";
import { fixture } from "./fixture.mjs";

function problemsIn(t, files) {
  return checkLayers(fixture(t, files)).problems;
}

test("the table names only modules above, so that it has no cycle", () => {
  const above = new Set();
  for (const { module, imports, opens = [] } of layers) {
    for (const name of imports === "above" ? opens : [...imports, ...opens])
      assert.ok(above.has(name), `${module} imports ${name}, which is not above it`);
    above.add(module);
  }
});

test("ARCHITECTURE.md shows the table that is enforced", () => {
  const text = readFileSync(inRoot("ARCHITECTURE.md"), "utf8");
  const shown = /<!-- layers:begin[^>]*-->\n+([\s\S]*?)\n+<!-- layers:end -->/.exec(text)?.[1];

  assert.equal(shown, layersAsMarkdown(), "write the table anew with: node scripts/write-layers.mjs");
});

test("checkLayers() passes what the table allows", (t) => {
  const problems = problemsIn(t, {
    "src/index.ts": `export { pool } from "./threads/index.js";`,
    "src/base/index.ts": `export const a = 1;`,
    "src/threads/index.ts": `export { pool } from "./pool.js";`,
    "src/threads/pool.ts": `import { a } from "../base/index.js"; import { once } from "node:events";
      export const entry = new URL("./echo.thread.js", import.meta.url); export const pool = [a, once];`,
    "src/threads/echo.thread.ts": `import { a } from "../base/index.js"; a;`,
    "src/threads/pool.test.ts": `import fc from "fast-check"; import { until } from "../../test/kit/until.js"; fc; until;`,
    "src/store/index.ts": `export const s = 1;`,
    "src/store/cell.ts": `export const c = 1;`,
    "src/store/lmdb/index.ts": `import { open } from "lmdb"; import { c } from "../cell.js"; open; c;`,
    "src/engine/index.ts": `import "../store/lmdb/index.js"; import "../threads/index.js";`,
    "test/kit/until.ts": `export const until = 1;`,
    "test/end-to-end/page.test.ts": `import "../../src/store/lmdb/index.js"; import "playwright-core"; import "../kit/until.js";`,
    "bench/report.bench.ts": `import "../src/engine/index.js"; import "../test/kit/until.js";`,
    "web/main.ts": `import uPlot from "uplot"; import type { s } from "../src/store/index.js"; import "./chart.js"; uPlot;`,
    "web/chart.ts": ``,
  });

  assert.deepEqual(problems, []);
});

for (const [what, files, expected] of [
  [
    "an import against the table, type-only included",
    { "src/base/clock.ts": `import type { X } from "../threads/index.js";`, "src/threads/index.ts": "" },
    "src/base/clock.ts:1 base may not import threads",
  ],
  [
    "an import past the door",
    { "src/threads/a.ts": `\nexport * from "../base/clock.js";`, "src/base/clock.ts": "" },
    "src/threads/a.ts:2 base is entered by its door src/base/index.ts, not by src/base/clock.ts",
  ],
  [
    "a type taken with import()",
    { "src/base/a.ts": `export type T = import("../store/index.js").S;`, "src/store/index.ts": "" },
    "src/base/a.ts:1 base may not import store",
  ],
  [
    "a door of its own entered by another than engine",
    { "src/cli/a.ts": `import "../store/lmdb/index.js";`, "src/store/lmdb/index.ts": "" },
    "src/cli/a.ts:1 cli may not import store/lmdb",
  ],
  [
    "a module that opens its own heavy door",
    { "src/store/index.ts": `export * from "./lmdb/index.js";`, "src/store/lmdb/index.ts": "" },
    "src/store/index.ts:1 store may not import store/lmdb",
  ],
  [
    "a package outside its module",
    { "src/store/a.ts": `import { open } from "lmdb";` },
    "src/store/a.ts:1 store may not import the package lmdb",
  ],
  [
    "a scoped package outside its module",
    { "src/sketch/a.ts": `import { parse } from "@marcbachmann/cel-js/sub";` },
    "src/sketch/a.ts:1 sketch may not import the package @marcbachmann/cel-js",
  ],
  [
    "a test package in the product",
    { "src/base/a.ts": `import fc from "fast-check";` },
    "src/base/a.ts:1 base may not import the package fast-check",
  ],
  [
    "import() of a variable",
    { "src/engine/a.ts": `await import(name);` },
    "src/engine/a.ts:1 import() of something that is not a literal: name the file, or add it to dynamicImports in scripts/layers.mjs",
  ],
  [
    "import() against the table",
    { "src/base/a.ts": `await import("../engine/index.js");`, "src/engine/index.ts": "" },
    "src/base/a.ts:1 base may not import engine",
  ],
  [
    "a thread entry with another name",
    { "src/threads/a.ts": `new URL("./b.js", import.meta.url);`, "src/threads/b.ts": "" },
    "src/threads/a.ts:1 ./b.js is started as a thread: its source must be named *.thread.ts",
  ],
  [
    "a thread entry that does not exist",
    { "src/threads/a.ts": `new URL("./b.thread.js", import.meta.url);` },
    "src/threads/a.ts:1 thread entry src/threads/b.thread.ts does not exist",
  ],
  [
    "a thread entry that nobody starts",
    { "src/threads/b.thread.ts": "" },
    "src/threads/b.thread.ts is a thread entry that nobody starts",
  ],
  [
    "a test helper in the product",
    { "src/base/a.ts": `import "../../test/kit/until.js";`, "test/kit/until.ts": "" },
    "src/base/a.ts:1 test/kit/until.ts is for tests only",
  ],
  [
    "a value from the server in the page",
    { "web/a.ts": `import { x } from "../src/server/index.js";`, "src/server/index.ts": "" },
    "web/a.ts:1 web may import only types from the doors of pipeline, store, server, not src/server/index.ts",
  ],
  [
    "a module without a row",
    { "src/utils/a.ts": "" },
    'src/utils/a.ts is in module "utils", which has no row in scripts/layers.mjs',
  ],
  [
    "a cycle of type-only imports inside a module",
    {
      "src/base/a.ts": `import type { B } from "./b.js"; export type A = B;`,
      "src/base/b.ts": `import type { C } from "./c.js"; export type B = C;`,
      "src/base/c.ts": `import { type A } from "./a.js"; export type C = A;`,
    },
    "cycle: src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts",
  ],
])
  test(`checkLayers() refuses ${what}`, (t) => {
    assert.deepEqual(problemsIn(t, files), [expected]);
  });

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { parse } from "@babel/parser";
import { inRoot } from "../../scripts/paths.mjs";

/** Doors whose reference names all that they export. */
const pages = {
  "src/http/index.ts": ["docs/reference/http-metrics.md"],
  "src/locks/index.ts": ["docs/reference/locks.md"],
  "src/metrics/index.ts": [
    "docs/reference/metrics.md",
    "docs/reference/metrics-formats.md",
    "docs/reference/metrics-otlp.md",
    "docs/reference/metrics-processes.md",
    "docs/reference/metrics-runtime.md",
  ],
  "src/sketch/index.ts": ["docs/reference/sketch.md"],
};

for (const [door, parts] of Object.entries(pages))
  test(`${parts[0]} names every export of ${door}`, () => {
    const text = parts.map((page) => readFileSync(inRoot(page), "utf8")).join("\n");

    const unnamed = exportsOf(readFileSync(inRoot(door), "utf8")).filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(text),
    );

    assert.deepEqual(unnamed, []);
  });

test("exportsOf() takes the outer names, also of types", () => {
  assert.deepEqual(
    exportsOf('export { a, type B, c as d } from "./a.js";\nexport type { E } from "./e.js";'),
    ["a", "B", "d", "E"],
  );
});

function exportsOf(source) {
  const { program } = parse(source, { sourceType: "module", plugins: ["typescript"] });
  return program.body.flatMap(({ specifiers = [] }) => specifiers.map(({ exported }) => exported.name));
}

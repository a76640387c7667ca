import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { parse } from "@babel/parser";
import { inRoot } from "../../scripts/paths.mjs";

/** Doors whose reference names all that they export. */
const pages = {
  "src/locks/index.ts": "docs/reference/locks.md",
  "src/sketch/index.ts": "docs/reference/sketch.md",
};

for (const [door, page] of Object.entries(pages))
  test(`${page} names every export of ${door}`, () => {
    const text = readFileSync(inRoot(page), "utf8");

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

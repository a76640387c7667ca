import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { Discoverer } from "./discovery.js";
import { testDirectory } from "./reader.testkit.js";
import { isRotationOf, rotationStem } from "./siblings.js";

const NAMES = [
  "app.log",
  "app.log.1",
  "b[1].log",
  ".hidden.log",
  "logs/a.jsonl",
  "logs/b.json",
  "logs/2025/01/a.jsonl",
  "logs/2025/02/b.jsonl",
  "logs/.cache/c.jsonl",
  "logs/old.jsonl.gz",
  "hourly/20241210/9",
  "hourly/20241210/10",
];

function makeTree(t: TestContext): string {
  const root = testDirectory(t);
  for (const name of NAMES) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), name);
  }
  symlinkSync("..", join(root, "logs", "loop"));
  return root;
}

async function find(root: string, ...patterns: string[]): Promise<string[]> {
  const found = await new Discoverer(patterns.map((pattern) => join(root, pattern))).find();
  return found.files.map(({ path }) => relative(root, path));
}

for (const [pattern, expected] of [
  ["*.log", ["app.log", "b[1].log"]],
  ["app.log*", ["app.log", "app.log.1"]],
  ["app.???", ["app.log"]],
  [".*.log", [".hidden.log"]],
  ["logs/**/*.jsonl", ["logs/a.jsonl", "logs/2025/01/a.jsonl", "logs/2025/02/b.jsonl"]],
  ["**/02/*", ["logs/2025/02/b.jsonl"]],
  ["logs/*.{json,jsonl}", ["logs/b.json", "logs/a.jsonl"]],
  ["logs/{2025/{01,02}/*,b.*}", ["logs/2025/01/a.jsonl", "logs/2025/02/b.jsonl", "logs/b.json"]],
  ["hourly/2024????/[0-9]", ["hourly/20241210/9"]],
  ["hourly/*/[!9]*", ["hourly/20241210/10"]],
  ["logs", ["logs/a.jsonl", "logs/b.json"]],
  ["b[1].log", ["b[1].log"]],
  ["b\\[1\\].lo?", ["b[1].log"]],
  ["*/a.jsonl", ["logs/a.jsonl"]],
  ["logs/[z-a].json", []],
] as const)
  test(`Discoverer.find() of ${pattern}`, async (t) => {
    assert.deepEqual(await find(makeTree(t), pattern), expected);
  });

test("Discoverer.find() says what it does not find or read", async (t) => {
  const root = makeTree(t);
  const patterns = ["none.log", "*.none", "logs/old.jsonl.gz", "logs"].map((name) => join(root, name));

  const { problems, ignored } = await new Discoverer(patterns).find();

  assert.deepEqual(
    [...problems].map(([path, message]) => [relative(root, path), message]),
    [
      ["none.log", "no such file"],
      ["*.none", "no file matches (yet)"],
      ["logs/old.jsonl.gz", "compressed files are not read"],
    ],
  );
  assert.deepEqual(ignored.length, 1);
});

for (const pattern of ["a[b", "{a,b", `${"{a,b}".repeat(11)}`])
  test(`Discoverer refuses ${pattern}`, () => {
    assert.throws(() => new Discoverer([pattern]), { code: "TAIL_PATTERN_INVALID" });
  });

test("rotationStem() and isRotationOf() know the usual names", () => {
  for (const name of ["app.log.1", "app.log-20240131", "app.log.2024-01-31.2", "app.log.old", "app.log"])
    assert.equal(rotationStem(`/x/${name}`), "app.log");
  for (const name of ["app.log.1", "app.log-20240131", "app.log_3"]) assert.ok(isRotationOf("app.log", name));
  for (const name of ["app.log", "app.logger", "app.log.bak", "app.log.txt", "app.log~"])
    assert.ok(!isRotationOf("app.log", name));
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import test from "node:test";
import { layers, libraryDoors, testPackages } from "../../scripts/layers.mjs";
import { inRoot, rootDir } from "../../scripts/paths.mjs";

const manifest = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
const { "./package.json": _self, ...subpaths } = manifest.exports;

test("exports has each library door that exists, and each target exists after the build", () => {
  const doors = libraryDoors.filter((door) => existsSync(inRoot(`src/${door}/index.ts`)));

  assert.deepEqual(Object.keys(subpaths), [".", ...doors.map((door) => `./${door}`).sort()]);
  for (const { types, default: code } of Object.values(subpaths)) {
    assert.ok(existsSync(inRoot(types)), types);
    assert.ok(existsSync(inRoot(code)), code);
  }
});

for (const subpath of Object.keys(subpaths))
  test(`${subpath.replace(/^\./, "poundlock")} can be imported by its public name`, async () => {
    const door = await import(subpath.replace(/^\./, "poundlock"));

    assert.ok(Object.keys(door).length > 0);
  });

test("the package holds what it promises, and no tests, benches or sources", () => {
  const npm = process.env.npm_execpath;
  const [command, args] =
    npm !== undefined && basename(npm) === "npm-cli.js" ? [process.execPath, [npm]] : ["npm", []];

  const { stdout, stderr } = spawnSync(
    command,
    [...args, "pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"],
    { cwd: rootDir, encoding: "utf8" },
  );

  const packed = JSON.parse(stdout || stderr);
  const [{ files }] = Array.isArray(packed) ? packed : Object.values(packed);
  const paths = files.map(({ path }) => path);
  for (const { types, default: code } of Object.values(subpaths))
    for (const target of [types, code]) assert.ok(paths.includes(target.slice(2)), `${target} is not packed`);
  for (const target of Object.values(manifest.bin))
    assert.ok(paths.includes(target), `${target} is not packed`);
  const isUnwanted = (path) =>
    /\.(?:test|bench|fuzz)\.|^(?:src|test|bench|scripts|web|dist\/test|dist\/bench)\/|\.map$/.test(path);
  assert.deepEqual(paths.filter(isUnwanted), []);
});

test("what the product imports is a dependency, and what only tests and tools import is not", () => {
  const imported = new Set(layers.flatMap((layer) => layer.packages ?? []));
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });

  assert.deepEqual(
    dependencies.filter((name) => !imported.has(name)),
    [],
  );
  const installed = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const name of testPackages) assert.ok(name in installed, name);
});

test("each dependency has its decision page", () => {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  const pages = readFileSync(inRoot("docs/decisions/README.md"), "utf8");

  assert.deepEqual(
    names.filter((name) => !pages.includes(`\`${name}\``)),
    [],
  );
});

test("the list of decisions has every page", () => {
  const list = readFileSync(inRoot("docs/decisions/README.md"), "utf8");
  const pages = readdirSync(inRoot("docs/decisions")).filter((page) => page !== "README.md");

  assert.deepEqual(
    pages.filter((page) => !list.includes(`(${page})`)),
    [],
  );
});

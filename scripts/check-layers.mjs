import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { cyclesOf } from "./cycles.mjs";
import { importsOf } from "./imports.mjs";
import { benchPackages, dynamicImports, layerOf, layers, testPackages, web } from "./layers.mjs";
import { rootDir } from "./paths.mjs";
import { isProgram, report, sourceFiles } from "./source-files.mjs";

/** Holds src, test, bench and web below `root` to the table in layers.mjs. @returns what is wrong, one line each */
export function checkLayers(root) {
  const files = ["src", "test", "bench", "web"].flatMap((dir) => sourceFiles(root, dir, [".ts"]));
  const problems = [];
  const graph = new Map();
  const entries = new Set();
  for (const file of files) {
    const edges = [];
    for (const named of importsOf(readFileSync(join(root, file), "utf8"))) {
      const target = named.target?.startsWith(".") ? sourceOf(file, named.target) : undefined;
      const problem = judge({ root, file, ...named, path: target });
      if (problem !== undefined) problems.push(`${file}:${named.line} ${problem}`);
      if (target === undefined) continue;
      if (named.kind === "file") entries.add(target);
      else edges.push(target);
    }
    if (!isTestFile(file)) graph.set(file, edges);
  }
  for (const file of files)
    if (file.startsWith("src/") && moduleOf(file) !== undefined && layerOf(moduleOf(file)) === undefined)
      problems.push(`${file} is in module "${moduleOf(file)}", which has no row in scripts/layers.mjs`);
  for (const file of files)
    if (isThreadEntry(file) && !entries.has(file))
      problems.push(`${file} is a thread entry that nobody starts`);
  for (const cycle of cyclesOf(graph)) problems.push(`cycle: ${[...cycle, cycle[0]].join(" → ")}`);
  return { problems, fileCount: files.length };
}

function judge(named) {
  const { kind, target, path, file } = named;
  if (kind === "unknown")
    return dynamicImports[file] === undefined
      ? "import() of something that is not a literal: name the file, or add it to dynamicImports in scripts/layers.mjs"
      : undefined;
  if (kind === "file") return judgeNamedFile(named);
  return path === undefined ? judgePackage(file, target) : judgeImport(file, path, kind);
}

/** A script named by URL runs in a thread of its own, and only a *.thread.ts of the same module is made for that. */
function judgeNamedFile({ root, file, target, path }) {
  if (!file.startsWith("src/") || isTestFile(file) || !/\.[mc]?js$/.test(target)) return undefined;
  if (!isThreadEntry(path)) return `${target} is started as a thread: its source must be named *.thread.ts`;
  if (!existsSync(join(root, path))) return `thread entry ${path} does not exist`;
  return moduleOf(path) === moduleOf(file) ? undefined : `thread entry ${path} belongs to another module`;
}

function judgePackage(file, target) {
  if (target.startsWith("node:")) return file.startsWith("web/") ? `a browser has no ${target}` : undefined;
  const name = target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
  const isAllowed =
    allowedPackages(file).has(name) ||
    (isTestFile(file) && testPackages.includes(name)) ||
    (file.startsWith("bench/") && benchPackages.includes(name));
  return isAllowed ? undefined : `${placeOf(file)} may not import the package ${name}`;
}

function allowedPackages(file) {
  if (file.startsWith("web/")) return new Set(web.packages);
  if (!file.startsWith("src/")) return new Set(layers.flatMap((layer) => layer.packages ?? []));
  return layerOf(moduleOf(file))?.packages ?? new Set();
}

function judgeImport(file, path, kind) {
  const isTest = isTestFile(file);
  if (isThreadEntry(path) && kind !== "type" && !isTest)
    return `${path} is a thread entry: importing it would run it`;
  if (isTestFile(path) && !isTest) return `${path} is for tests only`;
  if (!path.startsWith("src/"))
    return sameArea(file, path, isTest) ? undefined : `${placeOf(file)} may not import ${path}`;
  if (file.startsWith("web/"))
    return web.shared.includes(path) ||
      (kind === "type" && web.types.some((name) => path === `src/${name}/index.ts`))
      ? undefined
      : `web may import only types from the doors of ${web.types.join(", ")}, not ${path}`;
  return judgeModules(file, path, isTest);
}

/** Between src, test, bench and web: tests and benches may use test/kit, everything else stays at home. */
function sameArea(file, path, isTest) {
  const [home] = file.split("/");
  return path.startsWith(`${home}/`) || (isTest && path.startsWith("test/kit/"));
}

function judgeModules(file, path, isTest) {
  const from = moduleOf(file);
  const to = moduleOf(path);
  if (from === to) return undefined;
  if (from?.startsWith(`${to}/`)) return undefined;
  if (isTest && to?.startsWith(`${from}/`)) return undefined;
  if (to === undefined) return `nothing may import ${path}`;
  if (path !== `src/${to}/index.ts`) return `${to} is entered by its door src/${to}/index.ts, not by ${path}`;
  if (from === undefined)
    return file.startsWith("src/") && to.includes("/") ? `the package's door may not open ${to}` : undefined;
  return layerOf(from)?.imports.has(to) ? undefined : `${from} may not import ${to}`;
}

/** The module of a file in src; undefined for src/index.ts and for files elsewhere. */
function moduleOf(file) {
  const [area, ...rest] = posix.dirname(file).split("/");
  if (area !== "src" || rest.length === 0) return undefined;
  const ownDoor = rest.slice(0, 2).join("/");
  return rest.length > 1 && layerOf(ownDoor) !== undefined ? ownDoor : rest[0];
}

function placeOf(file) {
  return moduleOf(file) ?? file.split("/")[0];
}

function sourceOf(file, target) {
  return posix.join(posix.dirname(file), target).replace(/\.js$/, ".ts");
}

function isThreadEntry(file) {
  return file.endsWith(".thread.ts");
}

function isTestFile(file) {
  return !/^(?:src|web)\//.test(file) || /\.(?:test|bench|fuzz)(?:\.thread)?\.ts$/.test(file);
}

if (isProgram(import.meta)) {
  const { problems, fileCount } = checkLayers(rootDir);
  report("check-layers", problems, `${fileCount} files`);
}

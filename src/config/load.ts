import { access, readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { codeOf, messageOf } from "../base/index.js";
import type { Config, ServerConfig, StoreConfig } from "./config.js";
import { type ConfigDocument, readDocument } from "./document.js";
import type { Environment } from "./environment.js";
import { ConfigError, ConfigFileError } from "./errors.js";
import { findingsOf, missing } from "./findings.js";
import {
  type LoadedConfig,
  type ServerChoice,
  type StoreChoice,
  serverDefaults,
  storeFolderDefault,
} from "./loaded-config.js";
import { type ConfigProblem, type Finding, pathText } from "./problem.js";
import { type ConfigNames, RuleReader } from "./rules.js";
import { schema } from "./schema.js";
import { parseDuration, parseSize } from "./units.js";

/** Looked for in this order; two at once is an error, since a person would edit the one that is not read. */
export const configNames: readonly string[] = [
  "poundlock.yaml",
  "poundlock.yml",
  "poundlock.config.ts",
  "poundlock.config.mjs",
  "poundlock.config.js",
];

/** @throws ConfigFileError when there is none in `folder`, or more than one */
export async function findConfigFile(folder: string): Promise<string> {
  const found: string[] = [];
  for (const name of configNames) {
    const file = resolve(folder, name);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      found.push(file);
  }
  const [first, second] = found;
  if (first === undefined) {
    const hint = "Name one with -c, or watch files without any: poundlock FILE…";
    throw new ConfigFileError(resolve(folder, "poundlock.yaml"), "there is no configuration here", { hint });
  }
  if (second === undefined) return first;
  throw new ConfigFileError(folder, `it has both ${basename(first)} and ${basename(second)}`, {
    hint: "Keep one, or name one with -c",
  });
}

/** @throws ConfigError with every mistake found · ConfigFileError when it cannot be read */
export async function readConfig(file: string, environment: Environment): Promise<LoadedConfig> {
  const path = resolve(file);
  const document = isCode(path)
    ? await codeDocument(file, path)
    : await yamlDocument(file, path, environment);
  if (document.problems.length > 0) throw new ConfigError(file, sorted(document.problems));
  return checkDocument(file, dirname(path), document);
}

/** The same for a text that is not in a file. @throws ConfigError */
export function readConfigText(
  text: string,
  options: { file: string; baseDir: string; environment: Environment },
): LoadedConfig {
  const document = readDocument(options.file, text, options.environment);
  if (document.problems.length > 0) throw new ConfigError(options.file, sorted(document.problems));
  return checkDocument(options.file, options.baseDir, document);
}

function checkDocument(file: string, baseDir: string, document: ConfigDocument): LoadedConfig {
  const checked = schema.safeParse(document.data);
  const shape = checked.success ? [] : findingsOf(checked.error.issues, document.data);
  const config = checked.success ? checked.data : soundPart(document.data, shape);
  const reader = new RuleReader(config, namesOf(document.data), (path) => resolve(baseDir, path));
  const sources = reader.sources();
  const metrics = reader.metrics();
  const hasNone = checked.success && sources.length === 0;
  const findings = [...shape, ...reader.findings, ...(hasNone ? [missing(["sources", "NAME"])] : [])];
  if (findings.length > 0) throw problems(file, document, findings);
  return {
    file,
    baseDir,
    sources,
    metrics,
    store: storeChoice(config.store, baseDir),
    server: serverChoice(config.server),
    ...(config.self === undefined
      ? {}
      : { self: { everyMs: parseDuration(config.self.every ?? "10s") ?? 0 } }),
    warnings: reader.warnings,
  };
}

const entries = (data: unknown, section: "sources" | "metrics"): [string, unknown][] => {
  const value = (data as Record<string, unknown> | null | undefined)?.[section];
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
};

function namesOf(data: unknown): ConfigNames {
  const [sources, metrics] = [entries(data, "sources"), entries(data, "metrics")];
  return { sources: sources.map(([name]) => name), metrics: metrics.map(([name]) => name) };
}

/** The entries that the schema found nothing wrong with, so that one run also shows what only a second look finds. */
function soundPart(data: unknown, findings: readonly Finding[]): Config {
  const isSound = (section: string, name: string): boolean =>
    !findings.some(({ path }) => path[0] === section && (path.length === 1 || path[1] === name));
  const sound = (section: "sources" | "metrics"): Record<string, never> =>
    Object.fromEntries(entries(data, section).filter(([name]) => isSound(section, name))) as Record<
      string,
      never
    >;
  return { version: 1, sources: sound("sources"), metrics: sound("metrics") };
}

function problems(file: string, document: ConfigDocument, findings: readonly Finding[]): ConfigError {
  return new ConfigError(file, sorted(findings.map((finding) => document.locate(finding))));
}

function sorted(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

function storeChoice(store: StoreConfig | undefined, baseDir: string): StoreChoice {
  const stateBytesMax = store?.stateBytesMax === undefined ? undefined : parseSize(store.stateBytesMax);
  const budget = stateBytesMax === undefined ? {} : { stateBytesMax };
  if (store?.type === "memory") return { kind: "memory", ...budget };
  return {
    kind: "lmdb",
    path: resolve(baseDir, store?.path ?? storeFolderDefault),
    ...(store?.durability === undefined ? {} : { durability: store.durability }),
    ...budget,
  };
}

function serverChoice(server: ServerConfig | undefined): ServerChoice {
  return {
    host: server?.host ?? serverDefaults.host,
    port: Number(server?.port ?? serverDefaults.port),
    isPortExplicit: server?.port !== undefined,
    ...(server?.token === undefined ? {} : { token: server.token }),
    ...(server?.allowedHosts === undefined ? {} : { allowedHosts: [server.allowedHosts].flat() }),
  };
}

const isCode = (path: string): boolean => [".js", ".mjs", ".ts", ".mts"].includes(extname(path));

async function yamlDocument(file: string, path: string, environment: Environment): Promise<ConfigDocument> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
  return readDocument(file, text.replace(/^\uFEFF/, ""), environment);
}

function unreadable(file: string, error: unknown): ConfigFileError {
  const code = codeOf(error);
  const why = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "permission denied" }[
    code
  ];
  return new ConfigFileError(file, why ?? messageOf(error), { cause: error });
}

/** A configuration in code has no text to point at: its mistakes name the path alone. */
async function codeDocument(file: string, path: string): Promise<ConfigDocument> {
  await access(path).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (/\.m?ts$/.test(path) && !(process.features as { typescript?: unknown }).typescript) {
    throw new ConfigFileError(file, `this Node.js (${process.version}) cannot load TypeScript`, {
      hint: "Use Node.js 22.18 or later, or write the file as poundlock.config.mjs",
    });
  }
  const module = await importModule(file, path);
  return {
    data: module.default,
    problems: [],
    locate: (finding) => ({
      code: finding.code,
      file,
      line: 0,
      column: 0,
      width: 0,
      text: "",
      path: pathText(finding.path),
      message: finding.message,
      expected: finding.expected,
      fix: finding.fix,
    }),
  };
}

async function importModule(file: string, path: string): Promise<{ readonly default: Config }> {
  let module: { readonly default?: Config };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: Config };
  } catch (error) {
    throw new ConfigFileError(file, `it failed while loading: ${messageOf(error)}`, { cause: error });
  }
  if (module.default === undefined) {
    throw new ConfigFileError(file, "it has no default export", {
      hint: "export default defineConfig({ … })",
    });
  }
  return { default: module.default };
}

import type { ProblemPath } from "./problem.js";

const metricBase = ["kind", "from", "by", "where", "groupsMax", "windows"];

const metricKeys: Readonly<Record<string, readonly string[]>> = {
  count: metricBase,
  rate: metricBase,
  sum: [...metricBase, "value", "unit"],
  gauge: [...metricBase, "value", "unit"],
  distribution: [...metricBase, "value", "unit"],
  ratio: ["kind", "of", "where", "groupsMax", "windows"],
};

const topKeys = ["version", "sources", "metrics", "store", "server", "self"];
const sourceKeys = ["type", "path", "format", "time", "where", "from", "lineBytesMax"];
const storeKeys: Readonly<Record<string, readonly string[]>> = {
  lmdb: ["type", "path", "durability", "stateBytesMax"],
  memory: ["type", "stateBytesMax"],
};
const serverKeys = ["host", "port", "token", "allowedHosts"];
const selfKeys = ["every"];
const timeKeys = ["field", "format"];

export const metricKinds: readonly string[] = Object.keys(metricKeys);
export const storeTypes: readonly string[] = Object.keys(storeKeys);
export const sourceTypes: readonly string[] = ["file"];

/** Words of the grammar that other versions of Poundlock know; said so instead of "unknown". */
export const notInThisVersion = {
  keys: ["handlers", "presets"],
  sourceTypes: ["http", "otlp", "statsd", "websocket", "session", "sessions", "telegram", "voice"],
  storeTypes: ["redis"],
  metricKinds: ["session", "pair", "distinct", "top"],
} as const;

/** The word that decides which keys stand beside it: a source's type, a metric's kind. */
function wordAt(value: unknown, key: string): string {
  const word =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof word === "string" ? word : "";
}

function keysOf(
  table: Readonly<Record<string, readonly string[]>>,
  word: string,
): readonly string[] | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

/** Keys that may stand in the mapping at `path`; empty when it has names of your own, or is no mapping. */
export function keysAt(path: ProblemPath, value: unknown): readonly string[] {
  const [section] = path;
  if (path.length === 0) return topKeys;
  if (path.length === 1 && section === "store")
    return keysOf(storeKeys, wordAt(value, "type")) ?? storeKeys.lmdb!;
  if (path.length === 1 && section === "server") return serverKeys;
  if (path.length === 1 && section === "self") return selfKeys;
  if (path.length === 2 && section === "sources") return sourceKeys;
  if (path.length === 2 && section === "metrics")
    return keysOf(metricKeys, wordAt(value, "kind")) ?? metricBase;
  if (path.length === 3 && section === "sources" && path[2] === "time") return timeKeys;
  return [];
}

/** Where a key that is wrong at `path` would be right: one level up or down, in words; undefined when nowhere near. */
export function rightPlace(key: string, path: ProblemPath): string | undefined {
  const up = path.slice(0, -1);
  if (path.length > 0 && keysAt(up, undefined).includes(key)) {
    return `it belongs one level up, beside \`${String(path[path.length - 1])}\``;
  }
  if (path.length === 2 && topKeys.includes(key)) return "it belongs at the top level, not indented";
  if (path.length > 0) return undefined;
  if (sourceKeys.includes(key) && key !== "where" && key !== "from") return "it belongs into a source";
  if (metricKeys.distribution!.includes(key) || key === "of") return "it belongs into a metric";
  if (serverKeys.includes(key)) return "it belongs into `server`";
  return undefined;
}

import { basename, resolve } from "node:path";
import {
  type FileSource,
  type LoadedConfig,
  type ServerChoice,
  type StoreChoice,
  serverDefaults,
  type Understanding,
} from "../config/index.js";
import type { MetricRule } from "../pipeline/index.js";
import { refuseEndlessPatterns } from "./endless-patterns.js";
import { understandFiles } from "./look.js";
import type { ReadOptions } from "./options.js";
import { metricsFromOptions, sourceFromOptions } from "./rules-from-options.js";

export interface WatchChoices extends ReadOptions {
  readonly time?: string;
  readonly from?: "start" | "end";
  readonly port?: number;
  readonly host?: string;
  readonly store?: string;
}

/** A configuration for files without one, and what was understood of each kind of file. */
export interface WatchPlan {
  readonly config: LoadedConfig;
  readonly looks: readonly { readonly label: string; readonly found: Understanding }[];
}

/** Files that read alike make one source; files of another format, or with another time, make one of their own. */
export async function planWatch(
  files: readonly string[],
  choices: WatchChoices,
  folder: string,
): Promise<WatchPlan> {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const { found } = await understandFiles([file], choices);
    const kind = JSON.stringify([found.formatText, found.time]);
    groups.set(kind, [...(groups.get(kind) ?? []), file]);
  }
  const looks: { label: string; found: Understanding }[] = [];
  const sources: FileSource[] = [];
  const metrics: MetricRule[] = [];
  for (const group of groups.values()) {
    const look = await understandFiles(group, choices);
    looks.push(look);
    const name = freeName(group, sources);
    const { format, time } = look.found;
    await refuseEndlessPatterns(group, format, choices.where);
    const patterns = group.map((path) => resolve(folder, path));
    sources.push({
      rule: sourceFromOptions(name, format, time, choices.where),
      patterns,
      from: choices.from ?? "start",
    });
    const isAlone = groups.size === 1;
    metrics.push(...rulesFor(look.found, choices).map((rule) => (isAlone ? rule : ofSource(rule, name))));
  }
  return {
    config: {
      baseDir: folder,
      sources,
      metrics,
      store: storeOf(choices, folder),
      server: serverOf(choices),
      warnings: [],
    },
    looks,
  };
}

/** What was asked for takes the place of what was guessed; the time and format are still needed for charts. */
function rulesFor(found: Understanding, choices: WatchChoices): readonly MetricRule[] {
  return choices.by === undefined && choices.value === undefined
    ? found.metrics
    : metricsFromOptions(choices);
}

function ofSource(rule: MetricRule, source: string): MetricRule {
  const named = { ...rule, name: `${source}.${rule.name}`, from: [source] };
  return named.kind === "ratio" ? { ...named, of: `${source}.${named.of}` } : named;
}

/** `app` for `logs/app.jsonl`, with a number when it is taken. */
function freeName(files: readonly string[], sources: readonly FileSource[]): string {
  const plain = basename(files[0] ?? "")
    .replace(/\.[^.]*$/, "")
    .replace(/[^\p{L}\p{N}_-]+/gu, "_");
  const base = plain.replace(/^_+|_+$/g, "").slice(0, 60) || "files";
  const isTaken = (name: string): boolean => sources.some(({ rule }) => rule.name === name);
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? base : `${base}_${i}`;
    if (!isTaken(name)) return name;
  }
}

function storeOf({ store }: WatchChoices, folder: string): StoreChoice {
  return store === undefined ? { kind: "memory" } : { kind: "lmdb", path: resolve(folder, store) };
}

export function serverOf({ port, host }: Pick<WatchChoices, "port" | "host">): ServerChoice {
  return {
    ...serverDefaults,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port, isPortExplicit: true }),
  };
}

import type { TimeFormat } from "../events/index.js";

/** `250ms`, `10s`, `5m`, `2h` or `1d`. */
export type DurationText = string;
/** `65536` (bytes), `64KiB`, `64MiB` or `2GiB`. */
export type SizeText = string | number;

/** What stands in `poundlock.yaml`, or what `defineConfig` takes. */
export interface Config {
  readonly version: 1;
  readonly sources: Readonly<Record<string, FileSourceConfig>>;
  readonly metrics?: Readonly<Record<string, MetricConfig>>;
  readonly store?: StoreConfig;
  readonly server?: ServerConfig;
  /** Keeps what Poundlock measures of itself in the store, beside everything else. @default nothing is kept */
  readonly self?: SelfConfig;
}

export interface FileSourceConfig {
  readonly type: "file";
  /** Files, directories or globs; relative ones start at the config's folder. */
  readonly path: string | readonly string[];
  /** `json`, `logfmt`, `combined`, or a regular expression with named groups. @default "json" */
  readonly format?: string;
  /** A field's path, `arrival`, `none`, or a field with its format. Required unless the format is `combined`. */
  readonly time?: string | { readonly field: string; readonly format?: TimeFormat };
  /** CEL; events it does not hold for are dropped and counted as such. */
  readonly where?: string;
  /** Where a file never seen before starts. @default "start" */
  readonly from?: "start" | "end";
  /** Longest line, 1 KiB..64 MiB; a longer one goes to the dead letters. @default 1 MiB */
  readonly lineBytesMax?: SizeText;
}

export interface MetricConfigBase {
  /** Names of sources; all when absent. */
  readonly from?: string | readonly string[];
  /** Field paths; one group for each combination of their values. */
  readonly by?: string | readonly string[];
  /** CEL; an event it does not hold for is not in this metric. */
  readonly where?: string;
  /** Groups kept, 1..1,000,000; the rest share one overflow group. @default 10,000 */
  readonly groupsMax?: number;
  /** Spans to show. */
  readonly windows?: readonly DurationText[];
}

export interface CountConfig extends MetricConfigBase {
  readonly kind: "count" | "rate";
}

export interface ValueConfig extends MetricConfigBase {
  readonly kind: "sum" | "gauge" | "distribution";
  /** A field's path or CEL. */
  readonly value: string;
  /** What the number counts: `ms`, `s`, `bytes`, `orders`, … Never guessed. */
  readonly unit: string;
}

export interface RatioConfig {
  readonly kind: "ratio";
  /** Name of a count; the ratio has its sources and groups. */
  readonly of: string;
  readonly where: string;
  readonly groupsMax?: number;
  readonly windows?: readonly DurationText[];
}

export type MetricConfig = CountConfig | ValueConfig | RatioConfig;

export interface LmdbStoreConfig {
  readonly type: "lmdb";
  /** Folder of the store. @default "./.poundlock" */
  readonly path?: string;
  /** When a settlement counts as done: on disk, or on disk within a second. @default "interval" */
  readonly durability?: "always" | "interval";
  /** Budget of the whole state. @default 1 GiB */
  readonly stateBytesMax?: SizeText;
}

export interface MemoryStoreConfig {
  readonly type: "memory";
  readonly stateBytesMax?: SizeText;
}

export type StoreConfig = LmdbStoreConfig | MemoryStoreConfig;

export interface ServerConfig {
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0 lets the system choose; as text too, because `"${PORT}"` is text. @default 4600, or the next free one */
  readonly port?: number | string;
  /** Asked of every caller beyond this machine; give it as `${NAME}`. */
  readonly token?: string;
  /** Names that browsers know this server by, behind a proxy for example. */
  readonly allowedHosts?: string | readonly string[];
}

export interface SelfConfig {
  /** Pause between two settlements, 1s..1h. @default "10s" */
  readonly every?: DurationText;
}

/** Gives an editor the types of the configuration; returns what it was given. */
export function defineConfig(config: Config): Config {
  return config;
}

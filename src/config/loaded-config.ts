import type { MetricRule, SourceRule } from "../pipeline/index.js";

/** A source of the kind `file`: its rule, and where its bytes are. */
export interface FileSource {
  readonly rule: SourceRule;
  /** Files, directories or globs; absolute. */
  readonly patterns: readonly string[];
  readonly from: "start" | "end";
  /** Absent for the tail's own default. */
  readonly lineBytesMax?: number;
  /** A field was named without a format: `settleTimeFormats` decides it from the first lines. */
  readonly isTimeFormatOpen?: true;
}

export type StoreChoice =
  | {
      readonly kind: "lmdb";
      /** Absolute folder. */
      readonly path: string;
      readonly durability?: "always" | "interval";
      readonly stateBytesMax?: number;
    }
  | { readonly kind: "memory"; readonly stateBytesMax?: number };

export interface ServerChoice {
  readonly host: string;
  readonly port: number;
  /** The port was asked for by name: when it is busy, nothing starts. */
  readonly isPortExplicit: boolean;
  readonly token?: string;
  readonly allowedHosts?: readonly string[];
}

export interface SelfChoice {
  readonly everyMs: number;
}

/** One normal form, whatever the configuration was written in. */
export interface LoadedConfig {
  /** The file it came from; absent when it was made from the command line. */
  readonly file?: string;
  /** Relative paths start here; absolute. */
  readonly baseDir: string;
  readonly sources: readonly FileSource[];
  readonly metrics: readonly MetricRule[];
  readonly store: StoreChoice;
  readonly server: ServerChoice;
  readonly self?: SelfChoice;
  /** Things that work and are probably a mistake, one sentence each. */
  readonly warnings: readonly string[];
}

export const serverDefaults: ServerChoice = { host: "127.0.0.1", port: 4600, isPortExplicit: false };
export const storeFolderDefault = ".poundlock";

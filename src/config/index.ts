import type { LoadedConfig } from "./loaded-config.js";

export {
  type Config,
  type CountConfig,
  type DurationText,
  defineConfig,
  type FileSourceConfig,
  type LmdbStoreConfig,
  type MemoryStoreConfig,
  type MetricConfig,
  type RatioConfig,
  type ServerConfig,
  type SizeText,
  type StoreConfig,
  type ValueConfig,
} from "./config.js";
export { type DetectedFormat, detectFormat } from "./detect-format.js";
export type { Environment } from "./environment.js";
export { ConfigError, ConfigFileError } from "./errors.js";
export { fieldExpression } from "./field-expression.js";
export {
  type FileSource,
  type LoadedConfig,
  type ServerChoice,
  type StoreChoice,
  serverDefaults,
  storeFolderDefault,
} from "./loaded-config.js";
export { nearestName } from "./nearest.js";
export type { ConfigProblem, ProblemCode } from "./problem.js";
export { readSample, sampleLinesMax } from "./sample.js";
export { type Understanding, type UnderstandOptions, understand } from "./understand.js";
export type { Unsure } from "./understanding-notes.js";
export { checkUnit, formatDuration, knownUnits, parseDuration, parseSize } from "./units.js";

/**
 * Reads and checks a configuration: YAML, or a module with a default export.
 * Loads the schema library only when called, so that commands without a configuration start without it.
 *
 * @throws ConfigError with every mistake found · ConfigFileError when it cannot be read
 */
export async function loadConfig(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfig> {
  const { readConfig } = await import("./load.js");
  return readConfig(file, environment);
}

/** The configuration's file in `folder`. @throws ConfigFileError when there is none, or more than one */
export async function findConfig(folder: string): Promise<string> {
  const { findConfigFile } = await import("./load.js");
  return findConfigFile(folder);
}

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
export type { Environment } from "./environment.js";
export { ConfigError, ConfigFileError } from "./errors.js";
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
export { checkUnit, formatDuration, knownUnits, parseDuration, parseSize } from "./units.js";

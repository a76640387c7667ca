export {
  type Config,
  type CountConfig,
  defineConfig,
  type FileSourceConfig,
  type MetricConfig,
  type RatioConfig,
  type ServerConfig,
  type StoreConfig,
  type ValueConfig,
} from "./config/index.js";

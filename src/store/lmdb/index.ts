export {
  StoreAccessError,
  StoreCorruptError,
  StoreFailedError,
  StoreFullError,
  StoreLockedError,
  StoreVersionError,
} from "./errors.js";
export { openLmdbStore } from "./open-store.js";
export type { Durability, LmdbStoreOptions } from "./options.js";

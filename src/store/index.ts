export {
  type Cell,
  type CellKind,
  type CountCell,
  copyCell,
  countOf,
  type DistributionCell,
  decodeCell,
  emptyCell,
  encodeCell,
  type GaugeCell,
  isLater,
  mergeCell,
  type SumCell,
} from "./cell.js";
export { decodeRecord, encodeRecord } from "./codecs.js";
export type * from "./contract.js";
export {
  type CellChange,
  type Delta,
  decodeDelta,
  emptyDelta,
  encodeDelta,
  type KeyedChange,
  type MetricDelta,
  type OrderedChange,
  type Slot,
} from "./delta.js";
export {
  FrameInvalidError,
  LaneFencedError,
  MetricRedefinedError,
  QueryUnknownMetricError,
  SettlementInconsistentError,
  SettlementInvalidError,
  StoreClosedError,
  StoreDiedError,
  StoreFormatError,
  StreamFullError,
  UnknownMetricError,
} from "./errors.js";
export type { FileIdentity } from "./files.js";
export { compareGroups, type Group, groupBytes, groupKey } from "./group.js";
export { type LedgerField, type LedgerSum, ledgerFields, ledgerValue, sumLedger } from "./ledger-sum.js";
export { openMemoryStore } from "./memory/memory-store.js";
export { defaultLevels, type SlotLevel, type StoreLimits, type StoreOptions } from "./options.js";
export type { Persistence } from "./persistence.js";
export { comparePositions } from "./positions.js";
export { TableStore, type TableStoreParts } from "./table-store.js";
export {
  emptyTables,
  type Records,
  type TableName,
  type Tables,
  tableNames,
  type Write,
  type WriteSet,
} from "./tables.js";

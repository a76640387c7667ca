export type { Claim, ClaimOptions, Claims } from "./claims/claim.js";
export {
  ClaimBusyError,
  ClaimLostError,
  type ClaimLostReason,
  ClaimTimeoutError,
  ClaimUnavailableError,
  StaleTokenError,
} from "./claims/errors.js";
export { type ClaimBackend, type Grant, LeasedClaim, leaseLimit } from "./claims/leased-claim.js";
export { MemoryClaims } from "./claims/memory-claims.js";
export { TokenGate } from "./claims/token-gate.js";
export type { ClassMetricsSnapshot, DistributionSnapshot } from "./class-metrics.js";
export { Condition, type ConditionWait } from "./condition.js";
export {
  type AdaptiveOptions,
  type CheckOptions,
  type DomainOptions,
  type KeyedOptions,
  type LimitOptions,
  LockDomain,
  type LockOptions,
  type ReadWriteOptions,
  type SemaphoreOptions,
} from "./domain.js";
export type { Finding } from "./domain-state.js";
export { reportDomains } from "./domains.js";
export {
  HoldError,
  LockDeadlockError,
  LockLevelError,
  LockOrderError,
  LockReportError,
  LockTimeoutError,
  LockUnquietError,
  LockWoundedError,
  SelfDeadlockError,
} from "./errors.js";
export {
  type AcquireOptions,
  Gate,
  type Gate as Mutex,
  type Gate as Semaphore,
  type RunOptions,
} from "./gate.js";
export { KeyedLock } from "./keyed-lock.js";
export type { Detection, Mode, OnFinding } from "./kinds.js";
export { Latch } from "./latch.js";
export type { LimitExplanation } from "./limits/limit-explanation.js";
export { type LockLogData, type LockLogger, lockChannels } from "./lock-log.js";
export {
  diffOrders,
  isOrderExport,
  mergeOrders,
  type OrderDifference,
  type OrderExport,
  type OrderFinding,
  type Suppression,
} from "./order/index.js";
export type { Hold, WaitOptions } from "./parts.js";
export { ReadWriteLock } from "./read-write-lock.js";
export {
  type ClassReport,
  type DomainReport,
  type FindingReport,
  type HolderReport,
  hasStuckTasks,
  isLocksDocument,
  type LockReport,
  type LocksDocument,
  locksDocument,
  type ReportTextOptions,
  reportDot,
  reportMermaid,
  reportText,
  type WaiterReport,
} from "./report/index.js";
export { SharedHoldLostError, SharedQueueFullError } from "./shared/errors.js";
export {
  type SharedAcquireOptions,
  SharedHold,
  SharedMutex,
  type SharedMutexHandle,
  type SharedMutexOptions,
} from "./shared/shared-mutex.js";
export { reportOnSignal, type SignalReportOptions, signalReportPath } from "./signal-report.js";

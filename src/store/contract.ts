import type { Cell, CellKind } from "./cell.js";
import type { FileIdentity } from "./files.js";
import type { Group } from "./group.js";

/** Changes when the store was wiped or rolled back; every view, client and producer compares it. */
export type Generation = string;
/** Rises by one with each settlement that changed anything, within one generation. */
export type Version = number;
/** Hash of a metric's definition: a rule that changes starts new cells. */
export type MetricKey = string;
/** A worker's name, unique among live workers. */
export type WorkerName = string;

/** One entry of the stream: up to 1,000 events or 256 KiB of one producer. */
export interface Frame {
  readonly source: string;
  readonly producer: string;
  /** Changes when a producer loses its memory of the sequence; sequences count within (producer, epoch). */
  readonly epoch: string;
  /** Stored sequence + 1 is appended, a lower one is a duplicate, a higher one a gap. Starts at 1. */
  readonly sequence: number;
  /** Number of events in the payload. */
  readonly events: number;
  /** JSON lines. */
  readonly payload: Uint8Array;
  readonly priority?: "high" | "medium" | "low";
}

export type AppendOutcome =
  | { readonly kind: "appended"; readonly position: Position }
  | { readonly kind: "duplicate" }
  | { readonly kind: "gap"; readonly expected: number };

/** One outcome per frame, in order. Durable at the store's stated level when the promise resolves. */
export interface AppendResult {
  readonly generation: Generation;
  readonly outcomes: readonly AppendOutcome[];
}

/** A place in the stream: `partition-sequence`; compare with `comparePositions`, never as text. */
export type Position = string;

export interface LeaseLimits {
  readonly framesMax: number;
  readonly bytesMax: number;
  /** How long the lease holds without renewal, in milliseconds. */
  readonly leaseMs: number;
  /** How long to wait for a first frame, in milliseconds. @default 0 */
  readonly waitMs?: number;
}

export interface LeasedFrame {
  readonly position: Position;
  readonly frame: Frame;
  /** 1 the first time; 2 and more means an earlier worker did not settle it. */
  readonly deliveries: number;
}

/** What a worker has taken from the stream and not yet settled. */
export interface Batch {
  readonly generation: Generation;
  readonly worker: WorkerName;
  readonly frames: readonly LeasedFrame[];
  /** Events whose back-off has passed, to be tried again. */
  readonly retries: readonly RetryRow[];
}

/** An event waiting for another attempt. Its identity is (source, position or offset, index). */
export interface RetryRow {
  readonly id: string;
  readonly source: string;
  readonly at: Place;
  readonly bytes: Uint8Array;
  readonly attempts: number;
  readonly dueMs: number;
  readonly firstError: string;
  readonly newestError: string;
}

/** Where an event came from. */
export type Place =
  | {
      readonly kind: "file";
      readonly file: string;
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly index: number;
    }
  | { readonly kind: "stream"; readonly position: Position; readonly index: number };

/** What a settlement takes: the gate that makes it count once. */
export type Take =
  | {
      readonly kind: "file";
      readonly source: string;
      /** The file's id as the tail gave it. */
      readonly file: string;
      /** Must equal the stored watermark (0 for a file never settled), or nothing happens. */
      readonly start: number;
      /** Becomes the watermark. Greater than `start`, or equal to it to update `identity` alone. */
      readonly end: number;
      /** Stored beside the watermark, so that the file is known again after a restart. */
      readonly identity: FileIdentity;
    }
  | {
      readonly kind: "frames";
      readonly worker: WorkerName;
      readonly positions: readonly Position[];
      /** Ids of retry rows taken with the batch. */
      readonly retries: readonly string[];
    };

/** An event that could not be processed, as the fold or a handler reports it. */
export interface Failure {
  readonly source: string;
  readonly at: Place;
  /** The original bytes, cut to `deadLetterBytesMax`; empty when `at` alone says where they are. */
  readonly bytes: Uint8Array;
  /** Full length of the original in bytes. */
  readonly length: number;
  readonly reason: FailureReason;
  readonly message: string;
  /** Rule version that failed it. */
  readonly rule?: MetricKey;
  /** `dead`: no attempt can help. `attempt`: back to `retrying` until `attemptsMax`. */
  readonly disposition: "dead" | "attempt";
}

export type FailureReason =
  | "parse"
  | "shape"
  | "time"
  | "value"
  | "expression"
  | "oversize"
  | "handler"
  | "thread-died"
  | "thread-hung";

/**
 * What one settlement adds to the ledger of one source. `accepted` comes from the splitter that counts lines, the
 * outcomes from the fold: neither is derived from the other.
 */
export interface LedgerPosting {
  readonly source: string;
  readonly accepted: number;
  readonly settled: number;
  readonly dropped: number;
  readonly dead: number;
  readonly retrying: number;
  readonly duplicate: number;
  readonly lost: Readonly<Record<string, number>>;
  /** Beside the balance: conditions that met an absent field, by rule name. */
  readonly absent: Readonly<Record<string, number>>;
  /** Bytes of the batch, for rates. */
  readonly bytes: number;
}

export interface Settlement {
  readonly generation: Generation;
  readonly take: Take;
  /** As `encodeDelta` wrote it; stays the caller's, so that a refused settlement can be sent again. */
  readonly delta: Uint8Array;
  readonly failures: readonly Failure[];
  readonly ledger: readonly LedgerPosting[];
}

export type SettleResult =
  | { readonly kind: "settled"; readonly version: Version }
  /** Another worker (or an earlier run) has it; nothing happened. For files `watermark` says where to go on. */
  | { readonly kind: "foreign"; readonly positions: readonly Position[]; readonly watermark?: number }
  /** The store was wiped or rolled back since the batch was taken; nothing happened. */
  | { readonly kind: "generation"; readonly generation: Generation };

/** What the fold may refer to; `define` makes it known before the first settlement that names it. */
export interface MetricDefinition {
  readonly key: MetricKey;
  readonly name: string;
  readonly kind: CellKind;
  readonly by: readonly string[];
  readonly unit?: string;
  /** Groups kept, beyond which the overflow group takes all; 1..1,000,000. @default 10,000 */
  readonly groupsMax?: number;
  /** False keeps totals only. @default true */
  readonly hasSlots?: boolean;
}

/** Asks for cells of one metric: its totals, or its slots that touch [fromMs, toMs). */
export interface CellQuery {
  readonly metric: MetricKey;
  readonly span: "total" | { readonly fromMs: number; readonly toMs: number };
  /** Only this group. */
  readonly group?: Group;
  /** Most cells in one page; 1..100,000. A group is never cut in two. @default 10,000 */
  readonly cellsMax?: number;
  /** From an earlier page's `next`. */
  readonly after?: string;
}

export interface GroupCells {
  readonly group: Group;
  /** True for the group that took what the cap refused. */
  readonly isOverflow: boolean;
  /** Ascending by `startMs`, then by width. A total has neither. */
  readonly cells: readonly { readonly startMs: number; readonly widthMs: number; readonly cell: Cell }[];
}

export interface CellPage {
  readonly generation: Generation;
  readonly version: Version;
  /** Newest event time seen over all sources, at most 5 min ahead of the store's clock; undefined before the first. */
  readonly dataClockMs: number | undefined;
  /** Groups in order of their bytes. */
  readonly groups: readonly GroupCells[];
  readonly next?: string;
  /** Events older than every slot when settled: in the totals only. */
  readonly late: number;
  /** Events more than 5 min ahead of the store's clock: in the totals only. */
  readonly future: number;
  /** Events without a usable time: in the totals only. */
  readonly untimed: number;
  /** Halves of pairs that were given up because the other did not come; absent when none was. */
  readonly unpaired?: number;
  /** When this definition's first cell was made, by the store's clock. */
  readonly sinceMs: number;
  /** Slots before this time were dropped early to keep the byte budget; numbers before it are "at least". */
  readonly completeFromMs?: number;
}

/** What one settlement changed; a view reads again what it shows of it. */
export interface Change {
  readonly generation: Generation;
  readonly version: Version;
  /** Changed metrics with the groups that changed; `undefined` when more than 1,000 did. */
  readonly metrics: readonly { readonly metric: MetricKey; readonly groups: readonly Group[] | undefined }[];
  readonly sources: readonly string[];
  /** Dead letters that came or went. */
  readonly deadLetters: number;
}

/** `snapshot-needed`: the version asked for is no longer kept, or of another generation. */
export type ChangeItem =
  | Change
  | { readonly kind: "snapshot-needed"; readonly generation: Generation; readonly version: Version };

export interface LedgerRow {
  readonly source: string;
  readonly accepted: number;
  readonly settled: number;
  readonly waiting: number;
  readonly leased: number;
  readonly retrying: number;
  readonly dead: number;
  readonly dropped: number;
  readonly duplicate: number;
  readonly lost: Readonly<Record<string, number>>;
  /** accepted minus all the others; anything but 0 is a bug and is shown as one. */
  readonly unaccounted: number;
  readonly absent: Readonly<Record<string, number>>;
  readonly bytes: number;
}

export interface DeadLetter {
  readonly id: number;
  readonly source: string;
  readonly at: Place;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly reason: FailureReason;
  readonly attempts: number;
  readonly firstError: string;
  readonly newestError: string;
  readonly firstMs: number;
  readonly newestMs: number;
  readonly rule?: MetricKey;
}

export interface DeadLetterFilter {
  readonly ids?: readonly number[];
  readonly source?: string;
  readonly reason?: FailureReason;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** Newest first. @default 50 */
  readonly limit?: number;
  /** Only ids lower than this one: the next page. */
  readonly before?: number;
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetter[];
  readonly total: number;
  /** Kept dead letters by reason and source. */
  readonly reasons: readonly {
    readonly reason: FailureReason;
    readonly source: string;
    readonly count: number;
    readonly newestMs: number;
    readonly newestId: number;
    readonly newestError: string;
  }[];
  /** Dead letters whose bytes were given up to keep the bounds; they stay counted in the ledger. */
  readonly evicted: number;
  readonly next?: number;
}

export interface Watermark {
  readonly file: string;
  readonly offset: number;
  readonly identity: FileIdentity;
  readonly settledMs: number;
}

/** An exclusive right to a name; `token` rises with every new owner, so that a late owner can be fenced off. */
export interface Claim {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
  readonly untilMs: number;
}

export interface StoreInfo {
  readonly kind: "memory" | "lmdb" | "redis";
  readonly generation: Generation;
  readonly version: Version;
  readonly dataClockMs: number | undefined;
  /** Estimated bytes of the state, and its budget. */
  readonly stateBytes: number;
  readonly stateBytesMax: number;
  readonly durability: "none" | "interval" | "always";
}

/**
 * The one place with an effect. Guarantees of every implementation, checked by the contract suite:
 * - `settle` is one atomic step: all of it is visible, or none, also when the process dies inside it.
 * - A take that is not exactly the next one changes nothing.
 * - The ledger balances after every step.
 */
export interface Store extends AsyncDisposable {
  info(): Promise<StoreInfo>;
  define(metrics: readonly MetricDefinition[]): Promise<void>;
  append(frames: readonly Frame[]): Promise<AppendResult>;
  lease(worker: WorkerName, limits: LeaseLimits, signal: AbortSignal): Promise<Batch | undefined>;
  /** Extends the lease; answers the positions that are no longer this worker's. */
  renew(worker: WorkerName, positions: readonly Position[], leaseMs: number): Promise<readonly Position[]>;
  settle(settlement: Settlement): Promise<SettleResult>;
  /** Runs up to `limit` due timers (halves that never came, sessions that ended); answers how many are still due. */
  runDue(limit: number): Promise<number>;
  read(query: CellQuery): Promise<CellPage>;
  changes(since: Version, signal: AbortSignal): AsyncIterable<ChangeItem>;
  ledger(): Promise<readonly LedgerRow[]>;
  watermarks(source: string): Promise<readonly Watermark[]>;
  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage>;
  deadLetter(id: number): Promise<DeadLetter | undefined>;
  /** One atomic move dead → retrying; answers how many moved. */
  replay(filter: DeadLetterFilter): Promise<number>;
  /** One atomic move dead → lost("discarded"); answers how many. */
  discard(filter: DeadLetterFilter): Promise<number>;
  claim(name: string, owner: string, ttlMs: number): Promise<Claim | undefined>;
  /** False when the claim is no longer the caller's. */
  renewClaim(claim: Claim, ttlMs: number): Promise<boolean>;
  releaseClaim(claim: Claim): Promise<void>;
}

import type { Cell } from "./cell.js";
import type {
  DeadLetter,
  FailureReason,
  Frame,
  Generation,
  MetricDefinition,
  MetricKey,
  Place,
  Version,
  WorkerName,
} from "./contract.js";
import type { FileIdentity } from "./files.js";
import type { Group } from "./group.js";

/** The one record of `meta`, under the key `state`. */
export interface MetaRecord {
  /** Layout of the records; a store with another one is refused, never guessed at. */
  readonly format: 1;
  readonly generation: Generation;
  readonly version: Version;
  readonly dataClockMs: number | undefined;
  readonly nextMetricId: number;
  readonly nextDeadLetterId: number;
  /** Sequence of the next frame in the stream; positions are made of it. */
  readonly nextSequence: number;
  /** Rises with every claim granted, over all names, so that a released name never gets an old token again. */
  readonly nextToken: number;
  /** Dead letters given up to keep the bounds. */
  readonly evicted: number;
  /** Upserted rows given up to keep the bound of rows: a later change of theirs takes nothing back. */
  readonly rowsForgotten: number;
  /** Per level: slots before this time were folded (or, at the last level, dropped) early for the byte budget. */
  readonly forcedMs: readonly number[];
}

export interface MetricRecord {
  /** Short form of the key; part of every cell's key. */
  readonly id: number;
  readonly definition: MetricDefinition;
  /** The first cell's making, or the definition's before that; by the store's clock. */
  readonly sinceMs: number;
  readonly hasCells: boolean;
  readonly nextGroupId: number;
  readonly late: number;
  readonly future: number;
  readonly untimed: number;
  /** Halves of pairs that were given up. */
  readonly unpaired: number;
}

/** Dictionary of label tuples. Id 0 is each metric's overflow group and has no record. */
export interface GroupRecord {
  readonly metricId: number;
  readonly id: number;
  readonly group: Group;
}

export const overflowGroupId = 0;

export interface CellRecord {
  readonly metricId: number;
  readonly groupId: number;
  /** Index into the store's levels, finest first. */
  readonly level: number;
  readonly startMs: number;
  readonly cell: Cell;
}

export interface TotalRecord {
  readonly metricId: number;
  readonly groupId: number;
  readonly cell: Cell;
}

export interface WatermarkRecord {
  readonly source: string;
  readonly file: string;
  readonly offset: number;
  readonly identity: FileIdentity;
  readonly settledMs: number;
}

/** Posted figures of one source; `unaccounted` is never stored, only computed from them. */
export interface LedgerRecord {
  readonly source: string;
  readonly accepted: number;
  readonly settled: number;
  readonly waiting: number;
  readonly leased: number;
  readonly retrying: number;
  readonly dead: number;
  readonly dropped: number;
  readonly duplicate: number;
  readonly lost: ReadonlyMap<string, number>;
  readonly absent: ReadonlyMap<string, number>;
  readonly bytes: number;
}

export interface RetryRecord {
  readonly id: string;
  readonly source: string;
  readonly at: Place;
  readonly bytes: Uint8Array;
  /** Length of the original in bytes. */
  readonly length: number;
  readonly reason: FailureReason;
  readonly attempts: number;
  readonly dueMs: number;
  readonly firstError: string;
  readonly newestError: string;
  readonly firstMs: number;
  readonly newestMs: number;
  readonly rule?: MetricKey;
}

export interface FrameRecord {
  readonly sequence: number;
  readonly frame: Frame;
}

/** Who has a frame or a retry row. Stays after its end until another takes it, so that deliveries are counted. */
export interface LeaseRecord {
  readonly kind: "frame" | "retry";
  readonly worker: WorkerName;
  readonly untilMs: number;
  readonly deliveries: number;
}

export interface ProducerRecord {
  readonly producer: string;
  readonly epoch: string;
  readonly sequence: number;
  readonly appendedMs: number;
}

export type RowRecord =
  | {
      readonly kind: "pair";
      readonly half: "first" | "second";
      readonly atMs: number;
      /** When it is given up, by the store's clock. */
      readonly dueMs: number;
      readonly metric: MetricKey;
      readonly group: Group;
    }
  | {
      readonly kind: "upsert";
      readonly order: number;
      readonly touchedMs: number;
      readonly effects: readonly RowEffect[];
    };

/** What an upsert did, kept so that it can be taken back exactly. */
export interface RowEffect {
  readonly metric: MetricKey;
  readonly groupId: number;
  /** Where it is besides the total; absent when it went to the total alone. */
  readonly slot: { readonly startMs: number; readonly widthMs: number } | undefined;
  readonly value: number;
}

export interface LaneRecord {
  readonly token: number;
  readonly state: Uint8Array;
}

export interface ClaimRecord {
  readonly name: string;
  readonly owner: string;
  readonly token: number;
  readonly untilMs: number;
}

export interface DueRecord {
  readonly dueMs: number;
  /** Key of the row in `rows`. */
  readonly row: string;
}

/** Every table with its kind of record. A record is never changed once committed; a change is another record. */
export interface Records {
  readonly meta: MetaRecord;
  readonly metrics: MetricRecord;
  readonly groups: GroupRecord;
  readonly cells: CellRecord;
  readonly totals: TotalRecord;
  readonly watermarks: WatermarkRecord;
  readonly ledger: LedgerRecord;
  readonly deadLetters: DeadLetter;
  readonly retries: RetryRecord;
  readonly frames: FrameRecord;
  readonly leases: LeaseRecord;
  readonly producers: ProducerRecord;
  readonly rows: RowRecord;
  readonly lanes: LaneRecord;
  readonly claims: ClaimRecord;
  readonly due: DueRecord;
}

export type TableName = keyof Records;

export const tableNames: readonly TableName[] = [
  "meta",
  "metrics",
  "groups",
  "cells",
  "totals",
  "watermarks",
  "ledger",
  "deadLetters",
  "retries",
  "frames",
  "leases",
  "producers",
  "rows",
  "lanes",
  "claims",
  "due",
];

/** The state in memory. Keys are text without bound on their length: user-given names are part of some. */
export type Tables = { readonly [Name in TableName]: Map<string, Records[Name]> };

/** One record to put, or with `undefined` to delete. */
export type Write = {
  readonly [Name in TableName]: {
    readonly table: Name;
    readonly key: string;
    readonly record: Records[Name] | undefined;
  };
}[TableName];

/** All that one step changes; each key of a table at most once. */
export type WriteSet = readonly Write[];

export function emptyTables(): Tables {
  return Object.fromEntries(tableNames.map((name) => [name, new Map()])) as unknown as Tables;
}

/** Numeric order is also the order of these texts, for stores that sort by key. */
export function orderedKey(number: number): string {
  return String(number).padStart(16, "0");
}

/** Different lists have different keys; the last part needs no length. */
export function joinKey(...parts: readonly string[]): string {
  const head = parts.slice(0, -1).map((part) => `${part.length}:${part}`);
  return head.join("") + (parts.at(-1) ?? "");
}

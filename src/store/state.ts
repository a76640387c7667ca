import { assertInvariant } from "../base/index.js";
import type { DeadLetter } from "./contract.js";
import { DeadLetterSummary } from "./dead-letter-summary.js";
import { compareGroups, type Group } from "./group.js";
import { LevelSlots } from "./level-slots.js";
import { cellRecordBytes, groupRecordBytes, rowRecordBytes, totalRecordBytes } from "./sizes.js";
import { SortedIndex } from "./sorted-index.js";
import {
  type CellRecord,
  type FrameRecord,
  type GroupRecord,
  type LeaseRecord,
  type MetaRecord,
  overflowGroupId,
  type Records,
  type RetryRecord,
  type RowRecord,
  type TableName,
  type Tables,
  type TotalRecord,
  type WriteSet,
} from "./tables.js";

/** What is derived of one metric: its groups and where its cells are. */
export interface MetricIndex {
  readonly levels: readonly LevelSlots[];
  readonly groups: Map<number, Group>;
  sorted: readonly number[] | undefined;
}

type Hook<Name extends TableName> = (
  key: string,
  before: Records[Name] | undefined,
  after: Records[Name] | undefined,
) => void;

/**
 * The tables and everything derived from them. `apply` is the only way to change it; it makes no decision and has
 * nothing that could fail half-way.
 */
export class State {
  readonly tables: Tables;
  readonly deadLetterSummary: DeadLetterSummary = new DeadLetterSummary();
  /** Dead letters by id. */
  readonly deadLetterOrder: SortedIndex;
  /** Frames that nobody has, by sequence. */
  readonly waiting: SortedIndex;
  /** Retry rows by the time that they are due, whether leased or not. */
  readonly retryOrder: SortedIndex;
  /** Keys of `leases` by their end. */
  readonly leaseEnds: SortedIndex;
  /** Rows by the time that they are due or were touched. */
  readonly rowOrder: SortedIndex;
  readonly dueOrder: SortedIndex;
  /** Producers by their newest append. */
  readonly producerOrder: SortedIndex;
  stateBytes = 0;
  deadLetterBytes = 0;
  retryBytes = 0;
  streamBytes = 0;
  readonly #levels: number;
  readonly #metrics = new Map<number, MetricIndex>();
  readonly #hooks: { readonly [Name in TableName]?: Hook<Name> };

  constructor(tables: Tables, levels: number) {
    this.tables = tables;
    this.#levels = levels;
    const { deadLetters, frames, leases, retries, rows, due, producers } = tables;
    this.deadLetterOrder = new SortedIndex((key) => deadLetters.has(key));
    this.waiting = new SortedIndex((key) => frames.has(key) && !leases.has(key));
    this.retryOrder = new SortedIndex((key, rank) => retries.get(key)?.dueMs === rank);
    this.leaseEnds = new SortedIndex((key, rank) => leases.get(key)?.untilMs === rank);
    this.rowOrder = new SortedIndex((key, rank) => rankOfRow(rows.get(key)) === rank);
    this.dueOrder = new SortedIndex((key) => due.has(key));
    this.producerOrder = new SortedIndex((key, rank) => producers.get(key)?.appendedMs === rank);
    this.#hooks = this.#makeHooks();
    for (const table of Object.keys(tables) as TableName[])
      for (const [key, record] of tables[table]) this.#hook(table, key, undefined, record);
  }

  get meta(): MetaRecord {
    const meta = this.tables.meta.get("state");
    assertInvariant(meta !== undefined, "a store is created before it is used");
    return meta;
  }

  /** Swaps the records in. */
  apply(writes: WriteSet): void {
    for (const { table, key, record } of writes) {
      const records = this.tables[table] as Map<string, unknown>;
      const before = records.get(key) as Records[TableName] | undefined;
      if (record === undefined) records.delete(key);
      else records.set(key, record);
      this.#hook(table, key, before, record);
    }
  }

  metric(id: number): MetricIndex {
    let index = this.#metrics.get(id);
    if (index === undefined) {
      const levels = Array.from({ length: this.#levels }, () => new LevelSlots());
      this.#metrics.set(id, (index = { levels, groups: new Map(), sorted: undefined }));
    }
    return index;
  }

  metrics(): Iterable<[number, MetricIndex]> {
    return this.#metrics;
  }

  /** Ids of the metric's groups in order of their bytes; the overflow group, which has none, is the last. */
  sortedGroups(metricId: number): readonly number[] {
    const index = this.metric(metricId);
    index.sorted ??= [...index.groups]
      .sort(([, a], [, b]) => compareGroups(a, b))
      .map(([id]) => id)
      .concat(overflowGroupId);
    return index.sorted;
  }

  *deadLettersNewestFirst(before?: number): Generator<DeadLetter> {
    for (const { key } of this.deadLetterOrder.descending(before)) {
      const letter = this.tables.deadLetters.get(key);
      if (letter !== undefined) yield letter;
    }
  }

  #hook(
    table: TableName,
    key: string,
    before: Records[TableName] | undefined,
    after: Records[TableName] | undefined,
  ): void {
    (this.#hooks[table] as Hook<TableName> | undefined)?.(key, before, after);
  }

  #makeHooks(): { readonly [Name in TableName]?: Hook<Name> } {
    return {
      groups: (_key, before, after) => this.#onGroup(before, after),
      cells: (_key, before, after) => this.#onCell(before, after),
      totals: (_key, before, after) => {
        this.stateBytes += difference(totalRecordBytes, before, after as TotalRecord | undefined);
      },
      rows: (key, before, after) => this.#onRow(key, before, after),
      deadLetters: (key, before, after) => this.#onDeadLetter(key, before, after),
      retries: (key, before, after) => this.#onRetry(key, before, after),
      frames: (key, before, after) => this.#onFrame(key, before, after),
      leases: (key, before, after) => this.#onLease(key, before, after),
      producers: (key, before, after) => {
        if (before !== undefined && before.appendedMs === after?.appendedMs) return;
        if (before !== undefined) this.producerOrder.noteRemoved();
        if (after !== undefined) this.producerOrder.add(after.appendedMs, key);
      },
      due: (key, _before, after) => {
        if (after === undefined) this.dueOrder.noteRemoved();
        else this.dueOrder.add(after.dueMs, key);
      },
    };
  }

  #onGroup(before: GroupRecord | undefined, after: GroupRecord | undefined): void {
    this.stateBytes += difference(groupRecordBytes, before, after);
    const known = before ?? after;
    if (known === undefined) return;
    const index = this.metric(known.metricId);
    if (after === undefined) index.groups.delete(known.id);
    else index.groups.set(known.id, after.group);
    index.sorted = undefined;
  }

  #onCell(before: CellRecord | undefined, after: CellRecord | undefined): void {
    this.stateBytes += difference(cellRecordBytes, before, after);
    if (after !== undefined) this.metric(after.metricId).levels[after.level]?.set(after);
    else if (before !== undefined) this.metric(before.metricId).levels[before.level]?.delete(before);
  }

  #onRow(key: string, before: RowRecord | undefined, after: RowRecord | undefined): void {
    this.stateBytes += difference((record) => rowRecordBytes(key, record), before, after);
    const rank = rankOfRow(after);
    if (before !== undefined && rankOfRow(before) === rank) return;
    if (before !== undefined) this.rowOrder.noteRemoved();
    if (rank !== undefined) this.rowOrder.add(rank, key);
  }

  #onDeadLetter(key: string, before: DeadLetter | undefined, after: DeadLetter | undefined): void {
    this.deadLetterBytes += (after?.bytes.length ?? 0) - (before?.bytes.length ?? 0);
    if (before !== undefined) {
      this.deadLetterSummary.remove(before);
      this.deadLetterOrder.noteRemoved();
    }
    if (after === undefined) return;
    this.deadLetterSummary.add(after);
    this.deadLetterOrder.add(after.id, key);
  }

  #onRetry(key: string, before: RetryRecord | undefined, after: RetryRecord | undefined): void {
    this.retryBytes += (after?.bytes.length ?? 0) - (before?.bytes.length ?? 0);
    if (before !== undefined) this.retryOrder.noteRemoved();
    if (after !== undefined) this.retryOrder.add(after.dueMs, key);
  }

  #onFrame(key: string, before: FrameRecord | undefined, after: FrameRecord | undefined): void {
    this.streamBytes += difference((record) => record.frame.payload.length, before, after);
    if (after === undefined) this.waiting.noteRemoved();
    else this.waiting.add(after.sequence, key);
  }

  #onLease(key: string, before: LeaseRecord | undefined, after: LeaseRecord | undefined): void {
    if (before !== undefined) this.leaseEnds.noteRemoved();
    else this.waiting.noteRemoved();
    if (after !== undefined) this.leaseEnds.add(after.untilMs, key);
  }
}

function difference<Value>(
  bytesOf: (record: Value) => number,
  before: Value | undefined,
  after: Value | undefined,
): number {
  return (after === undefined ? 0 : bytesOf(after)) - (before === undefined ? 0 : bytesOf(before));
}

/** The row that is given up first has the lowest. */
export function rankOfRow(row: RowRecord | undefined): number | undefined {
  return row?.kind === "pair" ? row.dueMs : row?.touchedMs;
}

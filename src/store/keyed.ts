import { ExactSum, Histogram } from "../sketch/index.js";
import type { Additions } from "./additions.js";
import type { Cell, CellKind } from "./cell.js";
import type { KeyedChange, Slot } from "./delta.js";
import type { Draft } from "./draft.js";
import { SettlementInvalidError } from "./errors.js";
import { dueKey, rowKey } from "./keys.js";
import { rankOfRow, type State } from "./state.js";
import type { RowEffect, RowRecord } from "./tables.js";

type PairChange = Extract<KeyedChange, { kind: "pair" }>;
type UpsertChange = Extract<KeyedChange, { kind: "upsert" }>;
type PairRow = Extract<RowRecord, { kind: "pair" }>;

/**
 * Rows with an owner, changed only inside a step.
 *
 * - A pair is one observation, whichever half comes first: the second half's time less the first half's, at the second
 *   half's time, metric and group. The same half again counts if it is later.
 * - A half is given up `dueMs - atMs` after it came in, and never before `dueMs`, by the store's clock: so that old
 *   files are paired too. A half that comes after that waits as a new row, and is given up in its turn.
 * - An upsert with a higher order takes the earlier effects back; one with the same or a lower order does nothing.
 */
export class KeyedChanges {
  /** Upserted rows given up in this step. */
  forgotten = 0;
  readonly #state: State;
  readonly #draft: Draft;
  readonly #additions: Additions;
  readonly #nowMs: number;
  #rows: number;

  constructor(state: State, draft: Draft, additions: Additions, nowMs: number) {
    this.#state = state;
    this.#draft = draft;
    this.#additions = additions;
    this.#nowMs = nowMs;
    this.#rows = state.tables.rows.size;
  }

  apply(change: KeyedChange): void {
    if (change.kind === "pair") this.#pair(change);
    else this.#upsert(change);
  }

  #pair(change: PairChange): void {
    const key = rowKey(change.table, change.key);
    const row = this.#draft.get("rows", key);
    if (row?.kind === "upsert")
      throw new SettlementInvalidError(`row ${change.key} of ${change.table} is upserted, not a pair`);
    if (row === undefined || (row.half === change.half && change.atMs > row.atMs)) {
      this.#wait(key, row, change);
    } else if (row.half !== change.half) {
      this.#deletePair(key, row);
      const [first, second] = change.half === "second" ? [row, change] : [change, row];
      this.#observe(second, second.atMs - first.atMs);
    }
  }

  #wait(key: string, before: PairRow | undefined, change: PairChange): void {
    const { half, atMs, metric, group } = change;
    const dueMs = Math.max(change.dueMs, this.#nowMs + (change.dueMs - atMs));
    this.#additions.definedAs(metric);
    if (before === undefined) this.#rows += 1;
    else this.#draft.delete("due", dueKey(before.dueMs, key));
    this.#draft.put("rows", key, { kind: "pair", half, atMs, dueMs, metric, group });
    this.#draft.put("due", dueKey(dueMs, key), { dueMs, row: key });
  }

  #observe({ metric, group, atMs }: Pick<PairRow, "metric" | "group" | "atMs">, valueMs: number): void {
    const cell = observed(this.#additions.definedAs(metric).definition.kind, valueMs, atMs);
    this.#additions.of(metric).add({ group, slot: { startMs: Math.floor(atMs), widthMs: 1 }, cell });
  }

  #upsert(change: UpsertChange): void {
    const key = rowKey(change.table, change.key);
    const row = this.#draft.get("rows", key);
    if (row?.kind === "pair")
      throw new SettlementInvalidError(`row ${change.key} of ${change.table} is a pair, not upserted`);
    if (row !== undefined && row.order >= change.order) return;
    if (row === undefined) this.#rows += 1;
    for (const { metric, groupId, slot, value } of row?.effects ?? [])
      this.#additions.of(metric).apply(groupId, slot, this.#summand(metric, value, -1));
    const effects = change.effects.map(({ metric, group, slot, value }): RowEffect => {
      const additions = this.#additions.of(metric);
      const groupId = additions.admit(group);
      const placed: Slot | undefined = additions.placeable(slot, 1);
      additions.apply(groupId, placed, this.#summand(metric, value, 1));
      return { metric, groupId, slot: placed, value };
    });
    this.#draft.put("rows", key, { kind: "upsert", order: change.order, touchedMs: this.#nowMs, effects });
  }

  /** A cell that adds or, with -1, takes back one value. */
  #summand(metric: string, value: number, sign: 1 | -1): Cell {
    const { kind, name } = this.#additions.definedAs(metric).definition;
    if (kind === "count") return { kind, n: sign };
    if (kind !== "sum")
      throw new SettlementInvalidError(
        `metric ${name} is a ${kind}, and only counts and sums can be taken back`,
      );
    const sum = new ExactSum();
    if (sign === 1) sum.add(value);
    else sum.subtract(value);
    return { kind, n: sign, sum };
  }

  /** Gives up halves that are due, at most `limit`. */
  giveUpDue(limit: number): void {
    let left = limit;
    for (const { rank, key } of this.#state.dueOrder.ascending()) {
      if (left <= 0 || rank > this.#nowMs) return;
      left -= 1;
      const due = this.#draft.get("due", key);
      if (due !== undefined) this.#giveUp(due.row);
    }
  }

  /** Gives up what lies beyond the bound, first that which is due or was touched first. */
  keepBound(rowsMax: number): void {
    if (this.#rows <= rowsMax) return;
    for (const key of this.#byRank()) {
      if (this.#rows <= rowsMax) return;
      this.#giveUp(key);
    }
  }

  /** Rows as they would be after this step, in the order in which they are given up. */
  *#byRank(): Generator<string> {
    const written = this.#draft.table("rows").writes;
    const own = [...written.values()]
      .map(({ key, record }) => ({ key, rank: rankOfRow(record) ?? Number.POSITIVE_INFINITY }))
      .sort((a, b) => a.rank - b.rank);
    let at = 0;
    for (const { rank, key } of this.#state.rowOrder.ascending()) {
      for (; at < own.length && own[at]!.rank <= rank; at += 1) yield own[at]!.key;
      if (!written.has(key)) yield key;
    }
    for (; at < own.length; at += 1) yield own[at]!.key;
  }

  #giveUp(key: string): void {
    const row = this.#draft.get("rows", key);
    if (row?.kind === "pair") {
      this.#deletePair(key, row);
      this.#additions.of(row.metric).noteUnpaired();
    } else if (row !== undefined) {
      this.#draft.delete("rows", key);
      this.#rows -= 1;
      this.forgotten += 1;
    }
  }

  #deletePair(key: string, row: PairRow): void {
    this.#draft.delete("rows", key);
    this.#draft.delete("due", dueKey(row.dueMs, key));
    this.#rows -= 1;
  }
}

function observed(kind: CellKind, value: number, atMs: number): Cell {
  if (kind === "count") return { kind, n: 1 };
  if (kind === "gauge") return { kind, n: 1, value, atMs, source: "", place: 0, index: 0 };
  if (kind === "sum") {
    const sum = new ExactSum();
    sum.add(value);
    return { kind, n: 1, sum };
  }
  const histogram = new Histogram();
  histogram.record(value);
  return { kind, histogram };
}

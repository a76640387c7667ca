import { assertInvariant } from "../base/index.js";
import {
  type Cell,
  type CellChange,
  emptyCell,
  type Group,
  groupKey,
  type MetricDelta,
  mergeCell,
} from "../store/index.js";
import type { FoldMetric } from "./compile.js";

/** Cells of one group: one per metric of the family, for one slot. */
type Row = (Cell | undefined)[];

interface GroupNode {
  readonly group: Group;
  /** By slot start in ms; `untimed` is the slot of events without time and of totals-only rules. */
  readonly rows: Map<number, Row>;
  lastSlot: number;
  lastRow: Row | undefined;
}

/** Slot of events without a usable time. */
export const untimed: number = Number.NEGATIVE_INFINITY;

type Trie = Map<unknown, Trie | GroupNode>;

/**
 * What a fold has summed up so far for the metrics that share one `by` list. Groups are found by the raw field values
 * through nested maps, so that the usual event costs one look-up per field and no string is built; different raw values
 * of one group (1 and "1") meet in `#byKey`.
 */
export class Family {
  readonly metrics: readonly FoldMetric[];
  readonly byIndexes: readonly number[];
  #trie: Trie = new Map();
  #byKey = new Map<string, GroupNode>();
  #cells = 0;

  constructor(metrics: readonly FoldMetric[], byIndexes: readonly number[]) {
    this.metrics = metrics;
    this.byIndexes = byIndexes;
  }

  /** Cells made since the last `take`. */
  get cells(): number {
    return this.#cells;
  }

  /** The row of an event's group and slot. */
  row(values: readonly unknown[], slot: number): Row {
    const node = this.#find(values);
    if (node.lastSlot === slot && node.lastRow !== undefined) return node.lastRow;
    let row = node.rows.get(slot);
    if (row === undefined) {
      row = new Array<Cell | undefined>(this.metrics.length).fill(undefined);
      node.rows.set(slot, row);
    }
    node.lastSlot = slot;
    node.lastRow = row;
    return row;
  }

  /** The row's cell for metric `index`, made when it is not there yet. */
  cell(row: Row, index: number): Cell {
    const known = row[index];
    if (known !== undefined) return known;
    const metric = this.metrics[index];
    assertInvariant(metric !== undefined, "a row has as many cells as its family has metrics");
    const cell = emptyCell(metric.kind);
    row[index] = cell;
    this.#cells += 1;
    return cell;
  }

  /** Moves every slot to where `slotOf` now puts its start: ageing slots become wider. */
  foldUpwards(slotOf: (timeMs: number) => number): void {
    for (const node of this.#byKey.values()) {
      for (const [slot, row] of [...node.rows]) {
        const wider = slot === untimed ? untimed : slotOf(slot);
        if (wider === slot) continue;
        node.rows.delete(slot);
        this.#mergeRow(node, wider, row);
      }
      node.lastRow = undefined;
    }
  }

  /** Hands out everything and starts anew. `widthOf` says how wide a slot that starts at a time is. */
  take(widthOf: (slotMs: number) => number): MetricDelta[] {
    const changes: CellChange[][] = this.metrics.map(() => []);
    for (const node of this.#byKey.values()) {
      for (const [slotMs, row] of node.rows) {
        const slot = slotMs === untimed ? undefined : { startMs: slotMs, widthMs: widthOf(slotMs) };
        row.forEach((cell, index) => {
          if (cell !== undefined) changes[index]?.push({ group: node.group, slot, cell });
        });
      }
    }
    this.#trie = new Map();
    this.#byKey = new Map();
    this.#cells = 0;
    const deltas = this.metrics.map(({ key, kind }, index) => ({
      metric: key,
      kind,
      changes: changes[index] ?? [],
    }));
    return deltas.filter((delta) => delta.changes.length > 0);
  }

  #find(values: readonly unknown[]): GroupNode {
    let level = this.#trie;
    const depth = this.byIndexes.length;
    if (depth === 0) return (this.#byKey.get("") ?? this.#add(values)) as GroupNode;
    for (let i = 0; i < depth - 1; i += 1) {
      const value = values[this.byIndexes[i] as number];
      let next = level.get(value) as Trie | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    const last = values[this.byIndexes[depth - 1] as number];
    const known = level.get(last) as GroupNode | undefined;
    if (known !== undefined) return known;
    const node = this.#add(values);
    // An object is a new key each time; keeping it would only grow the map.
    if (typeof last !== "object") level.set(last, node);
    return node;
  }

  #add(values: readonly unknown[]): GroupNode {
    const group = this.byIndexes.map((index) => groupValue(values[index]));
    const key = groupKey(group);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const node: GroupNode = { group, rows: new Map(), lastSlot: Number.NaN, lastRow: undefined };
    this.#byKey.set(key, node);
    return node;
  }

  #mergeRow(node: GroupNode, slot: number, from: Row): void {
    const into = node.rows.get(slot);
    if (into === undefined) {
      node.rows.set(slot, from);
      return;
    }
    from.forEach((cell, index) => {
      const known = into[index];
      if (cell === undefined) return;
      if (known === undefined) {
        into[index] = cell;
      } else {
        mergeCell(known, cell);
        this.#cells -= 1;
      }
    });
  }
}

/** A field's value as a group value: absent and null are one; objects and arrays are their JSON. */
export function groupValue(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

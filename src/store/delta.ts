import { ByteReader, ByteWriter } from "../base/index.js";
import { type Cell, type CellKind, decodeCell, encodeCell } from "./cell.js";
import type { MetricKey } from "./contract.js";
import type { Group } from "./group.js";

/** A span of event time [startMs, startMs + widthMs). */
export interface Slot {
  readonly startMs: number;
  readonly widthMs: number;
}

/** One cell to add. Without a slot (no usable time) it goes to the total alone; with one, to both. */
export interface CellChange {
  readonly group: Group;
  readonly slot: Slot | undefined;
  readonly cell: Cell;
}

export interface MetricDelta {
  readonly metric: MetricKey;
  readonly kind: CellKind;
  readonly changes: readonly CellChange[];
}

/** A row with an owner, changed only inside settle. The fold makes these from the workers issue on. */
export type KeyedChange =
  | {
      readonly kind: "pair";
      readonly table: string;
      readonly key: string;
      readonly half: "first" | "second";
      readonly atMs: number;
      /** A half that never meets the other is given up at this time. */
      readonly dueMs: number;
      /** Metric that gets the difference of the two times as one observation. */
      readonly metric: MetricKey;
      readonly group: Group;
    }
  | {
      readonly kind: "upsert";
      readonly table: string;
      readonly key: string;
      /** The newest by this order wins; an earlier effect of the same key is taken back. */
      readonly order: number;
      readonly effects: readonly {
        readonly metric: MetricKey;
        readonly group: Group;
        readonly slot: Slot | undefined;
        readonly value: number;
      }[];
    };

/** Replaces the state of one lane; the lane's claim token must be the newest. */
export interface OrderedChange {
  readonly lane: string;
  readonly token: number;
  readonly state: Uint8Array;
}

/** Everything one batch changes, already summed up. */
export interface Delta {
  /** Newest event time of the batch; moves the data clock. */
  readonly newestMs: number | undefined;
  readonly add: readonly MetricDelta[];
  readonly keyed: readonly KeyedChange[];
  readonly ordered: readonly OrderedChange[];
}

export const emptyDelta: Delta = { newestMs: undefined, add: [], keyed: [], ordered: [] };

const kinds: readonly CellKind[] = ["count", "sum", "gauge", "distribution"];

/**
 * Flat bytes, alone in their buffer. Layout, all numbers LEB128 unless said otherwise:
 *
 *     newest event time   f64, NaN when none
 *     metrics             count, then each: key (string) · kind (u8) · changes: count, then each:
 *       group             count, then each: u8 1 + string, or u8 0 for null
 *       slot              width in ms, 0 for none; then start in ms (zigzag)
 *       cell              encodeCell
 *     rest                JSON of keyed and ordered changes as a byte string, empty when there are none
 */
export function encodeDelta(delta: Delta): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(16 * 1024);
  writer.f64(delta.newestMs ?? Number.NaN);
  writer.varint(delta.add.length);
  for (const metric of delta.add) {
    writer.string(metric.metric);
    writer.u8(kinds.indexOf(metric.kind));
    writer.varint(metric.changes.length);
    for (const change of metric.changes) encodeChange(writer, change);
  }
  const hasRest = delta.keyed.length > 0 || delta.ordered.length > 0;
  writer.bytes(hasRest ? Buffer.from(JSON.stringify(packRest(delta))) : new Uint8Array(0));
  return writer.finish();
}

/** @throws RangeError when the bytes were cut */
export function decodeDelta(bytes: Uint8Array): Delta {
  const reader = new ByteReader(bytes);
  const newestMs = reader.f64();
  const add: MetricDelta[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    const metric = reader.string();
    const kind = kinds[reader.u8()];
    if (kind === undefined) throw new RangeError("Cannot decode delta: unknown cell kind");
    const changes: CellChange[] = [];
    for (let rest = reader.varint(); rest > 0; rest -= 1) changes.push(decodeChange(reader, kind));
    add.push({ metric, kind, changes });
  }
  const rest = reader.bytes();
  const { keyed, ordered } = rest.length === 0 ? emptyDelta : unpackRest(rest);
  return { newestMs: Number.isNaN(newestMs) ? undefined : newestMs, add, keyed, ordered };
}

function encodeChange(writer: ByteWriter, change: CellChange): void {
  writer.varint(change.group.length);
  for (const value of change.group) {
    writer.u8(value === null ? 0 : 1);
    if (value !== null) writer.string(value);
  }
  writer.varint(change.slot?.widthMs ?? 0);
  if (change.slot !== undefined) writer.signedVarint(change.slot.startMs);
  encodeCell(writer, change.cell);
}

function decodeChange(reader: ByteReader, kind: CellKind): CellChange {
  const group: (string | null)[] = [];
  for (let left = reader.varint(); left > 0; left -= 1)
    group.push(reader.u8() === 0 ? null : reader.string());
  const widthMs = reader.varint();
  const slot = widthMs === 0 ? undefined : { widthMs, startMs: reader.signedVarint() };
  return { group, slot, cell: decodeCell(reader, kind) };
}

function packRest(delta: Delta): object {
  const ordered = delta.ordered.map((change) => ({
    ...change,
    state: Buffer.from(change.state).toString("base64"),
  }));
  return { keyed: delta.keyed, ordered };
}

function unpackRest(bytes: Uint8Array): Pick<Delta, "keyed" | "ordered"> {
  const rest = JSON.parse(Buffer.from(bytes).toString()) as {
    keyed: KeyedChange[];
    ordered: (Omit<OrderedChange, "state"> & { state: string })[];
  };
  const ordered = rest.ordered.map((change) => ({
    ...change,
    state: new Uint8Array(Buffer.from(change.state, "base64")),
  }));
  return { keyed: rest.keyed, ordered };
}

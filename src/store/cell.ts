import { assertInvariant, type ByteReader, type ByteWriter } from "../base/index.js";
import { ExactSum, Histogram } from "../sketch/index.js";

export type CellKind = "count" | "sum" | "gauge" | "distribution";

export interface CountCell {
  readonly kind: "count";
  /** Negative only in a summand that takes events back. */
  n: number;
}

export interface SumCell {
  readonly kind: "sum";
  n: number;
  readonly sum: ExactSum;
}

/** The latest value by (time, source, place): the same whatever the order in which settlements arrive. */
export interface GaugeCell {
  readonly kind: "gauge";
  n: number;
  value: number;
  atMs: number;
  source: string;
  /** Offset or stream sequence, then index: breaks ties of time within a source. */
  place: number;
  index: number;
}

export interface DistributionCell {
  readonly kind: "distribution";
  /** Exact n, min, max and sum are the histogram's own. */
  readonly histogram: Histogram;
}

/** What the state keeps for one metric, one group, one slot; and its all-time total. */
export type Cell = CountCell | SumCell | GaugeCell | DistributionCell;

/** A cell that adding to changes nothing but itself. */
export function emptyCell(kind: CellKind): Cell {
  switch (kind) {
    case "count":
      return { kind, n: 0 };
    case "sum":
      return { kind, n: 0, sum: new ExactSum() };
    case "gauge":
      return { kind, n: 0, value: 0, atMs: Number.NEGATIVE_INFINITY, source: "", place: 0, index: 0 };
    case "distribution":
      return { kind, histogram: new Histogram() };
  }
}

/** Number of events in the cell. */
export function countOf(cell: Cell): number {
  return cell.kind === "distribution" ? cell.histogram.count : cell.n;
}

export function copyCell(cell: Cell): Cell {
  switch (cell.kind) {
    case "count":
    case "gauge":
      return { ...cell };
    case "sum":
      return { kind: "sum", n: cell.n, sum: cell.sum.copy() };
    case "distribution":
      return { kind: "distribution", histogram: cell.histogram.copy() };
  }
}

/** Adds `from` to `into`. Commutative and associative, so that order never matters. */
export function mergeCell(into: Cell, from: Cell): void {
  if (into.kind === "count" && from.kind === "count") {
    into.n += from.n;
  } else if (into.kind === "sum" && from.kind === "sum") {
    into.n += from.n;
    into.sum.merge(from.sum);
  } else if (into.kind === "distribution" && from.kind === "distribution") {
    into.histogram.merge(from.histogram);
  } else if (into.kind === "gauge" && from.kind === "gauge") {
    const n = into.n + from.n;
    if (isLater(from, into)) Object.assign(into, from);
    into.n = n;
  } else {
    assertInvariant(false, `cells of one metric have one kind, not ${into.kind} and ${from.kind}`);
  }
}

/** Whether `a` is later than `b` by (time, source, place, index). */
export function isLater(a: GaugeCell, b: GaugeCell): boolean {
  if (a.n === 0 || b.n === 0) return a.n > b.n;
  if (a.atMs !== b.atMs) return a.atMs > b.atMs;
  if (a.source !== b.source) return a.source > b.source;
  if (a.place !== b.place) return a.place > b.place;
  return a.index > b.index;
}

export function encodeCell(writer: ByteWriter, cell: Cell): void {
  switch (cell.kind) {
    case "count":
      writer.signedVarint(cell.n);
      return;
    case "sum":
      writer.signedVarint(cell.n);
      cell.sum.encode(writer);
      return;
    case "gauge":
      writer.varint(cell.n);
      writer.f64(cell.value);
      writer.f64(cell.atMs);
      writer.string(cell.source);
      writer.varint(cell.place);
      writer.varint(cell.index);
      return;
    case "distribution":
      cell.histogram.encode(writer);
  }
}

export function decodeCell(reader: ByteReader, kind: CellKind): Cell {
  switch (kind) {
    case "count":
      return { kind, n: reader.signedVarint() };
    case "sum":
      return { kind, n: reader.signedVarint(), sum: ExactSum.decode(reader) };
    case "gauge":
      return {
        kind,
        n: reader.varint(),
        value: reader.f64(),
        atMs: reader.f64(),
        source: reader.string(),
        place: reader.varint(),
        index: reader.varint(),
      };
    case "distribution":
      return { kind, histogram: Histogram.decode(reader) };
  }
}

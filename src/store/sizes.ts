import type { Cell } from "./cell.js";
import type { CellRecord, GroupRecord, RowRecord, TotalRecord } from "./tables.js";

/**
 * Estimates of what records take in memory on 64-bit Node: a record with its key, its place in the table and in the
 * index. Cheap because they are made for every record written.
 */
const cellOverheadBytes = 300;
const totalOverheadBytes = 220;

function cellBytes(cell: Cell): number {
  switch (cell.kind) {
    case "count":
      return 40;
    case "sum":
      return 160;
    case "gauge":
      return 120 + 2 * cell.source.length;
    case "distribution":
      // As many buckets as values, up to where a window of counts is the smaller form.
      return 300 + Math.min(16 * cell.histogram.count, 1_000);
  }
}

export function cellRecordBytes(record: CellRecord): number {
  return cellOverheadBytes + cellBytes(record.cell);
}

export function totalRecordBytes(record: TotalRecord): number {
  return totalOverheadBytes + cellBytes(record.cell);
}

export function groupRecordBytes(record: GroupRecord): number {
  let bytes = 260;
  // Twice, in the key and in the record.
  for (const value of record.group) bytes += 32 + 4 * (value?.length ?? 0);
  return bytes;
}

export function rowRecordBytes(key: string, record: RowRecord): number {
  return 400 + 2 * key.length + (record.kind === "upsert" ? 160 * record.effects.length : 0);
}

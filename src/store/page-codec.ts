import { ByteReader, ByteWriter } from "../base/index.js";
import { type CellKind, decodeCell, encodeCell } from "./cell.js";
import type { CellPage, GroupCells } from "./contract.js";

/** A page with its groups as flat bytes: 10,000 cells cross threads as one transferred buffer, not as 10,000 objects. */
export interface PackedPage {
  readonly head: Omit<CellPage, "groups">;
  readonly groups: Uint8Array<ArrayBuffer>;
}

const kinds: readonly CellKind[] = ["count", "sum", "gauge", "distribution"];

export function packPage(page: CellPage): PackedPage {
  const { groups, ...head } = page;
  const writer = new ByteWriter(4096);
  writer.varint(groups.length);
  for (const group of groups) encodeGroup(writer, group);
  return { head, groups: writer.finish() };
}

export function unpackPage(packed: PackedPage): CellPage {
  const reader = new ByteReader(packed.groups);
  const groups: GroupCells[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) groups.push(decodeGroup(reader));
  return { ...packed.head, groups };
}

function encodeGroup(writer: ByteWriter, { group, isOverflow, cells }: GroupCells): void {
  writer.varint(group.length);
  for (const value of group) {
    writer.u8(value === null ? 0 : 1);
    if (value !== null) writer.string(value);
  }
  writer.u8(isOverflow ? 1 : 0);
  writer.varint(cells.length);
  for (const { startMs, widthMs, cell } of cells) {
    writer.f64(startMs);
    writer.f64(widthMs);
    writer.u8(kinds.indexOf(cell.kind));
    encodeCell(writer, cell);
  }
}

function decodeGroup(reader: ByteReader): GroupCells {
  const group: (string | null)[] = [];
  for (let left = reader.varint(); left > 0; left -= 1)
    group.push(reader.u8() === 0 ? null : reader.string());
  const isOverflow = reader.u8() === 1;
  const cells: GroupCells["cells"][number][] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    const startMs = reader.f64();
    const widthMs = reader.f64();
    const kind = kinds[reader.u8()];
    if (kind === undefined) throw new RangeError("Cannot decode page: unknown cell kind");
    cells.push({ startMs, widthMs, cell: decodeCell(reader, kind) });
  }
  return { group, isOverflow, cells };
}

import { ByteWriter, compareBytes } from "../base/index.js";

/** The values of a metric's `by` fields, in their order; null where the field is absent. */
export type Group = readonly (string | null)[];

/** Different groups have different bytes: tagged and length-prefixed, never joined by a separator. */
export function groupBytes(group: Group): Uint8Array {
  const writer = new ByteWriter(64);
  for (const value of group) {
    writer.u8(value === null ? 0 : 1);
    if (value !== null) writer.string(value);
  }
  return writer.finish();
}

/** A map key that is equal exactly for equal groups; cheaper than the bytes and of no meaning outside the process. */
export function groupKey(group: Group): string {
  let key = "";
  for (const value of group) key += value === null ? "-;" : `${value.length}:${value};`;
  return key;
}

/** By the values' UTF-8 bytes, one after the other; an absent value comes first. */
export function compareGroups(a: Group, b: Group): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const left = a[i] ?? null;
    const right = b[i] ?? null;
    if (left === right) continue;
    if (left === null) return -1;
    if (right === null) return 1;
    const order = compareBytes(Buffer.from(left), Buffer.from(right));
    if (order !== 0) return order;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

import { ByteWriter } from "../base/index.js";

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
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareValues(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** UTF-8 sorts as code points do; UTF-16 does not, because surrogates lie below U+E000 and stand for what lies above it. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

import { assertInvariant } from "../base/index.js";
import { wireTypes } from "./wire-types.js";

const encoder = new TextEncoder();
/** Up to so many characters a loop over them is faster than a call into the engine. */
const loopCharsMax = 32;
const varintBytesMax = 10;
const word = 0x1_0000_0000;

/**
 * Writes protobuf messages (https://protobuf.dev/programming-guides/encoding/) field by field, in the order of the calls and always
 * in the shortest form. What a schema leaves out (defaults) is left out by not calling.
 *
 * A nested message's length stands before it and is known after it. One byte is kept for it, which is enough below 128 bytes; what a
 * longer one needs beyond that is inserted by `finish()`, so that nothing is copied but once, then:
 *
 *     written   tag _ tag _ a a a … tag _ b b          _ one byte each; `#gaps` has the place and the length of the long ones
 *     finished  tag 9 1 tag 8 f 1 a a a … tag 2 b b
 *
 * Not for use after a callback of `message` threw.
 */
export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  /**
   * Pairs of place and length, ascending; of messages still open what `#grown` was at their beginning instead of the length.
   * The array never shrinks, so that nested messages do not have it made anew all the time.
   */
  #gaps: number[] = [];
  #gapsLength = 0;
  /** Bytes that all closed gaps will need beyond the one that they have. */
  #grown = 0;
  #depth = 0;

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Of what `finish()` would give now, in bytes. */
  get length(): number {
    return this.#length + this.#grown;
  }

  /** For `uint32`, `uint64` and enums: a whole number of 0..2^64 - 1. */
  uint(field: number, value: number | bigint): void {
    this.#tag(field, wireTypes.varint);
    this.#varint(value);
  }

  /** For `int32` and `int64`: a whole number of -2^63..2^63 - 1, a negative one in ten bytes. */
  int(field: number, value: number | bigint): void {
    this.#tag(field, wireTypes.varint);
    this.#varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value);
  }

  /** For `sint32` and `sint64`: a whole number of -2^63..2^63 - 1, shorter the nearer it is to 0. */
  sint(field: number, value: number | bigint): void {
    this.#tag(field, wireTypes.varint);
    this.#varint(zigzag(value));
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0);
  }

  /** For `fixed32` and `sfixed32`. */
  fixed32(field: number, value: number): void {
    this.#tag(field, wireTypes.fixed32);
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  /** For `fixed64`: a whole number of 0..2^64 - 1; for `sfixed64` a bigint of -2^63..2^63 - 1. */
  fixed64(field: number, value: number | bigint): void {
    this.#tag(field, wireTypes.fixed64);
    this.#fixed64(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, wireTypes.fixed64);
    this.#double(value);
  }

  /** As UTF-8; a lone surrogate, which has none, becomes U+FFFD. */
  string(field: number, value: string): void {
    this.#tag(field, wireTypes.length);
    if (value.length <= loopCharsMax && this.#shortAscii(value)) return;
    const bytes = Buffer.byteLength(value);
    this.#varint(bytes);
    this.#reserve(bytes);
    encoder.encodeInto(value, this.#bytes.subarray(this.#length));
    this.#length += bytes;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, wireTypes.length);
    this.#varint(value.length);
    this.raw(value);
  }

  /** Bytes as they are: fields that were written before, by another writer. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A message in this one: `write` gets this writer and `value`, and writes the fields. */
  message<T>(field: number, value: T, write: (writer: ProtobufWriter, value: T) => void): void {
    this.#tag(field, wireTypes.length);
    this.delimited(value, write);
  }

  /** A message without a tag, after its length: one of a stream of messages ("delimited"). */
  delimited<T>(value: T, write: (writer: ProtobufWriter, value: T) => void): void {
    const gap = this.#open();
    write(this, value);
    this.#close(gap);
  }

  /** The length of a message that follows in a stream of messages, when it was written before, by another writer. */
  delimiter(length: number): void {
    this.#varint(length);
  }

  /** A packed list of `uint32`, `uint64` or enums, each as for `uint()`; nothing when it is empty. */
  packedUint(field: number, values: readonly (number | bigint)[]): void {
    if (values.length === 0) return;
    this.#tag(field, wireTypes.length);
    const gap = this.#open();
    this.#varints(values);
    this.#close(gap);
  }

  /** A packed list of `sint32` or `sint64`, each as for `sint()`; nothing when it is empty. */
  packedSint(field: number, values: readonly (number | bigint)[]): void {
    if (values.length === 0) return;
    this.#tag(field, wireTypes.length);
    const gap = this.#open();
    this.#varints(values.map(zigzag));
    this.#close(gap);
  }

  /** A packed list of `fixed64` or `sfixed64`, each as for `fixed64()`; nothing when it is empty. */
  packedFixed64(field: number, values: readonly (number | bigint)[]): void {
    if (values.length === 0) return;
    this.#tag(field, wireTypes.length);
    this.#varint(values.length * 8);
    for (const value of values) this.#fixed64(value);
  }

  /** A packed list of `double`; nothing when it is empty. */
  packedDouble(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.#tag(field, wireTypes.length);
    this.#varint(values.length * 8);
    for (const value of values) this.#double(value);
  }

  /** What was written, in memory of its own. The writer is empty after it and may be used again. */
  finish(): Uint8Array<ArrayBuffer> {
    assertInvariant(this.#depth === 0, "a message is finished before its bytes are taken");
    const bytes = new Uint8Array(this.length);
    const gaps = this.#gaps;
    let from = 0;
    let to = 0;
    for (let i = 0; i < this.#gapsLength; i += 2) {
      const place = gaps[i]!;
      bytes.set(this.#bytes.subarray(from, place), to);
      to = putVarint(bytes, to + place - from, gaps[i + 1]!);
      from = place + 1;
    }
    bytes.set(this.#bytes.subarray(from, this.#length), to);
    this.#length = 0;
    this.#gapsLength = 0;
    this.#grown = 0;
    return bytes;
  }

  #open(): number {
    const gap = this.#gapsLength;
    this.#gaps[gap] = this.#length;
    this.#gaps[gap + 1] = this.#grown;
    this.#gapsLength = gap + 2;
    this.#reserve(1);
    this.#length += 1;
    this.#depth += 1;
    return gap;
  }

  #close(gap: number): void {
    const place = this.#gaps[gap]!;
    const length = this.#length - place - 1 + this.#grown - this.#gaps[gap + 1]!;
    this.#depth -= 1;
    if (length < 0x80) {
      // It holds no longer message, so its gap is the last and no other one's place changes.
      this.#bytes[place] = length;
      this.#gapsLength = gap;
      return;
    }
    this.#gaps[gap + 1] = length;
    this.#grown += varintBytes(length) - 1;
  }

  #tag(field: number, wireType: number): void {
    const tag = field * 8 + wireType;
    this.#reserve(5);
    if (tag < 0x80) this.#bytes[this.#length++] = tag;
    else this.#length = putVarint(this.#bytes, this.#length, tag);
  }

  #varint(value: number | bigint): void {
    this.#reserve(varintBytesMax);
    if (typeof value === "number" && value < 0x80) this.#bytes[this.#length++] = value;
    else this.#length = putVarint(this.#bytes, this.#length, value);
  }

  #varints(values: readonly (number | bigint)[]): void {
    this.#reserve(values.length * varintBytesMax);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i]!;
      if (typeof value === "number" && value < 0x80) bytes[at++] = value;
      else at = putVarint(bytes, at, value);
    }
    this.#length = at;
  }

  #fixed64(value: number | bigint): void {
    this.#reserve(8);
    if (typeof value === "number") {
      this.#view.setUint32(this.#length, value % word, true);
      this.#view.setUint32(this.#length + 4, value / word, true);
    } else {
      this.#view.setBigUint64(this.#length, value, true);
    }
    this.#length += 8;
  }

  #double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** False, and nothing is written, when there is another character in it. */
  #shortAscii(value: string): boolean {
    this.#reserve(1 + loopCharsMax);
    const bytes = this.#bytes;
    const start = this.#length + 1;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[start + i] = code;
    }
    bytes[this.#length] = value.length;
    this.#length = start + value.length;
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** 0, -1, 1, -2, … become 0, 1, 2, 3, …, so that small numbers of both signs are short. */
function zigzag(value: number | bigint): number | bigint {
  if (typeof value === "bigint") return value < 0n ? -2n * value - 1n : 2n * value;
  if (value >= 0) return 2 * value;
  // Below it, the odd number would be rounded.
  return value < -(2 ** 52) ? zigzag(BigInt(value)) : -2 * value - 1;
}

/** @returns the place after it */
function putVarint(bytes: Uint8Array, place: number, value: number | bigint): number {
  let at = place;
  let rest = value;
  // Operators on bits are those of 32 bits, or of bigints.
  while (rest > 0x7fff_ffff) {
    if (typeof rest === "bigint") {
      bytes[at++] = Number(rest & 0x7fn) + 0x80;
      rest >>= 7n;
    } else {
      bytes[at++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
  }
  let low = Number(rest);
  while (low >= 0x80) {
    bytes[at++] = (low & 0x7f) + 0x80;
    low >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Grows as it is written; all numbers little endian. Not for use from two threads at once. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  /** Unsigned LEB128 of a whole number, 0..2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Zigzag, then LEB128: a whole number, -2^52..2^52. */
  signedVarint(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Length in bytes as varint, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /**
   * A string with nothing lost: well-formed ones as UTF-8; ones with lone surrogates as UTF-16, because UTF-8 would turn
   * different strings into the same bytes.
   */
  string(value: string): void {
    // In Node 20, and not yet in the ES2023 library types.
    if ((value as string & { isWellFormed(): boolean }).isWellFormed()) {
      this.u8(0);
      this.bytes(encoder.encode(value));
      return;
    }
    this.u8(1);
    this.bytes(new Uint8Array(Buffer.from(value, "utf16le")));
  }

  /** A copy of what was written, alone in its buffer and so free to be transferred. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what ByteWriter wrote. @throws RangeError past the end */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  get bytesLeft(): number {
    return Math.max(0, this.#bytes.length - this.#offset);
  }

  u8(): number {
    const value = this.#bytes[this.#offset++];
    if (value === undefined) throw new RangeError("Cannot read past the end of the bytes");
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.#offset, true);
    this.#offset += 8;
    return value;
  }

  i64(): bigint {
    const value = this.#view.getBigInt64(this.#offset, true);
    this.#offset += 8;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  signedVarint(): number {
    const zigzag = this.varint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.varint();
    if (this.#offset + length > this.#bytes.length)
      throw new RangeError("Cannot read past the end of the bytes");
    const value = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return value;
  }

  string(): string {
    const isUtf16 = this.u8() === 1;
    const bytes = this.bytes();
    return isUtf16 ? Buffer.from(bytes).toString("utf16le") : decoder.decode(bytes);
  }
}

/** Order of two byte strings: the first differing byte decides, then the length. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** The first `bytesMax` bytes in memory of their own; a Buffer's `slice` would be a view on the original's. */
export function copyBytes(bytes: Uint8Array, bytesMax: number = bytes.length): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(0, bytesMax));
}

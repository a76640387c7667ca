import { wireTypes } from "./wire-types.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const word = 0x1_0000_0000;

export interface ProtobufReaderOptions {
  /** Most messages and groups inside each other. @default 100, the usual limit of protobuf libraries */
  readonly depthMax?: number;
  /** Most bytes that are looked at. @default 64 MiB, the usual limit of protobuf libraries */
  readonly bytesMax?: number;
}

/**
 * Reads protobuf messages (https://protobuf.dev/programming-guides/encoding/) field by field, in the order of the bytes:
 *
 *     while (reader.next())
 *       switch (reader.field) {
 *         case 1: name = reader.string(); break;
 *         case 2: reader.message(readPoint); break;
 *         default: reader.skip();
 *       }
 *
 * - After `next()` exactly one value is read or skipped. A field may come again: for one that is not repeated, the last counts.
 * - Lists are read in both forms, packed and one by one.
 * - Numbers of 64 bits come as bigint; `uintAsNumber()` and the lists give the nearest double, for counts.
 * - Bytes that are no message throw RangeError and nothing else: cut off, a varint without end, an unknown wire type, a value of
 *   another wire type than asked for, a group that does not end, too many bytes or levels. No byte past the end is ever read.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #depthMax: number;
  #at = 0;
  #end: number;
  #depth = 0;
  #field = 0;
  #wireType = 0;
  /** The varint read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, options: ProtobufReaderOptions = {}) {
    const { depthMax = 100, bytesMax = 64 * 1024 * 1024 } = options;
    if (bytes.length > bytesMax) throw wrong(`${bytes.length} bytes are more than ${bytesMax}`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
    this.#depthMax = depthMax;
  }

  /** Of the field that `next()` came to. */
  get field(): number {
    return this.#field;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.#readTag();
    if (this.#wireType === wireTypes.groupEnd) throw wrong("a group ends that did not begin");
    return true;
  }

  /** Of a `uint32`, or an enum. As protobuf says, of a longer number its low 32 bits. */
  uint32(): number {
    this.#expect(wireTypes.varint);
    this.#readVarint();
    return this.#low;
  }

  uint64(): bigint {
    this.#expect(wireTypes.varint);
    this.#readVarint();
    return join64(this.#low, this.#high);
  }

  /** Of a `uint64`: exact up to 2^53, the nearest double above. */
  uintAsNumber(): number {
    this.#expect(wireTypes.varint);
    this.#readVarint();
    return this.#high * word + this.#low;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  sint32(): number {
    const zigzag = this.uint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  sint64(): bigint {
    return unzigzag64(this.uint64());
  }

  bool(): boolean {
    this.#expect(wireTypes.varint);
    this.#readVarint();
    return (this.#low | this.#high) !== 0;
  }

  fixed32(): number {
    this.#expect(wireTypes.fixed32);
    return this.#view.getUint32(this.#take(4), true);
  }

  fixed64(): bigint {
    this.#expect(wireTypes.fixed64);
    return this.#view.getBigUint64(this.#take(8), true);
  }

  sfixed64(): bigint {
    return BigInt.asIntN(64, this.fixed64());
  }

  double(): number {
    this.#expect(wireTypes.fixed64);
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** What is not UTF-8 becomes U+FFFD. */
  string(): string {
    return decoder.decode(this.bytes());
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    this.#expect(wireTypes.length);
    const length = this.#readLength();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A message in this one: `read` gets this reader, whose `next()` ends with the message; what it leaves unread is skipped. */
  message<T>(read: (reader: ProtobufReader) => T): T {
    this.#expect(wireTypes.length);
    const length = this.#readLength();
    const outerEnd = this.#end;
    const end = this.#take(length) + length;
    this.#at = end - length;
    this.#end = end;
    this.#descend();
    const result = read(this);
    this.#depth -= 1;
    this.#at = end;
    this.#end = outerEnd;
    return result;
  }

  /** Adds a value, or a packed list of values, of a repeated `uint32` or `uint64`; above 2^53 the nearest double. */
  addUints(to: number[]): void {
    this.#addVarints(to, (low, high) => high * word + low);
  }

  /** The same of a repeated `sint32` or `sint64`. */
  addSints(to: number[]): void {
    this.#addVarints(to, (low, high) => {
      if (high === 0) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
      return Number(unzigzag64(join64(low, high)));
    });
  }

  /** The same of a repeated `fixed64`. */
  addFixed64s(to: number[]): void {
    this.#addFixed(to, (place) => {
      return this.#view.getUint32(place + 4, true) * word + this.#view.getUint32(place, true);
    });
  }

  /** The same of a repeated `double`. */
  addDoubles(to: number[]): void {
    this.#addFixed(to, (place) => this.#view.getFloat64(place, true));
  }

  /** Passes over the value, whatever it is. */
  skip(): void {
    switch (this.#wireType) {
      case wireTypes.varint:
        this.#readVarint();
        break;
      case wireTypes.fixed64:
        this.#take(8);
        break;
      case wireTypes.length:
        this.#take(this.#readLength());
        break;
      case wireTypes.groupStart:
        this.#skipGroup(this.#field);
        break;
      case wireTypes.fixed32:
        this.#take(4);
        break;
      default:
        throw wrong(`unknown wire type ${this.#wireType}`);
    }
  }

  #skipGroup(field: number): void {
    this.#descend();
    for (;;) {
      if (this.#at >= this.#end) throw wrong(`group ${field} does not end`);
      this.#readTag();
      if (this.#wireType === wireTypes.groupEnd) break;
      this.skip();
    }
    if (this.#field !== field) throw wrong(`group ${field} ends as group ${this.#field}`);
    this.#depth -= 1;
  }

  #descend(): void {
    this.#depth += 1;
    if (this.#depth > this.#depthMax) throw wrong(`more than ${this.#depthMax} levels`);
  }

  #readTag(): void {
    this.#readVarint();
    this.#wireType = this.#low & 7;
    this.#field = this.#low >>> 3;
    if (this.#high !== 0 || this.#field === 0) throw wrong("a field number that there is not");
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType)
      throw wrong(`field ${this.#field} has wire type ${this.#wireType}, not ${wireType}`);
  }

  #readLength(): number {
    this.#readVarint();
    return this.#high * word + this.#low;
  }

  /** @returns where the next `bytes` bytes begin */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#end - start) throw wrong(`cut off: ${bytes} bytes wanted, ${this.#end - start} left`);
    this.#at = start + bytes;
    return start;
  }

  #readVarint(): void {
    const bytes = this.#bytes;
    if (this.#at < this.#end && bytes[this.#at]! < 0x80) {
      this.#low = bytes[this.#at++]!;
      this.#high = 0;
      return;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw wrong("cut off in a varint");
      const byte = bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw wrong("a varint of more than 64 bits");
  }

  #addVarints(to: number[], toNumber: (low: number, high: number) => number): void {
    if (this.#wireType === wireTypes.varint) {
      this.#readVarint();
      to.push(toNumber(this.#low, this.#high));
      return;
    }
    this.#expect(wireTypes.length);
    const length = this.#readLength();
    const outerEnd = this.#end;
    const end = this.#take(length) + length;
    this.#at = end - length;
    this.#end = end;
    while (this.#at < end) {
      this.#readVarint();
      to.push(toNumber(this.#low, this.#high));
    }
    this.#end = outerEnd;
  }

  #addFixed(to: number[], valueAt: (place: number) => number): void {
    if (this.#wireType === wireTypes.fixed64) {
      to.push(valueAt(this.#take(8)));
      return;
    }
    this.#expect(wireTypes.length);
    const length = this.#readLength();
    if (length % 8 !== 0) throw wrong(`a list of ${length} bytes, which is no multiple of 8`);
    const start = this.#take(length);
    for (let place = start; place < start + length; place += 8) to.push(valueAt(place));
  }
}

function join64(low: number, high: number): bigint {
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

function unzigzag64(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}

function wrong(what: string): RangeError {
  return new RangeError(`Cannot read protobuf: ${what}`);
}

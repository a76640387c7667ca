import type { ByteReader, ByteWriter } from "../base/index.js";
import { double, highWord, lowWord, words } from "./ieee754.js";

const radix = 2 ** 32;
/** The largest double has bit 2097 as its highest; 2^53 of them have bit 2150, which is in digit 67. */
const digitsMax = 72;
/** An addition moves a digit by less than 2^32, so after 2^20 of them it is still far below 2^53. */
const additionsMax = 2 ** 20;

/**
 * A whole number of 2^-1074ths as digits of 32 bits: what every double is a multiple of, so that adding is exact.
 *
 *     value = Σ digits[i] · 2^(32 · (first + i) - 1074)
 *
 * Digits are doubles with a sign of their own and room above the 32 bits, so that additions do not carry. `carry`
 * makes them unique: one sign, each below 2^32. Only digits in use are kept (Neal 2015, "small superaccumulator").
 */
export class WideSum {
  #digits: Float64Array = new Float64Array(0);
  #first = 0;
  #additions = 0;

  /** @throws RangeError when the bytes are none that `encode` writes */
  static decode(reader: ByteReader): WideSum {
    const sum = new WideSum();
    const isNegative = reader.u8();
    const first = reader.varint();
    const length = reader.varint();
    if (isNegative > 1 || length === 0 || !(first + length <= digitsMax))
      throw new RangeError("Cannot decode sum: digits out of range");
    sum.#first = first;
    sum.#digits = new Float64Array(length);
    for (let i = 0; i < length; i += 1) {
      const digit = reader.varint();
      if (digit >= radix) throw new RangeError("Cannot decode sum: a digit has more than 32 bits");
      sum.#digits[i] = isNegative === 1 ? -digit : digit;
    }
    if (sum.#digits[0] === 0 || sum.#digits[length - 1] === 0)
      throw new RangeError("Cannot decode sum: a zero at an end of the digits");
    return sum;
  }

  /** After `carry` only. */
  get isZero(): boolean {
    return this.#digits.every((digit) => digit === 0);
  }

  /** `value` must be finite. */
  add(value: number): void {
    if (value === 0) return;
    double[0] = value;
    const high = words[highWord]!;
    const low = words[lowWord]!;
    const exponent = (high >>> 20) & 0x7ff;
    const upper = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
    const bit = exponent === 0 ? 0 : exponent - 1;
    const shift = bit & 31;
    const sign = value < 0 ? -1 : 1;
    this.#cover(bit >>> 5, 3);
    const at = (bit >>> 5) - this.#first;
    const digits = this.#digits;
    // A shift by 32 would be a shift by 0 in JavaScript, hence one bit first.
    digits[at]! += sign * ((low << shift) >>> 0);
    digits[at + 1]! += sign * (((upper << shift) | ((low >>> 1) >>> (31 - shift))) >>> 0);
    digits[at + 2]! += sign * ((upper >>> 1) >>> (31 - shift));
    this.#additions += 1;
    if (this.#additions >= additionsMax) this.carry();
  }

  merge(other: WideSum): void {
    this.carry();
    other.carry();
    this.#cover(other.#first, other.#digits.length);
    const shift = other.#first - this.#first;
    for (let i = 0; i < other.#digits.length; i += 1) this.#digits[shift + i]! += other.#digits[i]!;
    this.#additions += 1;
  }

  copy(): WideSum {
    const copy = new WideSum();
    copy.#digits = this.#digits.slice();
    copy.#first = this.#first;
    copy.#additions = this.#additions;
    return copy;
  }

  /** Makes the digits those of the number's absolute value, all with the number's sign, and no more than needed. */
  carry(): void {
    let top = this.#carryUp();
    if (top < 0) {
      this.#negate();
      top = this.#carryUp() - top;
      this.#negate();
      top = -top;
    }
    if (top !== 0) {
      this.#cover(this.#first + this.#digits.length, 1);
      this.#digits[this.#digits.length - 1] = top;
    }
    this.#trim();
    this.#additions = 0;
  }

  /** The double nearest to the number times 2^`exponent`, ties to even; after `carry` only. */
  round(exponent = 0): number {
    const digits = this.#digits;
    const top = digits.length - 1;
    if (top < 0) return 0;
    // Three digits have at least 65 bits: enough to round 53, if one more bit says whether anything is below them.
    const bottom = Math.max(0, top - 2);
    let bits = 0n;
    for (let i = top; i >= bottom; i -= 1) bits = (bits << 32n) | BigInt(Math.abs(digits[i]!));
    for (let i = 0; i < bottom; i += 1) if (digits[i] !== 0) bits |= 1n;
    const magnitude = Number(bits) * 2 ** (32 * (this.#first + bottom) - 1074 + exponent);
    return digits[top]! < 0 ? -magnitude : magnitude;
  }

  /** After `carry` only: then equal numbers have equal bytes. */
  encode(writer: ByteWriter): void {
    writer.u8(this.#digits[this.#digits.length - 1]! < 0 ? 1 : 0);
    writer.varint(this.#first);
    writer.varint(this.#digits.length);
    for (const digit of this.#digits) writer.varint(Math.abs(digit));
  }

  #carryUp(): number {
    const digits = this.#digits;
    let carried = 0;
    for (let i = 0; i < digits.length; i += 1) {
      const digit = digits[i]! + carried;
      carried = Math.floor(digit / radix);
      digits[i] = digit - carried * radix;
    }
    return carried;
  }

  #negate(): void {
    const digits = this.#digits;
    for (let i = 0; i < digits.length; i += 1) digits[i] = 0 - digits[i]!;
  }

  #trim(): void {
    let start = 0;
    let end = this.#digits.length;
    while (end > start && this.#digits[end - 1] === 0) end -= 1;
    while (start < end && this.#digits[start] === 0) start += 1;
    if (start === 0 && end === this.#digits.length) return;
    this.#digits = this.#digits.slice(start, end);
    this.#first += start;
  }

  #cover(first: number, length: number): void {
    if (this.#digits.length === 0) this.#first = first;
    const start = Math.min(first, this.#first);
    const end = Math.max(first + length, this.#first + this.#digits.length);
    if (end - start === this.#digits.length) return;
    const digits = new Float64Array(end - start);
    digits.set(this.#digits, this.#first - start);
    this.#digits = digits;
    this.#first = start;
  }
}

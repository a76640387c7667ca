import { assertInvariant, type ByteReader, type ByteWriter } from "../base/index.js";
import { WideSum } from "./wide-sum.js";

/**
 * The exact sum of doubles, the same in every order; rounded once, when read.
 *
 * - Adding and merging commute and associate exactly: the same values give the same `value()` and the same bytes,
 *   however they were ordered, split and merged.
 * - Sums may leave the range of doubles and come back.
 * - Values are finite; anything else is a bug of the caller.
 *
 *     sum = high + low + wide
 *
 * `high` and `low` are doubles that take nearly every addition: the rounding error of `high + value` is itself a double
 * (Shewchuk 1997, "Adaptive precision floating-point arithmetic", TWO-SUM) and goes to `low`. When even `low` would
 * round, all three values go to `wide`, which holds anything. Before bytes are written the sum is *settled*: it becomes
 * its nearest double and the rest, if the rest is a double, and otherwise all of it goes to `wide`; which of the two
 * depends on the number alone.
 */
export class ExactSum {
  #high = 0;
  #low = 0;
  #wide: WideSum | undefined;

  /** @throws RangeError when the bytes are none that `encode` writes */
  static decode(reader: ByteReader): ExactSum {
    const sum = new ExactSum();
    const parts = reader.u8();
    if (parts > 3) throw new RangeError(`Cannot decode sum: unknown form ${parts}`);
    if (parts === 3) sum.#wide = WideSum.decode(reader);
    else if (parts > 0) sum.#high = reader.f64();
    if (parts === 2) sum.#low = reader.f64();
    const { high, low } = { high: sum.#high, low: sum.#low };
    if (!Number.isFinite(high) || !Number.isFinite(low))
      throw new RangeError("Cannot decode sum: a part is not finite");
    if (sum.#settle() !== parts || !Object.is(sum.#high, high) || !Object.is(sum.#low, low))
      throw new RangeError("Cannot decode sum: not in its settled form");
    return sum;
  }

  add(value: number): void {
    const high = this.#high;
    const newHigh = high + value;
    const added = newHigh - high;
    const error = high - (newHigh - added) + (value - added);
    const low = this.#low;
    const newLow = low + error;
    const lowAdded = newLow - low;
    // NaN, and so false, when anything overflowed on the way.
    if (low - (newLow - lowAdded) + (error - lowAdded) === 0) {
      this.#high = newHigh;
      this.#low = newLow;
    } else {
      this.#widen(value);
    }
  }

  merge(other: ExactSum): void {
    const { high, low, wide } = { high: other.#high, low: other.#low, wide: other.#wide };
    if (wide !== undefined) {
      this.#wide ??= new WideSum();
      this.#wide.merge(wide);
    }
    this.add(high);
    this.add(low);
    // Sums that live on between merges do not keep digits that they can do without.
    if (this.#wide !== undefined) this.#settle();
  }

  /** Takes back a value that was added, here or to a sum that was merged in. */
  subtract(value: number): void {
    this.add(-value);
  }

  copy(): ExactSum {
    const copy = new ExactSum();
    copy.#high = this.#high;
    copy.#low = this.#low;
    copy.#wide = this.#wide?.copy();
    return copy;
  }

  /** The double nearest to the exact sum, ties to even; ±Infinity when it lies outside the doubles. */
  value(): number {
    this.#settle();
    return this.#wide === undefined ? this.#high : this.#wide.round();
  }

  /** The sum divided by `n`, also when the sum itself lies outside the doubles; rounded twice. */
  dividedBy(n: number): number {
    const value = this.value();
    if (Number.isFinite(value) || this.#wide === undefined) return value / n;
    return (this.#wide.round(-64) / n) * 2 ** 64;
  }

  encode(writer: ByteWriter): void {
    const parts = this.#settle();
    writer.u8(parts);
    if (parts === 3) {
      this.#wide?.encode(writer);
      return;
    }
    if (parts > 0) writer.f64(this.#high);
    if (parts === 2) writer.f64(this.#low);
  }

  #widen(value: number): void {
    assertInvariant(Number.isFinite(value), `an exact sum takes finite values only, not ${value}`);
    const wide = (this.#wide ??= new WideSum());
    wide.add(this.#high);
    wide.add(this.#low);
    wide.add(value);
    this.#high = 0;
    this.#low = 0;
  }

  /** Brings the sum into its unique form: 0, 1 or 2 doubles, or (3) all of it in `wide`. */
  #settle(): 0 | 1 | 2 | 3 {
    if (this.#wide === undefined) {
      const high = this.#high;
      const low = this.#low;
      const nearest = high + low;
      const added = nearest - high;
      const rest = high - (nearest - added) + (low - added);
      if (Number.isFinite(rest)) return this.#keep(nearest, rest);
    }
    const wide = (this.#wide ??= new WideSum());
    wide.add(this.#high);
    wide.add(this.#low);
    wide.carry();
    this.#high = 0;
    this.#low = 0;
    const nearest = wide.round();
    if (!Number.isFinite(nearest)) return 3;
    wide.add(-nearest);
    wide.carry();
    const rest = wide.round();
    wide.add(-rest);
    wide.carry();
    if (wide.isZero) {
      this.#wide = undefined;
      return this.#keep(nearest, rest);
    }
    wide.add(nearest);
    wide.add(rest);
    wide.carry();
    return 3;
  }

  #keep(nearest: number, rest: number): 0 | 1 | 2 {
    this.#high = nearest;
    this.#low = rest;
    if (nearest === 0) return 0;
    return rest === 0 ? 1 : 2;
  }
}

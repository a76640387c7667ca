import type { ByteReader, ByteWriter } from "../base/index.js";

/** The exact sum of doubles, the same in every order; rounded once, when read. */
export class ExactSum {
  static decode(_reader: ByteReader): ExactSum {
    throw new Error("in work");
  }

  add(_value: number): void {
    throw new Error("in work");
  }

  merge(_other: ExactSum): void {
    throw new Error("in work");
  }

  subtract(_value: number): void {
    throw new Error("in work");
  }

  /** The double nearest to the exact sum; ±Infinity when it lies outside the doubles. */
  value(): number {
    throw new Error("in work");
  }

  encode(_writer: ByteWriter): void {
    throw new Error("in work");
  }
}

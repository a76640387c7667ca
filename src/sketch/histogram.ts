import type { ByteReader, ByteWriter } from "../base/index.js";

/** Base-2 exponential histogram of schema 5. */
export class Histogram {
  /** (2^(1/32) - 1) / (2^(1/32) + 1): bound of a quantile's relative error, by nearest rank. */
  static readonly relativeErrorMax: number = (2 ** (1 / 32) - 1) / (2 ** (1 / 32) + 1);

  static decode(_reader: ByteReader): Histogram {
    throw new Error("in work");
  }

  get count(): number {
    throw new Error("in work");
  }

  /** NaN when empty, as max and mean. */
  get min(): number {
    throw new Error("in work");
  }

  get max(): number {
    throw new Error("in work");
  }

  get sum(): number {
    throw new Error("in work");
  }

  get mean(): number {
    throw new Error("in work");
  }

  /** False, and nothing changes, for NaN and the infinities. */
  record(_value: number): boolean {
    throw new Error("in work");
  }

  merge(_other: Histogram): void {
    throw new Error("in work");
  }

  /** The value of rank ceil(q * n) to within `relativeErrorMax`, inside [min, max]; q in 0..1; NaN when empty. */
  quantile(_q: number): number {
    throw new Error("in work");
  }

  /** Buckets in ascending order of value, for exposition: `upper` is inclusive. */
  buckets(): { readonly lower: number; readonly upper: number; readonly count: number }[] {
    throw new Error("in work");
  }

  encode(_writer: ByteWriter): void {
    throw new Error("in work");
  }
}

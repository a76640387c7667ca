import type { ByteReader, ByteWriter } from "../base/index.js";
import { bucketLowerAt, bucketMiddleAt, bucketUpperAt, relativeErrorAt } from "./bucket-bounds.js";
import { BucketCounts } from "./bucket-counts.js";
import { bucketIndex } from "./bucket-index.js";
import { type BucketRun, emptyRun } from "./bucket-run.js";
import { ExactSum } from "./exact-sum.js";
import type { ExponentialHistogram } from "./exponential.js";
import { quantileOfRanked } from "./quantile.js";
import { usualSchema } from "./schema.js";

const hasZeros = 1;
const hasNegative = 2;
const hasPositive = 4;
const hasRange = 8;

/**
 * Base-2 exponential histogram of schema 5, over all doubles; bucket-index.ts draws its buckets.
 *
 * - Count, min, max and sum are exact. Counts hold up to 2^53 values.
 * - A quantile is off by at most `relativeErrorMax` (Masson, Rim, Lee 2019, "DDSketch", for buckets of this kind), for
 *   subnormal values (below 2^-1022) by up to half of the smallest double more. The lowest and the highest rank are exact.
 * - Merging adds counts: any split of the same values, merged in any order, gives the same histogram and the same bytes.
 */
export class Histogram {
  /**
   * Bound of a quantile's relative error: (b - 1) / (b + 1) with b = 2^(1/32) is 1.083000 %, rounded up so that the
   * rounding of doubles is inside.
   */
  static readonly relativeErrorMax: number = relativeErrorAt(usualSchema);

  #count = 0;
  #zeros = 0;
  #negatives = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #sum = new ExactSum();
  /** By the index of the absolute value. */
  #negative: BucketCounts | undefined;
  #positive: BucketCounts | undefined;

  /** @throws RangeError when the bytes are none that `encode` writes */
  static decode(reader: ByteReader): Histogram {
    const histogram = new Histogram();
    const parts = reader.u8();
    if (parts > 15 || parts === hasRange)
      throw new RangeError(`Cannot decode histogram: unknown form ${parts}`);
    if (parts === 0) return histogram;
    if (parts & hasZeros) histogram.#zeros = reader.varint();
    if (parts & hasZeros && histogram.#zeros === 0)
      throw new RangeError("Cannot decode histogram: a bucket without values");
    if (parts & hasNegative) histogram.#negative = BucketCounts.decode(reader);
    if (parts & hasPositive) histogram.#positive = BucketCounts.decode(reader);
    histogram.#min = reader.f64();
    histogram.#max = parts & hasRange ? reader.f64() : histogram.#min;
    histogram.#sum = ExactSum.decode(reader);
    histogram.#completeDecoded((parts & hasRange) !== 0);
    return histogram;
  }

  /**
   * Values that are known by their buckets of schema 5 only.
   * @throws RangeError when min and max do not lie in the outermost buckets
   */
  static fromBuckets(parts: {
    readonly zeroCount: number;
    readonly positive: BucketRun;
    readonly negative: BucketRun;
    readonly min: number;
    readonly max: number;
    readonly sum: ExactSum;
  }): Histogram {
    const histogram = new Histogram();
    histogram.#zeros = parts.zeroCount;
    histogram.#positive = bucketCountsOf(parts.positive);
    histogram.#negative = bucketCountsOf(parts.negative);
    histogram.#min = parts.min;
    histogram.#max = parts.max;
    histogram.#sum = parts.sum.copy();
    histogram.#completeDecoded(parts.min < parts.max);
    return histogram;
  }

  get count(): number {
    return this.#count;
  }

  /** NaN when empty, as max and mean. */
  get min(): number {
    return this.#count === 0 ? Number.NaN : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? Number.NaN : this.#max;
  }

  /** The double nearest to the exact sum; ±Infinity when it lies outside the doubles. */
  get sum(): number {
    return this.#sum.value();
  }

  /** Finite also when the sum is not. */
  get mean(): number {
    if (this.#count === 0) return Number.NaN;
    return this.#clamp(this.#sum.dividedBy(this.#count));
  }

  /** False, and nothing changes, for NaN and the infinities. */
  record(value: number): boolean {
    if (value - value !== 0) return false;
    this.#sum.add(value);
    this.#count += 1;
    if (value < this.#min) this.#min = value + 0;
    if (value > this.#max) this.#max = value + 0;
    if (value > 0) {
      (this.#positive ??= new BucketCounts()).add(bucketIndex(value), 1);
    } else if (value < 0) {
      this.#negatives += 1;
      (this.#negative ??= new BucketCounts()).add(bucketIndex(-value), 1);
    } else {
      this.#zeros += 1;
    }
    return true;
  }

  merge(other: Histogram): void {
    this.#count += other.#count;
    this.#zeros += other.#zeros;
    this.#negatives += other.#negatives;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#sum.merge(other.#sum);
    if (other.#negative !== undefined) (this.#negative ??= new BucketCounts()).merge(other.#negative);
    if (other.#positive !== undefined) (this.#positive ??= new BucketCounts()).merge(other.#positive);
  }

  copy(): Histogram {
    const copy = new Histogram();
    copy.#count = this.#count;
    copy.#zeros = this.#zeros;
    copy.#negatives = this.#negatives;
    copy.#min = this.#min;
    copy.#max = this.#max;
    copy.#sum = this.#sum.copy();
    copy.#negative = this.#negative?.copy();
    copy.#positive = this.#positive?.copy();
    return copy;
  }

  /**
   * The value of rank ceil(q * n) to within `relativeErrorMax`, inside [min, max]; q in 0..1; NaN when empty.
   * @throws OptionError when q is not in 0..1
   */
  quantile(q: number): number {
    return quantileOfRanked(
      {
        count: this.#count,
        min: this.#min,
        max: this.#max,
        hasLooseRange: false,
        negativeCount: this.#negatives,
        zeroCount: this.#zeros,
        negativeMiddle: (rank) => bucketMiddleAt(usualSchema, this.#negative!.indexOfRank(rank)),
        positiveMiddle: (rank) => bucketMiddleAt(usualSchema, this.#positive!.indexOfRank(rank)),
      },
      q,
    );
  }

  /**
   * Used buckets in ascending order of value, for exposition: `lower` is exclusive and `upper` inclusive; the reverse
   * for negative values; both 0 for the bucket of zeros.
   */
  buckets(): { readonly lower: number; readonly upper: number; readonly count: number }[] {
    const buckets: { lower: number; upper: number; count: number }[] = [];
    this.#negative?.forEach((index, count) => {
      buckets.push({
        lower: -bucketUpperAt(usualSchema, index),
        upper: 0 - bucketLowerAt(usualSchema, index),
        count,
      });
    });
    buckets.reverse();
    if (this.#zeros > 0) buckets.push({ lower: 0, upper: 0, count: this.#zeros });
    this.#positive?.forEach((index, count) => {
      buckets.push({
        lower: bucketLowerAt(usualSchema, index),
        upper: bucketUpperAt(usualSchema, index),
        count,
      });
    });
    return buckets;
  }

  /** As plain data of schema 5; the sum is rounded to a double. */
  toExponential(): ExponentialHistogram {
    return {
      schema: usualSchema,
      count: this.#count,
      sum: this.sum,
      min: this.min,
      max: this.max,
      zeroCount: this.#zeros,
      positive: this.#positive?.toRun() ?? emptyRun,
      negative: this.#negative?.toRun() ?? emptyRun,
    };
  }

  /** Parts that exist (u8), then zeros, negative and positive buckets, min, max unless it is min, and sum. */
  encode(writer: ByteWriter): void {
    const parts =
      (this.#zeros > 0 ? hasZeros : 0) |
      (this.#negative !== undefined ? hasNegative : 0) |
      (this.#positive !== undefined ? hasPositive : 0) |
      (this.#min < this.#max ? hasRange : 0);
    writer.u8(parts);
    if (parts === 0) return;
    if (parts & hasZeros) writer.varint(this.#zeros);
    this.#negative?.encode(writer);
    this.#positive?.encode(writer);
    writer.f64(this.#min);
    if (parts & hasRange) writer.f64(this.#max);
    this.#sum.encode(writer);
  }

  #clamp(value: number): number {
    return Math.min(Math.max(value, this.#min), this.#max);
  }

  /** Derives what the bytes do not hold, and refuses bytes whose parts contradict each other. */
  #completeDecoded(hasMaxOfItsOwn: boolean): void {
    const negative = this.#negative?.extent();
    const positive = this.#positive?.extent();
    this.#negatives = negative?.count ?? 0;
    this.#count = this.#zeros + this.#negatives + (positive?.count ?? 0);
    if (!Number.isSafeInteger(this.#count)) throw new RangeError("Cannot decode histogram: count above 2^53");
    const hasZero = this.#zeros > 0;
    if (
      Object.is(this.#min, -0) ||
      Object.is(this.#max, -0) ||
      (hasMaxOfItsOwn && !(this.#min < this.#max)) ||
      !isOutermost(-this.#min, negative?.last, hasZero, positive?.first) ||
      !isOutermost(this.#max, positive?.last, hasZero, negative?.first)
    )
      throw new RangeError("Cannot decode histogram: min and max are not those of the buckets");
  }
}

/**
 * Whether a value lies in the outermost bucket of its direction: the last one beyond zero if there is any, else that of
 * zeros, else the first one on the other side of zero. `value` counts upwards in that direction.
 */
function isOutermost(
  value: number,
  beyondLast: number | undefined,
  hasZero: boolean,
  behindFirst: number | undefined,
): boolean {
  if (!Number.isFinite(value)) return false;
  if (beyondLast !== undefined) return value > 0 && bucketIndex(value) === beyondLast;
  if (hasZero) return value === 0;
  return value < 0 && bucketIndex(-value) === behindFirst;
}

function bucketCountsOf({ indexes, counts }: BucketRun): BucketCounts | undefined {
  if (indexes.length === 0) return undefined;
  const buckets = new BucketCounts();
  for (const [at, index] of indexes.entries()) buckets.add(index, counts[at]!);
  return buckets;
}

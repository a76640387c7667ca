import type { ByteReader, ByteWriter } from "../base/index.js";
import { bucketIndexMax, bucketIndexMin } from "./bucket-index.js";
import type { BucketRun } from "./bucket-run.js";

type Window = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Up to so many buckets a search costs about as much as a window saves. */
const pairsMax = 24;
/** A window is made when at least one in so many of its counts is used, and given up below half of that. */
const windowPerBucket = 16;
/** Windows grow by a quarter of an octave at once. */
const windowStep = 8;

const windowKinds = [
  { countMax: 0xff, make: (length: number): Window => new Uint8Array(length) },
  { countMax: 0xffff, make: (length: number): Window => new Uint16Array(length) },
  { countMax: 0xffff_ffff, make: (length: number): Window => new Uint32Array(length) },
  { countMax: Number.MAX_SAFE_INTEGER, make: (length: number): Window => new Float64Array(length) },
] as const;

const noPairs: readonly number[] = [];

/**
 * Counts of buckets by index, in the smaller of two forms:
 *
 *     pairs    [index, count, index, count, …]      ascending; few buckets, or buckets far apart
 *     window   [count of first, of first + 1, …]    many buckets side by side; 1, 2, 4 or 8 bytes a count
 *
 * The memory is proportional to the number of buckets in use, however far apart they lie.
 */
export class BucketCounts {
  #pairs: number[] = noPairs as number[];
  #window: Window | undefined;
  #first = 0;
  #countMax = 0;

  /** @throws RangeError when the bytes are none that `encode` writes */
  static decode(reader: ByteReader): BucketCounts {
    const length = reader.varint();
    if (length === 0) throw new RangeError("Cannot decode histogram: no buckets");
    const pairs: number[] = [];
    let index = reader.signedVarint();
    if (index < bucketIndexMin) throw new RangeError("Cannot decode histogram: bucket index out of range");
    for (let left = length; left > 0; left -= 1) {
      const count = reader.varint();
      if (count === 0 || !Number.isSafeInteger(count) || !(index <= bucketIndexMax))
        throw new RangeError("Cannot decode histogram: bucket out of range");
      pairs.push(index, count);
      if (left > 1) index += reader.varint() + 1;
    }
    const counts = new BucketCounts();
    counts.#pairs = pairs;
    counts.#choosePairsOrWindow();
    return counts;
  }

  add(index: number, count: number): void {
    const window = this.#window;
    if (window !== undefined) {
      const at = index - this.#first;
      if (at >= 0 && at < window.length) {
        const total = window[at]! + count;
        if (total <= this.#countMax) {
          window[at] = total;
          return;
        }
      }
      this.#resize(index, count);
    }
    if (this.#window === undefined) this.#addPair(index, count);
    else this.#window[index - this.#first]! += count;
  }

  merge(other: BucketCounts): void {
    // A copy, because merging with itself would change what is being read.
    const from = other === this ? other.copy() : other;
    from.forEach((index, count) => {
      this.add(index, count);
    });
  }

  copy(): BucketCounts {
    const copy = new BucketCounts();
    copy.#pairs = this.#pairs.slice();
    copy.#window = this.#window?.slice();
    copy.#first = this.#first;
    copy.#countMax = this.#countMax;
    return copy;
  }

  /** Used buckets only, ascending. */
  forEach(visit: (index: number, count: number) => void): void {
    const window = this.#window;
    if (window === undefined) {
      const pairs = this.#pairs;
      for (let i = 0; i < pairs.length; i += 2) visit(pairs[i]!, pairs[i + 1]!);
      return;
    }
    for (let i = 0; i < window.length; i += 1) if (window[i] !== 0) visit(this.#first + i, window[i]!);
  }

  toRun(): BucketRun {
    const indexes: number[] = [];
    const counts: number[] = [];
    this.forEach((index, count) => {
      indexes.push(index);
      counts.push(count);
    });
    return { indexes, counts };
  }

  /** Of all counts the sum, and the lowest and highest index; there must be a bucket. */
  extent(): { readonly count: number; readonly first: number; readonly last: number } {
    let count = 0;
    let first: number | undefined;
    let last = 0;
    this.forEach((index, of) => {
      count += of;
      first ??= index;
      last = index;
    });
    return { count, first: first ?? 0, last };
  }

  /** Index of the bucket that holds the value of this rank; 1 is the lowest. The rank must exist. */
  indexOfRank(rank: number): number {
    let left = rank;
    let found = 0;
    this.forEach((index, count) => {
      if (left > 0) found = index;
      left -= count;
    });
    return found;
  }

  /** Number of buckets; first index, zigzag; then a count for each, with the indices left out before it in between. */
  encode(writer: ByteWriter): void {
    let length = 0;
    this.forEach(() => {
      length += 1;
    });
    writer.varint(length);
    let next: number | undefined;
    this.forEach((index, count) => {
      if (next === undefined) writer.signedVarint(index);
      else writer.varint(index - next);
      writer.varint(count);
      next = index + 1;
    });
  }

  #addPair(index: number, count: number): void {
    const pairs = this.#pairs;
    let low = 0;
    let high = pairs.length >> 1;
    while (low < high) {
      const half = (low + high) >> 1;
      if (pairs[2 * half]! < index) low = half + 1;
      else high = half;
    }
    if (pairs[2 * low] === index) {
      pairs[2 * low + 1]! += count;
      return;
    }
    // A new array has no spare room, which an array that is pushed to has plenty of.
    this.#pairs = pairs.toSpliced(2 * low, 0, index, count);
    if (this.#pairs.length > 2 * pairsMax) this.#choosePairsOrWindow();
  }

  #choosePairsOrWindow(): void {
    const pairs = this.#pairs;
    const used = pairs.length >> 1;
    if (used <= pairsMax) return;
    const first = pairs[0]!;
    const last = pairs[pairs.length - 2]!;
    if (last - first >= used * windowPerBucket) return;
    let highest = 0;
    for (let i = 1; i < pairs.length; i += 2) highest = Math.max(highest, pairs[i]!);
    this.#openWindow(first, last, highest);
    for (let i = 0; i < pairs.length; i += 2) this.#window![pairs[i]! - this.#first] = pairs[i + 1]!;
    this.#pairs = noPairs as number[];
  }

  /** Makes room for `count` more in a bucket that the window does not cover, or whose count would outgrow it. */
  #resize(index: number, count: number): void {
    const window = this.#window!;
    const total = (window[index - this.#first] ?? 0) + count;
    const last = this.#first + window.length - 1;
    const { from, to } = { from: Math.min(index, this.#first), to: Math.max(index, last) };
    let used = 0;
    for (const value of window) if (value !== 0) used += 1;
    if (to - from >= 2 * windowPerBucket * used) {
      this.#leaveWindow();
      return;
    }
    const first = this.#first;
    this.#openWindow(from, to, Math.max(total, this.#countMax));
    this.#window!.set(window, first - this.#first);
  }

  #openWindow(first: number, last: number, highest: number): void {
    const start = Math.floor(first / windowStep) * windowStep;
    const end = (Math.floor(last / windowStep) + 1) * windowStep;
    const kind = windowKinds.find(({ countMax }) => highest <= countMax) ?? windowKinds[3];
    this.#first = start;
    this.#window = kind.make(end - start);
    this.#countMax = kind.countMax;
  }

  #leaveWindow(): void {
    const pairs: number[] = [];
    this.forEach((index, count) => {
      pairs.push(index, count);
    });
    this.#pairs = pairs;
    this.#window = undefined;
  }
}

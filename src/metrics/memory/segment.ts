import { MetricLayoutError, MetricReserveError } from "../errors.js";
import { headerUnits, signature, threadUnits, word } from "./layout.js";

export interface SegmentSize {
  readonly reserveBytes: number;
  readonly threadsMax: number;
  readonly familiesMax: number;
}

/** What all threads have to agree on. */
export interface Origin {
  /** Wall time of the registry's start, in milliseconds since 1970; and monotonic time, in that of all threads. */
  readonly startedMs: number;
  readonly startedMonotonicMs: number;
  /** Defaults of metrics; 0 for series that never expire. */
  readonly seriesMax: number;
  readonly idleMs: number;
}

/** Chains of the hash table of series: so many that each stays short up to the 100,000s of series. */
const chainsCount = 1 << 15;
/** A thread takes memory in pieces of this many units (16 KiB), so that no two threads write into one cache line. */
const chunkUnits = 2048;

/** Views of the shared memory, and its division; see layout.ts. */
export class Segment {
  readonly buffer: SharedArrayBuffer;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly chains: BigInt64Array<SharedArrayBuffer>;
  /** The same as pairs of Int32, for who only compares. */
  readonly chainHalves: Int32Array<SharedArrayBuffer>;
  readonly threadsMax: number;
  readonly familiesMax: number;
  /** Int32 index of the first family's entry. */
  readonly familiesAt: number;
  readonly unitsTotal: number;
  readonly chunkUnits: number = chunkUnits;

  /** @throws MetricLayoutError when the buffer is none that `create` made, or of another layout */
  constructor(buffer: SharedArrayBuffer) {
    if (buffer.byteLength < headerUnits * 8) throw new MetricLayoutError("the buffer is too small to be one");
    this.buffer = buffer;
    this.i32 = new Int32Array(buffer);
    const found = Atomics.load(this.i32, word.signature);
    if (found !== signature)
      throw new MetricLayoutError(
        `layout ${found.toString(16)} is not the ${signature.toString(16)} of this version`,
      );
    this.f64 = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.unitsTotal = this.i32[word.unitsTotal]!;
    this.threadsMax = this.i32[word.threadsMax]!;
    this.familiesMax = this.i32[word.familiesMax]!;
    const division = divide(this.threadsMax, this.familiesMax);
    this.familiesAt = division.familiesUnit * 2;
    this.chains = new BigInt64Array(buffer, division.chainsUnit * 8, chainsCount);
    this.chainHalves = new Int32Array(buffer, division.chainsUnit * 8, 2 * chainsCount);
  }

  static create(size: SegmentSize, origin: Origin): Segment {
    const units = Math.floor(size.reserveBytes / 8);
    const buffer = reserve(units * 8);
    const i32 = new Int32Array(buffer);
    i32[word.unitsTotal] = units;
    i32[word.threadsMax] = size.threadsMax;
    i32[word.familiesMax] = size.familiesMax;
    i32[word.epoch] = 1;
    i32[word.heapNext] = divide(size.threadsMax, size.familiesMax).heapUnit;
    const f64 = new Float64Array(buffer);
    f64[word.startedWall / 2] = origin.startedMs;
    f64[word.startedMonotonic / 2] = origin.startedMonotonicMs;
    f64[word.idleMs / 2] = origin.idleMs;
    i32[word.seriesMax] = origin.seriesMax;
    Atomics.store(i32, word.signature, signature);
    return new Segment(buffer);
  }

  /** First unit of a thread's slot. */
  threadUnit(slot: number): number {
    return headerUnits + slot * threadUnits;
  }

  get origin(): Origin {
    return {
      startedMs: this.f64[word.startedWall / 2]!,
      startedMonotonicMs: this.f64[word.startedMonotonic / 2]!,
      seriesMax: this.i32[word.seriesMax]!,
      idleMs: this.f64[word.idleMs / 2]!,
    };
  }

  get usedBytes(): number {
    return Atomics.load(this.i32, word.heapNext) * 8;
  }

  /** Units that nobody has used yet, zeroed, at the start of a cache line; 0 when there are not as many left. */
  take(units: number): number {
    const rounded = Math.ceil(units / 8) * 8;
    for (;;) {
      const start = Atomics.load(this.i32, word.heapNext);
      if (start + rounded > this.unitsTotal) return 0;
      if (Atomics.compareExchange(this.i32, word.heapNext, start, start + rounded) === start) return start;
    }
  }
}

function reserve(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (error) {
    throw new MetricReserveError(bytes, error);
  }
}

/** The least that a registry needs before the first metric, in bytes. */
export function bytesMinOf(threadsMax: number, familiesMax: number): number {
  return (divide(threadsMax, familiesMax).heapUnit + 4 * chunkUnits) * 8;
}

function divide(
  threadsMax: number,
  familiesMax: number,
): { familiesUnit: number; chainsUnit: number; heapUnit: number } {
  const familiesUnit = headerUnits + threadsMax * threadUnits;
  const chainsUnit = familiesUnit + Math.ceil(familiesMax / 16) * 8;
  return { familiesUnit, chainsUnit, heapUnit: chainsUnit + chainsCount };
}

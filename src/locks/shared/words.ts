/**
 * The memory of a shared mutex. All of it is zero at the start: free, nobody waits.
 *
 * ```
 * byte 0      4         8         12        16        20               64                72
 *      ┌─────────┬─────────┬─────────┬─────────┬─────────┬───────────────┬─────────────────┬─────────┬ ─
 *      │ layout  │ owner   │ head    │ tail    │abandoned│ (cache line)  │ place 0         │ place 1 │ …
 *      │ version │ Int32   │ Int32   │ Int32   │ Int32   │               │ BigInt64        │         │
 *      └─────────┴─────────┴─────────┴─────────┴─────────┴───────────────┴─────────────────┴─────────┴ ─
 *
 * owner   31           2 1 0          place   63        34 33          2 1     0
 *        ┌──────────────┬────┐               ┌────────────┬─────────────┬───────┐
 *        │ value        │kind│               │ round      │ thread      │ state │
 *        └──────────────┴────┘               └────────────┴─────────────┴───────┘
 *         free 0: value = position of the queue's head      empty 0, waiting 1, granted 2
 *         queue 1: the same; the mutex is its thread's whose place at the head is granted
 *         held 2: value = thread
 *         wanted 3: the same, and the holder has to hand over
 * ```
 *
 * Positions count upwards for ever, modulo 2^30; position p lies in place p mod n and is the place's round ⌊p / n⌋. A place is
 * empty(r), then waiting(r), then granted(r), then empty(r + 1); it skips what does not happen to it. A place whose round is past a
 * position's is what says that this position is over, whatever the reason: served, given up, or its thread dead.
 */
export const layoutVersion = 0x506c_0001;

/** Indices of the words, as Int32. */
export const word = { layout: 0, owner: 1, head: 2, tail: 3, abandoned: 4 } as const;
export type Word = (typeof word)[keyof typeof word];

/** A cache line for the words, so that waiting on places does not slow them down. */
const headerBytes = 64;
const placeBytes = 8;

/** One atomic step each. The model check of the algorithm puts its own in place of the real memory. */
export interface LockMemory {
  /** Places in the queue; a power of two. */
  readonly placeCount: number;
  load(at: Word): number;
  /** False when the word was not `expected`; then nothing happened. */
  swap(at: Word, expected: number, next: number): boolean;
  loadPlace(index: number): bigint;
  swapPlace(index: number, expected: bigint, next: bigint): boolean;
  /** Wakes all who wait on a place. */
  wake(index: number): void;
}

/** The memory as it really is. */
export class SharedMemory implements LockMemory {
  readonly placeCount: number;
  readonly places: BigInt64Array<SharedArrayBuffer>;
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, headerBytes / Int32Array.BYTES_PER_ELEMENT);
    this.places = new BigInt64Array(buffer, headerBytes);
    this.placeCount = this.places.length;
  }

  /** @param placeCount a power of two */
  static bufferFor(placeCount: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(headerBytes + placeCount * placeBytes);
    new Int32Array(buffer)[word.layout] = layoutVersion;
    return buffer;
  }

  static isBuffer(buffer: unknown): buffer is SharedArrayBuffer {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength <= headerBytes) return false;
    return new Int32Array(buffer, 0, 1)[word.layout] === layoutVersion;
  }

  load(at: Word): number {
    return Atomics.load(this.#words, at);
  }

  swap(at: Word, expected: number, next: number): boolean {
    return Atomics.compareExchange(this.#words, at, expected, next) === expected;
  }

  loadPlace(index: number): bigint {
    return Atomics.load(this.places, index);
  }

  swapPlace(index: number, expected: bigint, next: bigint): boolean {
    return Atomics.compareExchange(this.places, index, expected, next) === expected;
  }

  wake(index: number): void {
    Atomics.notify(this.places, index);
  }
}

export const ownerKind = { free: 0, queue: 1, held: 2, wanted: 3 } as const;
export type OwnerKind = (typeof ownerKind)[keyof typeof ownerKind];

/** Threads and positions share 30 bits of the owner word. */
const valueMask = 0x3fff_ffff;

export function packOwner(value: number, kind: OwnerKind): number {
  return (value << 2) | kind;
}

export function kindOf(owner: number): OwnerKind {
  return (owner & 3) as OwnerKind;
}

export function ownerValue(owner: number): number {
  return owner >>> 2;
}

export function next(position: number): number {
  return (position + 1) & valueMask;
}

/** Whether `a` comes later than `b`, as long as they are less than 2^29 apart. */
export function isLater(a: number, b: number): boolean {
  const ahead = (a - b) & valueMask;
  return ahead !== 0 && ahead <= valueMask >>> 1;
}

export const placeState = { empty: 0, waiting: 1, granted: 2 } as const;
export type PlaceState = (typeof placeState)[keyof typeof placeState];

export interface Place {
  readonly round: number;
  readonly thread: number;
  readonly state: PlaceState;
}

export function packPlace(round: number, thread: number, state: PlaceState): bigint {
  return (BigInt(round) << 34n) | (BigInt(thread) << 2n) | BigInt(state);
}

export function readPlace(packed: bigint): Place {
  return {
    round: Number(packed >> 34n),
    thread: Number((packed >> 2n) & 0xffff_ffffn),
    state: Number(packed & 3n) as PlaceState,
  };
}

export function placeOf(memory: LockMemory, position: number): { index: number; round: number } {
  return { index: position % memory.placeCount, round: Math.floor(position / memory.placeCount) };
}

/** Rounds count modulo as many as positions have. */
export function roundAfter(memory: LockMemory, round: number): number {
  return (round + 1) % roundCount(memory);
}

/** Whether a place in round `a` is past round `b`. */
export function isPast(memory: LockMemory, a: number, b: number): boolean {
  const rounds = roundCount(memory);
  const ahead = (a - b + rounds) % rounds;
  return ahead !== 0 && ahead < rounds / 2;
}

function roundCount(memory: LockMemory): number {
  return (valueMask + 1) / memory.placeCount;
}

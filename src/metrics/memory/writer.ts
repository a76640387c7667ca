import { putFree, takeFree } from "./free-list.js";
import {
  blockHeadUnits,
  blockWord,
  cellsMax,
  slotHeadWords,
  slotsUnit,
  slotUnits,
  slotValuesUnit,
  threadWord,
  word,
} from "./layout.js";
import { isWeaklyOrdered } from "./ordering.js";
import type { Segment } from "./segment.js";

// Constants of this module where a record uses them, because those are compiled in; imported ones are loaded anew each time.
const needsFence: boolean = isWeaklyOrdered;
const epochAt: number = word.epoch;
const headUnits: number = blockHeadUnits;
const cellWords: number = slotHeadWords;
const slotDistance: number = slotUnits;

/** Where all of a thread's handles of one series find its block, as long as it is that series'; then 0. */
export interface Home {
  block: number;
}

/** Int32 words from one of the two slots of a thread to the other. */
const slotStride: number = slotUnits * 2;

/**
 * Writes the numbers of one thread. A record is a list of cells with their new values, made to be in one step:
 *
 * ```
 *   1  slot[seq & 1] = seq; load epoch                 plain; blocks that have another stamp are made ready (`freshen`)
 *   2  slot[seq & 1] = cells, new values               plain: what is to be
 *   3  thread.seq = seq                                atomic: from here on the record is
 *   4  cells = new values                              plain; whoever reads before that takes them from the slot
 * ```
 *
 * - A thread that dies before 3 has recorded nothing, after it everything: no record is ever half there.
 * - Nobody waits for anybody. A reader moves the epoch on and finds in each thread either a record of the new epoch, then all older
 *   ones are in their cells; or `seq`, whose slot it lays over the cells (cut.ts).
 * - Who is between 1 and 3 can be seen to be: nothing of what it may write is freed (expiry.ts), and if it dies there, a record is lost.
 * - Values in slots are new values, not additions, so laying them over once more changes nothing.
 *
 * The plain stores of 2 happen before 3 by the JavaScript memory model, and so do those of 4 before the next record's 3. That nobody
 * sees 4 before 3 is what x64 guarantees for all stores; elsewhere a load after the store holds later stores back.
 */
export class ThreadWriter {
  readonly segment: Segment;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  /** Index of the thread's slot. */
  readonly owner: number;
  /** Which of the threads that have had the slot. */
  readonly incarnation: number;
  /** Int32 index of the thread's words. */
  readonly wordsAt: number;
  /** Of the newest record. */
  seq: number;
  /** How many `together` are under way: their records become one. */
  depth = 0;
  /** While there is one: the epoch in which it began, since a record has only one. */
  togetherEpoch = 0;
  readonly #seqAt: number;
  readonly #slotAt: number;
  readonly #valuesAt: number;
  #count = 0;
  readonly #homes = new Map<number, Home>();

  constructor(segment: Segment, owner: number) {
    this.segment = segment;
    this.i32 = segment.i32;
    this.f64 = segment.f64;
    this.owner = owner;
    const unit = segment.threadUnit(owner);
    this.wordsAt = unit * 2;
    this.incarnation = this.i32[this.wordsAt + threadWord.incarnation]!;
    this.#seqAt = this.wordsAt + threadWord.seq;
    this.#slotAt = (unit + slotsUnit) * 2;
    this.#valuesAt = unit + slotsUnit + slotValuesUnit;
    this.seq = Atomics.load(this.i32, this.#seqAt);
  }

  /** Adds to the first cell of a block of numbers and puts what rounding takes away into the second; both must be fresh. */
  addNumber(block: number, value: number): void {
    const { i32, f64 } = this;
    const cell = block + headUnits;
    if (this.depth > 0) {
      this.#addTogether(cell, value);
      return;
    }
    const before = f64[cell]!;
    const sum = before + value;
    const virtual = sum - before;
    const rest = before - (sum - virtual) + (value - virtual);
    const seq = (this.seq + 1) | 0;
    const odd = seq & 1;
    const at = this.#slotAt + odd * slotStride;
    const values = this.#valuesAt + odd * slotDistance;
    i32[at] = seq;
    i32[at + cellWords] = cell;
    f64[values] = sum;
    if (rest !== 0 && rest - rest === 0) {
      i32[at + cellWords + 1] = cell + 1;
      f64[values + 1] = f64[cell + 1]! + rest;
      this.#count = 2;
      this.#publish();
      return;
    }
    i32[at + 1] = 1;
    this.seq = seq;
    Atomics.store(i32, this.#seqAt, seq);
    if (needsFence) Atomics.load(i32, this.#seqAt);
    f64[cell] = sum;
  }

  /**
   * Adds one observation: to the count in `countCell`, and to a block's sum, min and max, which stand from `head` on as in a
   * histogram's block. All blocks must be fresh.
   */
  addObservation(head: number, countCell: number, value: number): void {
    if (this.depth > 0) {
      this.#observeTogether(head, countCell, value);
      return;
    }
    const { i32, f64 } = this;
    const before = f64[head]!;
    const sum = before + value;
    const virtual = sum - before;
    const rest = before - (sum - virtual) + (value - virtual);
    // Always three cells, since most sums have a rest; one that has left the doubles has none.
    const low = f64[head + 1]! + (rest - rest === 0 ? rest : 0);
    const count = f64[countCell]! + 1;
    const seq = (this.seq + 1) | 0;
    const odd = seq & 1;
    const at = this.#slotAt + odd * slotStride;
    const values = this.#valuesAt + odd * slotDistance;
    i32[at] = seq;
    i32[at + cellWords] = countCell;
    i32[at + cellWords + 1] = head;
    i32[at + cellWords + 2] = head + 1;
    f64[values] = count;
    f64[values + 1] = sum;
    f64[values + 2] = low;
    if (value < f64[head + 2]! || value > f64[head + 3]!) {
      this.#count = 3;
      if (value < f64[head + 2]!) this.put(head + 2, value);
      if (value > f64[head + 3]!) this.put(head + 3, value);
      this.#publish();
      return;
    }
    i32[at + 1] = 3;
    this.seq = seq;
    Atomics.store(i32, this.#seqAt, seq);
    if (needsFence) Atomics.load(i32, this.#seqAt);
    f64[countCell] = count;
    f64[head] = sum;
    f64[head + 1] = low;
  }

  /** Sets the first three cells of a block; it must be fresh. */
  setThree(block: number, first: number, second: number, third: number): void {
    const { i32, f64 } = this;
    const cell = block + headUnits;
    if (this.depth > 0) {
      this.begin();
      this.put(cell, first);
      this.put(cell + 1, second);
      this.put(cell + 2, third);
      return;
    }
    const seq = (this.seq + 1) | 0;
    const odd = seq & 1;
    const at = this.#slotAt + odd * slotStride;
    const values = this.#valuesAt + odd * slotDistance;
    i32[at] = seq;
    i32[at + 1] = 3;
    i32[at + cellWords] = cell;
    i32[at + cellWords + 1] = cell + 1;
    i32[at + cellWords + 2] = cell + 2;
    f64[values] = first;
    f64[values + 1] = second;
    f64[values + 2] = third;
    this.seq = seq;
    Atomics.store(i32, this.#seqAt, seq);
    if (needsFence) Atomics.load(i32, this.#seqAt);
    f64[cell] = first;
    f64[cell + 1] = second;
    f64[cell + 2] = third;
  }

  /** The value that a cell has, or will have once the record in hand is. */
  read(cell: number): number {
    if (this.depth > 0) {
      const odd = (this.seq + 1) & 1;
      const at = this.#slotAt + odd * slotStride + slotHeadWords;
      for (let i = this.#count - 1; i >= 0; i -= 1)
        if (this.i32[at + i] === cell) return this.f64[this.#valuesAt + odd * slotUnits + i]!;
    }
    return this.f64[cell]!;
  }

  /** Starts a record of several cells, or goes on with that of `together`. At most 40 cells may follow. */
  begin(): void {
    if (this.depth > 0 && this.#count > 0) {
      // Only where one observation makes two records; else `open` has seen to it.
      if (this.#count > cellsMax - 40) this.#publish();
      else return;
    }
    const seq = (this.seq + 1) | 0;
    this.i32[this.#slotAt + (seq & 1) * slotStride] = seq;
    this.#count = 0;
  }

  put(cell: number, value: number): void {
    const odd = (this.seq + 1) & 1;
    this.i32[this.#slotAt + odd * slotStride + slotHeadWords + this.#count] = cell;
    this.f64[this.#valuesAt + odd * slotUnits + this.#count] = value;
    this.#count += 1;
  }

  commit(): void {
    if (this.depth === 0) this.#publish();
  }

  /** Makes all records of `body` one: every snapshot has all of them or none. */
  together<T>(body: () => T): T {
    if (this.depth === 0) {
      this.togetherEpoch = this.open();
      this.#count = 0;
    }
    this.depth += 1;
    try {
      return body();
    } finally {
      this.depth -= 1;
      if (this.#count === 0) this.abandon();
      else if (this.depth === 0) this.#publish();
    }
  }

  /** Makes a block's cells what `before` has to say, and stamps it. For every block that a record writes, before the record. */
  freshen(block: number, cells: number, epoch: number): void {
    const { i32, f64 } = this;
    const current = block + blockHeadUnits;
    for (let i = 0; i < cells; i += 1) f64[current + cells + i] = f64[current + i]!;
    // Ordered after the copies: a reader that sees the stamp finds them done.
    Atomics.store(i32, block * 2 + blockWord.stamp, epoch);
    const words = this.wordsAt;
    if (i32[words + threadWord.entered] === epoch) return;
    // `first` first: a reader that finds the thread in its epoch must find where it entered.
    Atomics.store(i32, words + threadWord.first, (this.seq + 1) | 0);
    Atomics.store(i32, words + threadWord.entered, epoch);
  }

  /** Says that a record begins, and answers its epoch; what follows is recorded, or given up by `abandon`. */
  open(): number {
    if (this.depth > 0) return this.#openTogether();
    const seq = (this.seq + 1) | 0;
    this.i32[this.#slotAt + (seq & 1) * slotStride] = seq;
    return this.i32[epochAt]!;
  }

  /** Nothing comes of the record that was begun. */
  abandon(): void {
    if (this.depth === 0) this.i32[this.#slotAt + ((this.seq + 1) & 1) * slotStride] = (this.seq - 1) | 0;
  }

  /** A block of one's own, zeroed; not yet in any series. 0 when memory is used up. */
  takeBlock(units: number, list: number): number {
    const at = this.takeUsed(list, units) || this.takeUnits(units);
    if (at === 0) return 0;
    this.f64.fill(0, at, at + units);
    this.i32[at * 2 + blockWord.owner] = this.owner;
    return at;
  }

  /** The home of a block that is in a series. */
  homeOf(block: number): Home {
    const known = this.#homes.get(block);
    if (known !== undefined && known.block !== 0) return known;
    const home = { block };
    this.#homes.set(block, home);
    return home;
  }

  /** Memory out of the thread's own chunk; larger pieces come from the registry's. */
  takeUnits(units: number): number {
    const { i32, segment } = this;
    if (units > segment.chunkUnits / 4) return segment.take(units);
    const nextAt = this.wordsAt + threadWord.chunkNext;
    let start = i32[nextAt]!;
    if (start === 0 || start + units > i32[this.wordsAt + threadWord.chunkEnd]!) {
      start = segment.take(segment.chunkUnits);
      if (start === 0) return 0;
      i32[this.wordsAt + threadWord.chunkEnd] = start + segment.chunkUnits;
    }
    i32[nextAt] = start + units;
    return start;
  }

  /** Does again what the newest record of the slot's former thread may not have come to do. */
  finishNewest(): void {
    const odd = this.seq & 1;
    const at = this.#slotAt + odd * slotStride;
    if (this.i32[at] === this.seq) this.#apply(at, this.#valuesAt + odd * slotUnits, this.i32[at + 1]!);
    this.#count = 0;
    this.#publish();
  }

  /**
   * Memory out of the thread's lists. None into which the newest record has written: it would be laid over what comes there. Handles
   * that still have the memory for their block learn that it no longer is.
   */
  takeUsed(list: number, units: number): number {
    const at = takeFree(this.i32, this.wordsAt, list);
    if (at === 0) return 0;
    const slot = this.#slotAt + (this.seq & 1) * slotStride;
    for (let i = this.i32[slot + 1]! - 1; i >= 0; i -= 1) {
      const cell = this.i32[slot + slotHeadWords + i]!;
      if (cell < at || cell >= at + units) continue;
      putFree(this.i32, this.wordsAt, list, at);
      return 0;
    }
    const home = this.#homes.get(at);
    if (home !== undefined) home.block = 0;
    this.#homes.delete(at);
    return at;
  }

  /** What does not fit becomes a record of its own, and the rest one of the epoch that it is by then: seen apart, but not lost. */
  #openTogether(): number {
    if (this.#count <= cellsMax - 40) return this.togetherEpoch;
    this.#publish();
    const seq = (this.seq + 1) | 0;
    this.i32[this.#slotAt + (seq & 1) * slotStride] = seq;
    this.togetherEpoch = this.i32[epochAt]!;
    return this.togetherEpoch;
  }

  #publish(): void {
    const { i32 } = this;
    const seq = (this.seq + 1) | 0;
    const odd = seq & 1;
    const at = this.#slotAt + odd * slotStride;
    const count = this.#count;
    i32[at] = seq;
    i32[at + 1] = count;
    this.seq = seq;
    this.#count = 0;
    Atomics.store(i32, this.#seqAt, seq);
    if (needsFence) Atomics.load(i32, this.#seqAt);
    this.#apply(at, this.#valuesAt + odd * slotUnits, count);
  }

  #apply(at: number, values: number, count: number): void {
    const { i32, f64 } = this;
    for (let i = 0; i < count; i += 1) f64[i32[at + slotHeadWords + i]!] = f64[values + i]!;
  }

  #observeTogether(head: number, countCell: number, value: number): void {
    this.begin();
    this.put(countCell, this.read(countCell) + 1);
    const before = this.read(head);
    const sum = before + value;
    const virtual = sum - before;
    const rest = before - (sum - virtual) + (value - virtual);
    this.put(head, sum);
    if (rest !== 0 && rest - rest === 0) this.put(head + 1, this.read(head + 1) + rest);
    if (value < this.read(head + 2)) this.put(head + 2, value);
    if (value > this.read(head + 3)) this.put(head + 3, value);
  }

  #addTogether(cell: number, value: number): void {
    this.begin();
    const before = this.read(cell);
    const sum = before + value;
    const virtual = sum - before;
    const rest = before - (sum - virtual) + (value - virtual);
    const restBefore = this.read(cell + 1);
    this.put(cell, sum);
    if (rest !== 0 && rest - rest === 0) this.put(cell + 1, restBefore + rest);
  }
}

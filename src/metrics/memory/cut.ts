import {
  blockHeadUnits,
  blockWord,
  slotHeadWords,
  slotsUnit,
  slotUnits,
  slotValuesUnit,
  threadState,
  threadWord,
  word,
} from "./layout.js";
import { isWeaklyOrdered } from "./ordering.js";
import type { Segment } from "./segment.js";

/** Touched where loads before it must not be done after it. */
const fence: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** What a thread's newest record writes, for as long as nobody knows whether it has. */
interface InHand {
  readonly owner: number;
  readonly seq: number;
  readonly cells: readonly number[];
  readonly values: readonly number[];
}

/**
 * All numbers of one moment: that at which the constructor moves the epoch on.
 *
 * A record belongs to the cut if it began in an older epoch and was there when its thread was looked at; so if a record is in the
 * cut, all that its thread made before are too, and all that other threads made before it began.
 *
 * ```
 *   thread has entered the new epoch       all its older records are in their cells
 *   it has not; its newest record is n     all before n are in their cells; n's cells are taken from its slot
 *      later: still n                      nothing has changed
 *             n + 1 was of the new epoch   its blocks bear the new stamp, and say what was before
 *             n + 1 was of an old epoch    it may have been read half: `isValid` says no, and the cut is taken anew
 * ```
 *
 * At most one such straggler can come from each thread, because the next record sees the new epoch: so what is read `again` holds,
 * unless other readers have moved the epoch on.
 */
export class Cut {
  readonly epoch: number;
  /** The cells of the block read last. */
  readonly cells: Float64Array = new Float64Array(64);
  readonly #segment: Segment;
  readonly #inHand: (InHand | undefined)[] = [];

  constructor(segment: Segment) {
    this.#segment = segment;
    this.epoch = (Atomics.add(segment.i32, word.epoch, 1) + 1) | 0;
    this.#lookAtThreads();
    // A record under way at the first look is over by the second, unless its thread was stopped: fewer cuts are read in vain.
    this.#lookAtThreads();
  }

  /** To be read again from the start, when `isValid` said no. The epoch stays, so that nobody can be caught in the old one anew. */
  again(): void {
    this.#lookAtThreads();
  }

  /** Reads the first `count` cells of a block into `cells`. True when the block was stamped in this epoch. */
  read(block: number, count: number): boolean {
    const { i32, f64 } = this.#segment;
    const current = block + blockHeadUnits;
    const stampAt = block * 2 + blockWord.stamp;
    let from = current;
    if (i32[stampAt] === this.epoch) from = current + i32[block * 2 + blockWord.cells]!;
    for (let i = 0; i < count; i += 1) this.cells[i] = f64[from + i]!;
    if (from !== current) return true;
    // Ordered after the loads: if the block was not stamped by now, what was loaded is older than the stamp.
    if (isWeaklyOrdered) Atomics.add(fence, 0, 0);
    const stamp = Atomics.load(i32, stampAt);
    if (stamp === this.epoch) {
      from = current + i32[block * 2 + blockWord.cells]!;
      for (let i = 0; i < count; i += 1) this.cells[i] = f64[from + i]!;
      return true;
    }
    // Never written since it is in its series; what is in hand for this place is of another. And whoever has stamped a block in this
    // epoch had done all that is in hand before, hence the returns above.
    if (stamp === 0) return false;
    const inHand = this.#inHand[i32[block * 2 + blockWord.owner]!];
    if (inHand !== undefined) this.#layOver(inHand, current, count);
    return false;
  }

  /** Whether all that was read until now is of the cut. */
  isValid(): boolean {
    const { i32 } = this.#segment;
    if (!this.isCurrent()) return false;
    return this.#inHand.every((inHand) => {
      if (inHand === undefined) return true;
      const at = this.#segment.threadUnit(inHand.owner) * 2;
      if (Atomics.load(i32, at + threadWord.seq) === inHand.seq) return true;
      return (
        Atomics.load(i32, at + threadWord.entered) === this.epoch &&
        Atomics.load(i32, at + threadWord.first) === ((inHand.seq + 1) | 0)
      );
    });
  }

  /** False once another reader has moved the epoch on. */
  isCurrent(): boolean {
    return Atomics.load(this.#segment.i32, word.epoch) === this.epoch;
  }

  #lookAtThreads(): void {
    const { i32, threadsMax } = this.#segment;
    for (let owner = 0; owner < threadsMax; owner += 1) {
      const at = this.#segment.threadUnit(owner) * 2;
      if (Atomics.load(i32, at + threadWord.state) === threadState.free) continue;
      this.#inHand[owner] = this.#newestOf(owner, at);
    }
  }

  #newestOf(owner: number, at: number): InHand | undefined {
    const { i32 } = this.#segment;
    for (;;) {
      const seq = Atomics.load(i32, at + threadWord.seq);
      const inHand = this.#copySlot(owner, seq);
      // Ordered after the load of `seq`: a thread enters before its first record of the epoch, so `seq` is of none of those.
      if (Atomics.load(i32, at + threadWord.entered) === this.epoch) return undefined;
      // A thread that records meanwhile enters the epoch with its next record but one.
      if (Atomics.load(i32, at + threadWord.seq) === seq) return inHand;
    }
  }

  #copySlot(owner: number, seq: number): InHand {
    const { i32, f64 } = this.#segment;
    const unit = this.#segment.threadUnit(owner) + slotsUnit + (seq & 1) * slotUnits;
    const count = i32[unit * 2] === seq ? i32[unit * 2 + 1]! : 0;
    const cells: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < count; i += 1) {
      cells.push(i32[unit * 2 + slotHeadWords + i]!);
      values.push(f64[unit + slotValuesUnit + i]!);
    }
    return { owner, seq, cells, values };
  }

  #layOver({ cells, values }: InHand, first: number, count: number): void {
    for (let i = 0; i < cells.length; i += 1) {
      const at = cells[i]! - first;
      if (at >= 0 && at < count) this.cells[at] = values[i]!;
    }
  }
}

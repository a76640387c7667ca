import { threadState, threadWord, word } from "./layout.js";
import type { Segment } from "./segment.js";

/** How long a snapshot waits for another reader that does not get on. */
const patienceMs = 20;
/** So many others may come first. */
const overtakenMax = 100;

/**
 * Readers take turns, out of courtesy: who moves the epoch on while another reads makes the other begin anew. Nobody waits for a
 * reader that has died, or longer than 20 ms for one that does not get on because it is busy elsewhere; so no thread blocks another.
 */
export class ReaderTurn {
  readonly #segment: Segment;
  readonly #mine: number;

  constructor(segment: Segment, owner: number) {
    this.#segment = segment;
    this.#mine = owner + 1;
  }

  /** Blocks while other readers get on, and for 20 ms when one does not. May be called again by who may have lost the turn. */
  take(): void {
    const { i32 } = this.#segment;
    let last = 0;
    for (let overtaken = 0; ; ) {
      const holder = this.#tryTake();
      if (holder === 0) return;
      if (holder !== last) overtaken += 1;
      last = holder;
      const progress = Atomics.load(i32, word.readerProgress);
      Atomics.wait(i32, word.reader, holder, patienceMs);
      if ((overtaken > overtakenMax || this.#isStuck(progress)) && this.#takeFrom(holder)) return;
    }
  }

  /** As `take`, but asks `again` between looks. */
  async takeLater(again: () => Promise<void>, elapsedMs: () => number): Promise<void> {
    const { i32 } = this.#segment;
    let last = 0;
    let overtaken = 0;
    let progress = 0;
    let sinceMs = elapsedMs();
    for (;;) {
      const holder = this.#tryTake();
      if (holder === 0) return;
      if (holder !== last) overtaken += 1;
      if (holder !== last || !this.#isStuck(progress)) {
        last = holder;
        progress = Atomics.load(i32, word.readerProgress);
        sinceMs = elapsedMs();
      }
      const isLate = elapsedMs() - sinceMs >= patienceMs || overtaken > overtakenMax;
      if (isLate && this.#takeFrom(holder)) return;
      await again();
    }
  }

  /** Tells those who wait that there is no need to go ahead. */
  getOn(): void {
    Atomics.add(this.#segment.i32, word.readerProgress, 1);
  }

  give(): void {
    Atomics.compareExchange(this.#segment.i32, word.reader, this.#mine, 0);
    Atomics.notify(this.#segment.i32, word.reader);
  }

  #isStuck(progress: number): boolean {
    return Atomics.load(this.#segment.i32, word.readerProgress) === progress;
  }

  #takeFrom(holder: number): boolean {
    return Atomics.compareExchange(this.#segment.i32, word.reader, holder, this.#mine) === holder;
  }

  /** 0 when it is ours now, or who has it. A reader in this very thread can't go on meanwhile, so it is not waited for. */
  #tryTake(): number {
    const { i32 } = this.#segment;
    const holder = Atomics.compareExchange(i32, word.reader, 0, this.#mine);
    if (holder === 0 || holder === this.#mine) return 0;
    const at = this.#segment.threadUnit(holder - 1) * 2;
    const isAlive = Atomics.load(i32, at + threadWord.state) === threadState.live;
    return isAlive || !this.#takeFrom(holder) ? holder : 0;
  }
}

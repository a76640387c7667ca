import { threadState, threadWord, word } from "./layout.js";
import type { Segment } from "./segment.js";

/** How long a snapshot waits for another reader to finish its own. */
const patienceMs = 20;

/**
 * Readers take turns, out of courtesy: who moves the epoch on while another reads makes the other begin anew. Nobody waits longer
 * than 20 ms for a reader, or at all for one that has died, so a reader that is busy elsewhere blocks none.
 */
export class ReaderTurn {
  readonly #segment: Segment;
  readonly #mine: number;

  constructor(segment: Segment, owner: number) {
    this.#segment = segment;
    this.#mine = owner + 1;
  }

  /** Blocks for at most 20 ms. */
  take(): void {
    const { i32 } = this.#segment;
    const holder = this.#tryTake();
    if (holder === 0) return;
    Atomics.wait(i32, word.reader, holder, patienceMs);
    Atomics.store(i32, word.reader, this.#mine);
  }

  /** Asks `again` between looks, for at most 20 ms of its time. */
  async takeLater(again: () => Promise<void>, elapsedMs: () => number): Promise<void> {
    const start = elapsedMs();
    while (this.#tryTake() !== 0 && elapsedMs() - start < patienceMs) await again();
    Atomics.store(this.#segment.i32, word.reader, this.#mine);
  }

  give(): void {
    Atomics.compareExchange(this.#segment.i32, word.reader, this.#mine, 0);
    Atomics.notify(this.#segment.i32, word.reader);
  }

  /** 0 when it is ours now, or who has it. A reader in this very thread can't go on meanwhile, so it is not waited for. */
  #tryTake(): number {
    const { i32 } = this.#segment;
    const holder = Atomics.compareExchange(i32, word.reader, 0, this.#mine);
    if (holder === 0 || holder === this.#mine) return 0;
    const at = this.#segment.threadUnit(holder - 1) * 2;
    const isAlive = Atomics.load(i32, at + threadWord.state) === threadState.live;
    return isAlive ? holder : 0;
  }
}

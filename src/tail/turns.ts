/** What takes turns: `turnBytes` is how far it has come, in bytes handed out. */
export interface TurnTaker {
  turnBytes: number;
  /** Position in a fixed order, for a reader that takes one file after the other. */
  readonly order: number;
  /** The file that had this one's name before: older events, so it goes first while it has any. */
  readonly predecessor: TurnTaker | undefined;
}

/**
 * Who is next. Live files go in turn by bytes, so that a backlog of any size can't keep a live file waiting longer than
 * one range; a one-shot reader takes them in order.
 */
export class Turns<Taker extends TurnTaker> {
  readonly #ready = new Set<Taker>();
  readonly #isOrdered: boolean;
  #nowBytes = 0;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  get size(): number {
    return this.#ready.size;
  }

  has(taker: Taker): boolean {
    return this.#ready.has(taker);
  }

  /** One that was idle starts at the present turn: having been quiet earns no credit. */
  add(taker: Taker): void {
    if (this.#ready.has(taker)) return;
    taker.turnBytes = Math.max(taker.turnBytes, this.#nowBytes);
    this.#ready.add(taker);
  }

  delete(taker: Taker): void {
    this.#ready.delete(taker);
  }

  /** The next one that `isAllowed`; stays ready until deleted. */
  pick(isAllowed: (taker: Taker) => boolean): Taker | undefined {
    let best: Taker | undefined;
    for (const taker of this.#ready) {
      if (best !== undefined && !this.#isBefore(taker, best)) continue;
      if (!this.#isBehind(taker) && isAllowed(taker)) best = taker;
    }
    return best;
  }

  /** Small ranges cost something as well, or a file of many small ones would always be first. */
  charge(taker: Taker, bytes: number): void {
    this.#nowBytes = Math.max(this.#nowBytes, taker.turnBytes);
    taker.turnBytes += Math.max(bytes, 4096);
  }

  #isBefore(a: Taker, b: Taker): boolean {
    return this.#isOrdered ? a.order < b.order : a.turnBytes < b.turnBytes;
  }

  #isBehind(taker: Taker): boolean {
    for (let older = taker.predecessor; older !== undefined; older = older.predecessor)
      if (this.#ready.has(older as Taker)) return true;
    return false;
  }
}

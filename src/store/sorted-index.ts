interface Entry {
  readonly rank: number;
  readonly key: string;
}

/**
 * Keys in order of a number, for tables in which most keys come with a rising one. Removal is lazy: an entry counts
 * as long as `isLive` says so; dead ones go from the front at once, elsewhere when they are the majority.
 */
export class SortedIndex {
  #entries: Entry[] = [];
  /** Entries before it are dead. */
  #head = 0;
  #removed = 0;
  readonly #isLive: (key: string, rank: number) => boolean;

  constructor(isLive: (key: string, rank: number) => boolean) {
    this.#isLive = isLive;
  }

  add(rank: number, key: string): void {
    const newest = this.#entries.at(-1);
    if (newest === undefined || newest.rank <= rank) this.#entries.push({ rank, key });
    else this.#entries.splice(this.#firstAfter(rank), 0, { rank, key });
  }

  /** Says that some entry is no longer live. */
  noteRemoved(): void {
    this.#removed += 1;
    for (; this.#head < this.#entries.length; this.#head += 1) {
      const entry = this.#entries[this.#head]!;
      if (this.#isLive(entry.key, entry.rank)) break;
    }
    // Half dead: a pass over n entries pays for the n removals before it.
    if (this.#removed < 1_000 || this.#removed * 2 < this.#entries.length) return;
    this.#entries = this.#entries.filter((entry) => this.#isLive(entry.key, entry.rank));
    this.#head = 0;
    this.#removed = 0;
  }

  /** Each live key once: one that was removed and came back under the same rank has two entries. */
  *ascending(): Generator<Entry> {
    const seen = new Set<string>();
    for (let at = this.#head; at < this.#entries.length; at += 1) {
      const entry = this.#entries[at]!;
      if (!this.#isLive(entry.key, entry.rank) || seen.has(entry.key)) continue;
      seen.add(entry.key);
      yield entry;
    }
  }

  /** From the highest rank below `before`, for ranks that are never used again. */
  *descending(before: number = Number.POSITIVE_INFINITY): Generator<Entry> {
    for (let at = this.#firstAfter(before) - 1; at >= this.#head; at -= 1) {
      const entry = this.#entries[at]!;
      if (entry.rank < before && this.#isLive(entry.key, entry.rank)) yield entry;
    }
  }

  #firstAfter(rank: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.rank <= rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

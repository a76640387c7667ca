import type { DeadLetter, DeadLetterPage } from "./contract.js";

type Reason = DeadLetterPage["reasons"][number];

interface Tally {
  count: number;
  /** Undefined when the newest was removed and must be looked for again. */
  newest: DeadLetter | undefined;
}

/** Kept dead letters by reason and source, counted as they come and go. */
export class DeadLetterSummary {
  readonly #tallies = new Map<string, Tally & Pick<DeadLetter, "reason" | "source">>();

  add(letter: DeadLetter): void {
    const key = keyOf(letter);
    const tally = this.#tallies.get(key);
    if (tally === undefined) {
      this.#tallies.set(key, { reason: letter.reason, source: letter.source, count: 1, newest: letter });
      return;
    }
    tally.count += 1;
    if (tally.newest !== undefined && letter.id > tally.newest.id) tally.newest = letter;
  }

  remove(letter: DeadLetter): void {
    const key = keyOf(letter);
    const tally = this.#tallies.get(key);
    if (tally === undefined) return;
    tally.count -= 1;
    if (tally.newest?.id === letter.id) tally.newest = undefined;
    if (tally.count === 0) this.#tallies.delete(key);
  }

  /** Most frequent first. `newestFirst` is walked only when a newest letter is not known. */
  reasons(newestFirst: () => Iterable<DeadLetter>): Reason[] {
    if ([...this.#tallies.values()].some((tally) => tally.newest === undefined))
      this.#findNewest(newestFirst());
    return [...this.#tallies.values()]
      .map(({ reason, source, count, newest }) => ({
        reason,
        source,
        count,
        newestMs: newest?.newestMs ?? 0,
        newestId: newest?.id ?? 0,
        newestError: newest?.newestError ?? "",
      }))
      .sort((a, b) => b.count - a.count || b.newestId - a.newestId);
  }

  #findNewest(newestFirst: Iterable<DeadLetter>): void {
    const unknown = new Set(
      [...this.#tallies].filter(([, { newest }]) => newest === undefined).map(([key]) => key),
    );
    for (const letter of newestFirst) {
      if (unknown.size === 0) return;
      const key = keyOf(letter);
      if (!unknown.delete(key)) continue;
      const tally = this.#tallies.get(key);
      if (tally !== undefined) tally.newest = letter;
    }
  }
}

function keyOf(letter: DeadLetter): string {
  return `${letter.reason}:${letter.source}`;
}

import type { Definition } from "../definition.js";
import { blockSize } from "./binding.js";
import { type Family, familyWord } from "./families.js";
import { putFree } from "./free-list.js";
import {
  type BlockKind,
  blockWord,
  seriesHeadUnits,
  seriesState,
  seriesWord,
  threadState,
  threadWord,
  word,
} from "./layout.js";
import type { Segment } from "./segment.js";
import { firstOf, moved, roundedUnits, sizeList } from "./series.js";
import type { SeriesEntry, SeriesList } from "./series-list.js";
import { isRecording } from "./threads.js";

interface Activity {
  readonly order: number;
  readonly mark: number;
  readonly sinceMs: number;
}

/**
 * Forgets series that nobody records to, in two steps, so that a record that comes in between is not lost:
 *
 * ```
 *   live ── no block has a new stamp for idleMs ──► idle ── still none at a later snapshot ──► freed
 *     ▲                                               │                                          │
 *     └───────────── a thread records to it ──────────┘        memory goes to the lists of its threads
 * ```
 *
 * Who records stamps its block, then looks at the state; here the state is set, then the stamps are looked at again. So one of the
 * two sees the other. Who stamped its block in an older epoch does not look; it began its record before this one, and can be seen to
 * be at it: nothing goes idle that it may write. (It says so by a plain store before a plain load of the epoch, which a processor may
 * do the other way round; but the store is seen long before the snapshot that looks for it has been read.) A block goes back to the
 * thread that wrote it: that thread is then in none of its own records.
 */
export class Expiry {
  readonly #segment: Segment;
  readonly #mine: number;
  #seen = new Map<number, Activity>();

  constructor(segment: Segment, owner: number) {
    this.#segment = segment;
    this.#mine = owner + 1;
  }

  /** After each snapshot; `idleMsOf` says how long a metric's series may rest, if there is a limit. */
  run(
    families: readonly Family[],
    list: SeriesList,
    sinceMs: number,
    idleMsOf: (definition: Definition) => number | undefined,
  ): void {
    const limited = families.filter(({ definition }) => idleMsOf(definition) !== undefined);
    if (limited.length === 0 || !this.#take()) return;
    const seen = new Map<number, Activity>();
    for (const family of limited) {
      const idleMs = idleMsOf(family.definition)!;
      for (const entry of list.of(family)) {
        const activity = this.#activityOf(entry, sinceMs);
        seen.set(entry.unit, activity);
        if (sinceMs - activity.sinceMs >= idleMs && this.#step(family, entry, activity.mark))
          seen.delete(entry.unit);
      }
    }
    this.#seen = seen;
    this.#give();
  }

  /** Frees all series at once; for tests, while no thread records. */
  freeAll(families: readonly Family[], list: SeriesList): void {
    if (!this.#take()) return;
    for (const family of families) {
      for (const entry of list.of(family)) {
        const stateAt = entry.unit * 2 + seriesWord.state;
        Atomics.compareExchange(this.#segment.i32, stateAt, seriesState.live, seriesState.idle);
        this.#free(family, entry);
      }
    }
    this.#give();
  }

  #activityOf(entry: SeriesEntry, sinceMs: number): Activity {
    const mark = this.#markOf(entry.unit);
    const before = this.#seen.get(entry.unit);
    if (before !== undefined && before.order === entry.order && before.mark === mark) return before;
    return { order: entry.order, mark, sinceMs };
  }

  /** Differs from what it was as soon as a block has a new stamp, or there is a new block. */
  #markOf(series: number): number {
    const { i32 } = this.#segment;
    let mark = 0;
    let at = Atomics.load(i32, series * 2 + seriesWord.blocks);
    for (; at !== 0; at = i32[at * 2 + blockWord.next]!)
      mark += (Atomics.load(i32, at * 2 + blockWord.stamp) >>> 0) + 1;
    return mark;
  }

  /** One step towards being forgotten; true when the series is gone. */
  #step(family: Family, entry: SeriesEntry, mark: number): boolean {
    const { i32 } = this.#segment;
    const stateAt = entry.unit * 2 + seriesWord.state;
    if (i32[entry.unit * 2 + seriesWord.order] !== entry.order) return true;
    const before = Atomics.compareExchange(i32, stateAt, seriesState.live, seriesState.idle);
    if (before !== seriesState.idle && before !== seriesState.live) return true;
    // Asked before each of the two steps: a thread may just be between two records of one that it must not lose.
    if (this.#markOf(entry.unit) !== mark || this.#mayBeWritten(entry.unit)) {
      Atomics.compareExchange(i32, stateAt, seriesState.idle, seriesState.live);
      return false;
    }
    return before === seriesState.idle && this.#free(family, entry);
  }

  /** Whether a thread that has a block in the series, and may still run, is about to record something. */
  #mayBeWritten(series: number): boolean {
    const { i32 } = this.#segment;
    let at = Atomics.load(i32, series * 2 + seriesWord.blocks);
    for (; at !== 0; at = i32[at * 2 + blockWord.next]!) {
      const owner = i32[at * 2 + blockWord.owner]!;
      const state = Atomics.load(i32, this.#segment.threadUnit(owner) * 2 + threadWord.state);
      if (state !== threadState.dead && isRecording(this.#segment, owner)) return true;
    }
    return false;
  }

  #free(family: Family, entry: SeriesEntry): boolean {
    const { i32 } = this.#segment;
    const words = entry.unit * 2;
    const isMine = Atomics.compareExchange(
      i32,
      words + seriesWord.state,
      seriesState.idle,
      seriesState.freed,
    );
    if (isMine !== seriesState.idle) return isMine === seriesState.freed;
    this.#unlink(entry.unit);
    let block = Atomics.exchange(i32, words + seriesWord.blocks, 0);
    while (block !== 0) {
      const next = i32[block * 2 + blockWord.next]!;
      this.#freeBlock(family.definition, block);
      block = next;
    }
    if (!entry.isOverflow) Atomics.sub(i32, family.unit * 2 + familyWord.series, 1);
    const units = roundedUnits(seriesHeadUnits + Math.ceil(i32[words + seriesWord.keyBytes]! / 8));
    const creator = this.#segment.threadUnit(i32[words + seriesWord.creator]!) * 2;
    putFree(i32, creator, sizeList(units), entry.unit);
    Atomics.add(i32, word.seriesExpired, 1);
    Atomics.add(i32, word.forgotten, 1);
    return true;
  }

  #freeBlock({ samplesMax }: Definition, block: number): void {
    const { i32 } = this.#segment;
    const { list } = blockSize(i32[block * 2 + blockWord.kind] as BlockKind, samplesMax ?? 0);
    putFree(i32, this.#segment.threadUnit(i32[block * 2 + blockWord.owner]!) * 2, list, block);
  }

  /** Takes a series out of its chain. Its own `next` stays, for whoever stands on it; the head's tag tells them to search again. */
  #unlink(series: number): void {
    const { i32, chains } = this.#segment;
    const chain = (i32[series * 2 + seriesWord.hash]! >>> 0) % chains.length;
    const next = i32[series * 2 + seriesWord.next]!;
    for (;;) {
      const head = Atomics.load(chains, chain);
      if (firstOf(head) === series) {
        if (Atomics.compareExchange(chains, chain, head, moved(head, next)) === head) return;
        continue;
      }
      let before = firstOf(head);
      while (before !== 0 && i32[before * 2 + seriesWord.next] !== series)
        before = i32[before * 2 + seriesWord.next]!;
      if (before !== 0) Atomics.store(i32, before * 2 + seriesWord.next, next);
      if (Atomics.compareExchange(chains, chain, head, moved(head, firstOf(head))) === head) return;
    }
  }

  /** One thread at a time; another's turn is taken over only once that thread is gone. */
  #take(): boolean {
    const { i32 } = this.#segment;
    const holder = Atomics.compareExchange(i32, word.expirer, 0, this.#mine);
    if (holder === 0 || holder === this.#mine) return true;
    const state = Atomics.load(i32, this.#segment.threadUnit(holder - 1) * 2 + threadWord.state);
    return (
      state !== threadState.live && Atomics.compareExchange(i32, word.expirer, holder, this.#mine) === holder
    );
  }

  #give(): void {
    Atomics.compareExchange(this.#segment.i32, word.expirer, this.#mine, 0);
  }
}

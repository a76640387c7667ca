import type { Family } from "./families.js";
import { familyWord } from "./families.js";
import {
  type BlockKind,
  blockHeadUnits,
  blockKind,
  blockWord,
  cellsMax,
  cellsOf,
  seriesState,
  seriesWord,
  word,
} from "./layout.js";
import { type FoundSeries, findOrMakeSeries, roundedUnits, seriesKey, sizeList } from "./series.js";
import type { Home, ThreadWriter } from "./writer.js";

/** What a thread needs to record: its place in the memory, and the time. */
export interface ThreadPlace {
  readonly writer: ThreadWriter;
  /** Wall time in milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds since the registry began, the same in all threads; never goes back. */
  sinceMs(): number;
}

/**
 * One series as one thread writes it: the series' first block of this thread. What follows (pages, rings) hangs on the series too.
 *
 * A series may expire and its memory go to another while a binding to it is kept. That is noticed where it costs nothing: a block
 * that is written for the first time in an epoch passes through `refresh`, and a series expires only between two epochs.
 */
export class Binding {
  readonly place: ThreadPlace;
  readonly family: Family;
  series = 0;
  /** Rises each time that the blocks are others than before. */
  version = 0;
  /** True when the cap on series let this one in only as part of the overflow series. */
  isOverflow = false;
  #home: Home = { block: 0 };
  readonly #values: readonly string[] | "overflow";
  readonly #kind: BlockKind;
  #order = 0;
  #forgotten = 0;

  constructor(place: ThreadPlace, family: Family, values: readonly string[] | "overflow", kind: BlockKind) {
    this.place = place;
    this.family = family;
    this.#values = values;
    this.#kind = kind;
    this.#bind();
  }

  /** 0 while there is no memory for it. */
  get block(): number {
    return this.#home.block;
  }

  /**
   * Makes the block ready to be written in `epoch`, finding it again when its series has expired. False when the memory is used
   * up: then the record is counted as dropped.
   */
  refresh(epoch: number): boolean {
    const { writer } = this.place;
    // Series have expired since the cap refused this one: there may be room for it by now.
    if (this.isOverflow && writer.i32[word.forgotten] !== this.#forgotten) this.#home = { block: 0 };
    for (;;) {
      if (this.block === 0) this.#bind();
      if (this.block === 0) {
        this.drop();
        return false;
      }
      if (this.#kind === blockKind.ring) this.#keepRing();
      writer.freshen(this.block, cellsOf[this.#kind], epoch);
      // Ordered after the stamp. Who expires the series looks at the stamp after having said so: one of the two sees the other.
      if (this.#isThere()) return true;
      // For all handles: another may come after this one has stamped the block.
      this.#home.block = 0;
    }
  }

  /** Gives up a record that found no memory, and counts it. */
  drop(): void {
    this.place.writer.abandon();
    Atomics.add(this.place.writer.i32, word.recordsDropped, 1);
  }

  /** A further block of this thread in the series, found by its tag or made; 0 when the memory is used up. */
  blockOf(kind: BlockKind, tag: number): number {
    return this.#find(kind, tag) || this.#add(kind, tag);
  }

  #bind(): void {
    const { writer } = this.place;
    this.version += 1;
    this.#home = { block: 0 };
    this.#forgotten = Atomics.load(writer.i32, word.forgotten);
    const found = this.#findSeries();
    this.series = found?.unit ?? 0;
    if (found === undefined) return;
    this.#order = found.order;
    const block = this.blockOf(this.#kind, 0);
    if (block !== 0) this.#home = writer.homeOf(block);
  }

  #findSeries(): FoundSeries | undefined {
    const { writer } = this.place;
    const startedMs = this.place.nowMs();
    const own = findOrMakeSeries(writer, this.family, seriesKey(this.#values), startedMs);
    this.isOverflow = own === "refused";
    if (own !== "refused") return own;
    Atomics.add(writer.i32, this.family.unit * 2 + familyWord.refused, 1);
    const overflow = findOrMakeSeries(writer, this.family, seriesKey("overflow"), startedMs);
    return overflow === "refused" ? undefined : overflow;
  }

  /** Whether the series still is the one that was found; wakes it when it had only gone idle. */
  #isThere(): boolean {
    const { i32 } = this.place.writer;
    const stateAt = this.series * 2 + seriesWord.state;
    for (;;) {
      const state = Atomics.load(i32, stateAt);
      if (state === seriesState.freed || i32[this.series * 2 + seriesWord.order] !== this.#order)
        return false;
      if (state === seriesState.live) return true;
      Atomics.compareExchange(i32, stateAt, seriesState.idle, seriesState.live);
    }
  }

  #find(kind: BlockKind, tag: number): number {
    const { i32, owner } = this.place.writer;
    let at = Atomics.load(i32, this.series * 2 + seriesWord.blocks);
    for (; at !== 0; at = i32[at * 2 + blockWord.next]!) {
      const words = at * 2;
      const isIt = i32[words + blockWord.owner] === owner && i32[words + blockWord.kind] === kind;
      if (isIt && i32[words + blockWord.tag] === tag) return at;
    }
    return 0;
  }

  /** Samples are written over while a snapshot reads, so it has a ring of its own, as it has cells. */
  #keepRing(): void {
    const { f64 } = this.place.writer;
    const capacity = ringCapacity(this.family.definition.samplesMax!);
    const ring = this.block + ringAt;
    const used = Math.min(f64[this.block + blockHeadUnits]!, capacity);
    f64.copyWithin(ring + 2 * capacity, ring, ring + 2 * used);
  }

  #add(kind: BlockKind, tag: number): number {
    const { writer } = this.place;
    const { i32 } = writer;
    const cells = cellsOf[kind];
    const { units, list } = blockSize(kind, this.family.definition.samplesMax ?? 0);
    const at = writer.takeBlock(units, list);
    if (at === 0) return 0;
    i32[at * 2 + blockWord.kind] = kind;
    i32[at * 2 + blockWord.cells] = cells;
    i32[at * 2 + blockWord.tag] = tag;
    i32[at * 2 + blockWord.series] = this.series;
    if (kind === blockKind.histogram || kind === blockKind.slot) this.#emptyRange(at, cells);
    const headAt = this.series * 2 + seriesWord.blocks;
    for (;;) {
      const first = Atomics.load(i32, headAt);
      i32[at * 2 + blockWord.next] = first;
      if (Atomics.compareExchange(i32, headAt, first, at) === first) return at;
    }
  }

  /** No observation is below or above another yet. */
  #emptyRange(block: number, cells: number): void {
    const { f64 } = this.place.writer;
    // Of a slot, the slot's number comes first.
    const min = block + blockHeadUnits + cells - 3;
    for (const at of [min, min + cells]) {
      f64[at] = Number.POSITIVE_INFINITY;
      f64[at + 1] = Number.NEGATIVE_INFINITY;
    }
  }
}

/** Units of a block, and the list to which it goes when it is free. A ring has room for twice the samples: see sample-ring.ts. */
export function blockSize(
  kind: BlockKind,
  samplesMax: number,
): { readonly units: number; readonly list: number } {
  const units = blockHeadUnits + 2 * cellsOf[kind];
  if (kind !== blockKind.ring) return { units, list: kind };
  const rounded = roundedUnits(units + 4 * ringCapacity(samplesMax));
  return { units: rounded, list: sizeList(rounded) };
}

/** Where a ring's samples begin, behind its block's one cell and what that was before. */
const ringAt: number = blockHeadUnits + 2 * cellsOf[blockKind.ring];

/** Samples that a ring holds: the window, and what may be written before it is recorded, which in `together` is less than so many. */
export function ringCapacity(samplesMax: number): number {
  return samplesMax + cellsMax;
}

/** Where sample number `n` of a ring is: time and value. `isBefore`: as the ring was before the epoch of its stamp. */
export function samplePlace(block: number, samplesMax: number, n: number, isBefore = false): number {
  const capacity = ringCapacity(samplesMax);
  return block + ringAt + 2 * ((n % capacity) + (isBefore ? capacity : 0));
}

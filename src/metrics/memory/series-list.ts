import type { Family } from "./families.js";
import { seriesStartedUnit, seriesState, seriesWord, word } from "./layout.js";
import type { Segment } from "./segment.js";
import { firstOf, keyOf, valuesOfKey } from "./series.js";

/** A series as a reader knows it. */
export interface SeriesEntry {
  readonly unit: number;
  /** Of its making, among all series; tells it from another that has its memory later. */
  readonly order: number;
  readonly labels: readonly string[];
  readonly isOverflow: boolean;
  readonly startedMs: number;
}

/** Chains read between two looks at whether the event loop should have a turn; with new series some 100 µs. */
const chainsPerStep = 64;
/** More than any metric has series. */
const seriesMax = 2 ** 22;

/**
 * The series of each metric in the order in which they were made. Only chains whose head has moved on are read again, so that a new
 * series costs the next snapshot little, however many there are.
 */
export class SeriesList {
  readonly #segment: Segment;
  /** The chains' heads, and what they were when each was read last. As halves, because two BigInts are dear to compare. */
  readonly #heads: Int32Array<SharedArrayBuffer>;
  readonly #readHeads: BigInt64Array;
  readonly #readHalves: Int32Array;
  readonly #known = new Map<number, SeriesEntry>();
  readonly #byFamily = new Map<number, readonly SeriesEntry[]>();
  /** Read, and not yet in `#byFamily`: a list that somebody goes through does not change. */
  #added = new Map<number, SeriesEntry[]>();
  #listed = -1;
  #forgotten = -1;

  constructor(segment: Segment) {
    this.#segment = segment;
    const { length } = segment.chains;
    this.#heads = segment.chainHalves;
    this.#readHeads = new BigInt64Array(length);
    this.#readHalves = new Int32Array(this.#readHeads.buffer);
  }

  /**
   * Brings the list up to date; to be done by who may take snapshots, before `of`. Yields now and then. May be left in the middle, and
   * be done by another meanwhile.
   */
  *update(families: readonly Family[]): Generator<void, void> {
    const { i32, chains } = this.#segment;
    const listed = Atomics.load(i32, word.seriesListed);
    const forgotten = Atomics.load(i32, word.forgotten);
    if (listed === this.#listed && forgotten === this.#forgotten) return;
    let isWhole = true;
    let chainsRead = 0;
    for (let chain = 0; chain < chains.length; chain += 1) {
      if (this.#isAsRead(chain)) continue;
      isWhole = this.#update(chain, families) && isWhole;
      chainsRead += 1;
      if (chainsRead % chainsPerStep === 0) yield;
    }
    this.#putInOrder();
    if (forgotten !== this.#forgotten) this.#forget();
    this.#listed = isWhole ? listed : -1;
    this.#forgotten = forgotten;
  }

  of(family: Family): readonly SeriesEntry[] {
    return this.#byFamily.get(family.index) ?? [];
  }

  /** Whether a series still is the one of its entry. To be asked before and after it is read: it may expire meanwhile. */
  isThere(entry: SeriesEntry): boolean {
    const words = entry.unit * 2;
    const { i32 } = this.#segment;
    return (
      Atomics.load(i32, words + seriesWord.state) !== seriesState.freed &&
      i32[words + seriesWord.order] === entry.order
    );
  }

  #isAsRead(chain: number): boolean {
    const heads = this.#heads;
    const halves = this.#readHalves;
    return heads[2 * chain] === halves[2 * chain] && heads[2 * chain + 1] === halves[2 * chain + 1];
  }

  /** False when the chain has a series of a metric that was registered a moment ago: then it is read again next time. */
  #update(chain: number, families: readonly Family[]): boolean {
    const { head, unread } = this.#readChain(chain);
    let isWhole = true;
    for (const one of unread) {
      const family = families[one.family];
      if (family === undefined) {
        isWhole = false;
        continue;
      }
      const entry = entryOf(one, family);
      this.#known.set(entry.unit, entry);
      const added = this.#added.get(family.index);
      if (added === undefined) this.#added.set(family.index, [entry]);
      else added.push(entry);
    }
    if (isWhole) this.#readHeads[chain] = head;
    return isWhole;
  }

  #putInOrder(): void {
    for (const [family, added] of this.#added)
      this.#byFamily.set(family, byOrder([...(this.#byFamily.get(family) ?? []), ...added]));
    this.#added = new Map();
  }

  /** Leaves out what has expired. */
  #forget(): void {
    for (const [family, entries] of this.#byFamily) {
      const kept = entries.filter((entry) => this.isThere(entry));
      if (kept.length === entries.length) continue;
      this.#byFamily.set(family, kept);
      for (const entry of entries)
        if (!this.isThere(entry) && this.#known.get(entry.unit) === entry) this.#known.delete(entry.unit);
    }
  }

  /** What is not known yet of a chain; read again when a series was taken out meanwhile, since its memory may be another's by now. */
  #readChain(chain: number): { head: bigint; unread: Unread[] } {
    const { i32, f64, chains } = this.#segment;
    for (;;) {
      const head = Atomics.load(chains, chain);
      const unread: Unread[] = [];
      let steps = 0;
      for (let unit = firstOf(head); unit !== 0; unit = i32[unit * 2 + seriesWord.next]!) {
        const order = i32[unit * 2 + seriesWord.order]!;
        if (this.#known.get(unit)?.order !== order) {
          const family = i32[unit * 2 + seriesWord.family]!;
          const startedMs = f64[unit + seriesStartedUnit]!;
          unread.push({ unit, order, family, startedMs, key: keyOf(this.#segment, unit) });
        }
        steps += 1;
        // Led astray by memory that was used again: the head has moved on.
        if (steps % 1000 === 0 && Atomics.load(chains, chain) !== head) break;
      }
      if (Atomics.load(chains, chain) === head) return { head, unread };
    }
  }
}

/** A series as it stands in its chain. */
interface Unread {
  readonly unit: number;
  readonly order: number;
  readonly family: number;
  readonly startedMs: number;
  readonly key: Uint8Array;
}

function entryOf({ unit, order, startedMs, key }: Unread, family: Family): SeriesEntry {
  const values = valuesOfKey(key, family.definition.labels.length);
  const isOverflow = values === "overflow";
  return {
    unit,
    order,
    labels: isOverflow ? family.definition.labels.map(() => "") : values,
    isOverflow,
    startedMs,
  };
}

/** Sorted as plain numbers, order and place in one: 20 times as fast as with a function that compares, which would hold the loop. */
function byOrder(entries: readonly SeriesEntry[]): readonly SeriesEntry[] {
  if (entries.every(({ order }, at) => at === 0 || order > entries[at - 1]!.order)) return entries;
  const keys = Float64Array.from(entries, ({ order }, at) => order * seriesMax + at);
  keys.sort();
  return Array.from(keys, (key) => entries[key - Math.floor(key / seriesMax) * seriesMax]!);
}

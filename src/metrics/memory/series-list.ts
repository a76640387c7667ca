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

/** The series of each metric in the order in which they were made. Read again only when some came or went. */
export class SeriesList {
  readonly #segment: Segment;
  #byFamily = new Map<number, SeriesEntry[]>();
  #listed = -1;
  #forgotten = -1;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Brings the list up to date; to be called by who may take snapshots, before `of`. */
  update(families: readonly Family[]): void {
    const { i32 } = this.#segment;
    const listed = Atomics.load(i32, word.seriesListed);
    const forgotten = Atomics.load(i32, word.forgotten);
    if (listed === this.#listed && forgotten === this.#forgotten) return;
    this.#listed = listed;
    this.#forgotten = forgotten;
    const known = new Map<number, SeriesEntry>();
    for (const entries of this.#byFamily.values()) for (const entry of entries) known.set(entry.unit, entry);
    this.#byFamily = new Map();
    for (let chain = 0; chain < this.#segment.chains.length; chain += 1)
      for (const found of this.#readChain(chain, known)) this.#add(found, families);
    for (const entries of this.#byFamily.values()) entries.sort((a, b) => a.order - b.order);
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

  /** What a chain holds; read again when a series was taken out meanwhile, because its memory may be another's by now. */
  #readChain(chain: number, known: ReadonlyMap<number, SeriesEntry>): FoundInChain[] {
    const { i32, f64, chains } = this.#segment;
    if (firstOf(chains[chain]!) === 0) return [];
    for (;;) {
      const head = Atomics.load(chains, chain);
      const found: FoundInChain[] = [];
      for (let unit = firstOf(head); unit !== 0; unit = i32[unit * 2 + seriesWord.next]!) {
        const order = i32[unit * 2 + seriesWord.order]!;
        const entry = known.get(unit);
        const family = i32[unit * 2 + seriesWord.family]!;
        if (entry?.order === order) found.push({ unit, order, family, entry });
        else {
          const startedMs = f64[unit + seriesStartedUnit]!;
          found.push({ unit, order, family, startedMs, key: keyOf(this.#segment, unit) });
        }
        // Led astray by memory that was used again: the head has moved on.
        if (found.length % 1000 === 0 && Atomics.load(chains, chain) !== head) break;
      }
      if (Atomics.load(chains, chain) === head) return found;
    }
  }

  #add({ unit, order, family: index, ...rest }: FoundInChain, families: readonly Family[]): void {
    const family = families[index];
    // Of a metric that was registered a moment ago; the next snapshot has it.
    if (family === undefined) {
      this.#listed = -1;
      return;
    }
    const entry = "entry" in rest ? rest.entry : entryOf(unit, order, family, rest);
    const entries = this.#byFamily.get(family.index);
    if (entries === undefined) this.#byFamily.set(family.index, [entry]);
    else entries.push(entry);
  }
}

/** A series as it stands in its chain: one that is known, or the bytes of its labels. */
type FoundInChain = { readonly unit: number; readonly order: number; readonly family: number } & (
  | { readonly entry: SeriesEntry }
  | Unread
);

interface Unread {
  readonly startedMs: number;
  readonly key: Uint8Array;
}

function entryOf(unit: number, order: number, family: Family, { startedMs, key }: Unread): SeriesEntry {
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

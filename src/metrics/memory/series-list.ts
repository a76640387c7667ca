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
  #made = -1;
  #forgotten = -1;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Brings the list up to date; to be called by who may take snapshots, before `of`. */
  update(families: readonly Family[]): void {
    const { i32 } = this.#segment;
    const made = Atomics.load(i32, word.seriesOrder);
    const forgotten = Atomics.load(i32, word.forgotten);
    if (made === this.#made && forgotten === this.#forgotten) return;
    this.#made = made;
    this.#forgotten = forgotten;
    const known = new Map<number, SeriesEntry>();
    for (const entries of this.#byFamily.values()) for (const entry of entries) known.set(entry.unit, entry);
    this.#byFamily = new Map();
    const { chains } = this.#segment;
    for (let chain = 0; chain < chains.length; chain += 1)
      for (let at = firstOf(chains[chain]!); at !== 0; at = i32[at * 2 + seriesWord.next]!)
        this.#add(at, families, known);
    for (const entries of this.#byFamily.values()) entries.sort((a, b) => a.order - b.order);
  }

  of(family: Family): readonly SeriesEntry[] {
    return this.#byFamily.get(family.index) ?? [];
  }

  /** Whether a series still is the one of its entry, and not idle. */
  isLive(entry: SeriesEntry): boolean {
    const words = entry.unit * 2;
    const { i32 } = this.#segment;
    return (
      Atomics.load(i32, words + seriesWord.state) === seriesState.live &&
      i32[words + seriesWord.order] === entry.order
    );
  }

  #add(at: number, families: readonly Family[], known: ReadonlyMap<number, SeriesEntry>): void {
    const { i32, f64 } = this.#segment;
    const family = families[i32[at * 2 + seriesWord.family]!];
    // Of a metric that was registered a moment ago; the next snapshot has it.
    if (family === undefined) {
      this.#made = -1;
      return;
    }
    const order = i32[at * 2 + seriesWord.order]!;
    let entry = known.get(at);
    if (entry?.order !== order) {
      const values = valuesOfKey(keyOf(this.#segment, at), family.definition.labels.length);
      const isOverflow = values === "overflow";
      const labels = isOverflow ? family.definition.labels.map(() => "") : values;
      entry = { unit: at, order, labels, isOverflow, startedMs: f64[at + seriesStartedUnit]! };
    }
    const entries = this.#byFamily.get(family.index);
    if (entries === undefined) this.#byFamily.set(family.index, [entry]);
    else entries.push(entry);
  }
}

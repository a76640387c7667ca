import { MetricValueError } from "../errors.js";
import { Binding } from "../memory/binding.js";
import { blockHeadUnits, blockKind, cellsOf, pageCells } from "../memory/layout.js";

// Constants of this module, because those are compiled in; imported ones are loaded anew for each record.
const headUnits: number = blockHeadUnits;
const cellsOfPage: number = cellsOf[blockKind.page];
const cellInPage: number = pageCells - 1;
const pageShift: number = Math.log2(pageCells);

/** A counter with its labels given: the cheapest way to record. For use in the thread that bound it. */
export class BoundCounter extends Binding {
  /**
   * Adds to the counter.
   * @param value finite, 0 or more @default 1
   * @throws MetricValueError when it is anything else
   */
  add(value = 1): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY) || typeof value !== "number")
      throw new MetricValueError(this.family.definition.name, value, "a finite number, 0 or more");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    writer.addNumber(this.block, value);
  }
}

/** An up-down counter with its labels given. */
export class BoundUpDownCounter extends Binding {
  /**
   * Adds to the counter, or takes away.
   * @param value finite @default 1
   * @throws MetricValueError when it is not finite
   */
  add(value = 1): void {
    if (!Number.isFinite(value))
      throw new MetricValueError(this.family.definition.name, value, "a finite number");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    writer.addNumber(this.block, value);
  }
}

/** A gauge with its labels given. */
export class BoundGauge extends Binding {
  /**
   * Sets the gauge; of several threads' the value set last counts, unless the gauge was registered with another `across`.
   * @param value any number, NaN and the infinities included
   * @throws MetricValueError when it is no number
   */
  set(value: number): void {
    if (typeof value !== "number") throw new MetricValueError(this.family.definition.name, value, "a number");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    writer.setThree(this.block, value, this.place.sinceMs(), writer.incarnation);
  }
}

/** Cells of a histogram's block. */
export const sumCell = 0;
export const zerosCell = 4;

/** Blocks of buckets by page: dense between the lowest and the highest page in use. */
export class Pages {
  #first = 0;
  #blocks: number[] = [];

  get(page: number): number {
    return this.#blocks[page - this.#first] ?? 0;
  }

  set(page: number, block: number): void {
    if (this.#blocks.length === 0) this.#first = page;
    if (page < this.#first) {
      this.#blocks = [...new Array<number>(this.#first - page).fill(0), ...this.#blocks];
      this.#first = page;
    }
    while (this.#blocks.length <= page - this.#first) this.#blocks.push(0);
    this.#blocks[page - this.#first] = block;
  }

  clear(): void {
    this.#blocks = [];
  }
}

/** Tag of a page of buckets: its number, and the sign of the values. */
export function pageTag(page: number, isNegative: boolean): number {
  return page * 2 + (isNegative ? 1 : 0);
}

/** A histogram with its labels given. */
export class BoundHistogram extends Binding {
  readonly #indexOf: (value: number) => number;
  readonly #positive: Pages = new Pages();
  readonly #negative: Pages = new Pages();
  #pagesVersion = 0;

  constructor(indexOf: (value: number) => number, ...rest: ConstructorParameters<typeof Binding>) {
    super(...rest);
    this.#indexOf = indexOf;
  }

  /**
   * Records one observation.
   * @param value finite
   * @throws MetricValueError when it is not
   */
  record(value: number): void {
    if (typeof value !== "number" || value - value !== 0)
      throw new MetricValueError(this.family.definition.name, value, "a finite number");
    const { writer } = this.place;
    const epoch = writer.open();
    if (writer.i32[this.block * 2] !== epoch && !this.refresh(epoch)) return;
    const head = this.block + headUnits;
    const cell = value === 0 ? head + zerosCell : this.#cellOf(value, epoch);
    if (cell !== 0) writer.addObservation(head, cell, value + 0);
  }

  /**
   * Records an observation of something that happens every `intervalMs` (or whatever the metric's unit is), and with it those
   * that could not happen because this one took so long: value - interval, value - 2 · interval, … (HdrHistogram's correction
   * of coordinated omission). Not for open-loop load, where nothing was omitted..
   * @param interval above 0; at most 10,000 observations are added
   */
  recordCorrected(value: number, interval: number): void {
    if (!(interval > 0))
      throw new MetricValueError(this.family.definition.name, interval, "an interval above 0");
    this.place.writer.together(() => {
      this.record(value);
      const most = Math.min(10_000, Math.floor(value / interval) - 1);
      for (let n = 1; n <= most; n += 1) this.record(value - n * interval);
    });
  }

  #cellOf(value: number, epoch: number): number {
    if (this.#pagesVersion !== this.version) this.#forgetPages();
    const isNegative = value < 0;
    const index = this.#indexOf(isNegative ? -value : value);
    const page = index >> pageShift;
    const pages = isNegative ? this.#negative : this.#positive;
    let block = pages.get(page);
    if (block === 0) {
      block = this.blockOf(blockKind.page, pageTag(page, isNegative));
      if (block === 0) {
        this.drop();
        return 0;
      }
      pages.set(page, block);
    }
    const { writer } = this.place;
    if (writer.i32[block * 2] !== epoch) writer.freshen(block, cellsOfPage, epoch);
    return block + headUnits + (index & cellInPage);
  }

  #forgetPages(): void {
    this.#positive.clear();
    this.#negative.clear();
    this.#pagesVersion = this.version;
  }
}

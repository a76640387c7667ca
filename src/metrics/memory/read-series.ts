import { type BucketRun, ExactSum, type ExponentialHistogram } from "../../sketch/index.js";
import { ringAt } from "../windows.js";
import { ringCapacity } from "./binding.js";
import type { Cut } from "./cut.js";
import { blockKind, blockWord, cellsOf, pageCells, seriesWord, threadState, threadWord } from "./layout.js";
import type { Segment } from "./segment.js";

/** Adds up the blocks of one series as they were at a cut. */
export class SeriesReader {
  readonly #segment: Segment;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Sum over all threads, exact but for the rounding of the last step. */
  number(cut: Cut, series: number): number {
    const total = new Total();
    this.#each(series, blockKind.number, (block) => {
      cut.read(block, 2);
      total.add(cut.cells[0]!, cut.cells[1]!);
    });
    return total.value();
  }

  /** What each thread set the gauge to, and when; nothing of threads that never did. */
  gauge(cut: Cut, series: number): { value: number; sinceMs: number; isLive: boolean }[] {
    const { i32 } = this.#segment;
    const found: { value: number; sinceMs: number; isLive: boolean }[] = [];
    this.#each(series, blockKind.gauge, (block) => {
      cut.read(block, 3);
      const incarnation = cut.cells[2]!;
      if (incarnation === 0) return;
      const thread = this.#segment.threadUnit(i32[block * 2 + blockWord.owner]!) * 2;
      const isLive =
        i32[thread + threadWord.state] === threadState.live &&
        i32[thread + threadWord.incarnation] === incarnation;
      found.push({ value: cut.cells[0]!, sinceMs: cut.cells[1]!, isLive });
    });
    return found;
  }

  histogram(cut: Cut, series: number, schema: number): ExponentialHistogram {
    const sketch = new Adding(schema);
    this.#each(series, blockKind.histogram, (block) => {
      cut.read(block, cellsOf[blockKind.histogram]);
      sketch.addHead(cut.cells, 0);
    });
    this.#each(series, blockKind.page, (block) => {
      cut.read(block, pageCells);
      sketch.addPage(this.#segment.i32[block * 2 + blockWord.tag]!, cut.cells, 0);
    });
    return sketch.take();
  }

  /** The slots from `oldest` on, of a window over recent time. */
  recent(cut: Cut, series: number, schema: number, oldest: number): ExponentialHistogram {
    const sketch = new Adding(schema);
    this.#each(series, blockKind.slot, (block) => {
      cut.read(block, cellsOf[blockKind.slot]);
      if (cut.cells[0]! >= oldest) sketch.addHead(cut.cells, 1);
    });
    this.#each(series, blockKind.slotPage, (block) => {
      cut.read(block, cellsOf[blockKind.slotPage]);
      if (cut.cells[0]! >= oldest)
        sketch.addPage(this.#segment.i32[block * 2 + blockWord.tag]! >> 7, cut.cells, 1);
    });
    return sketch.take();
  }

  /** The newest samples of all threads, ascending by value. */
  samples(cut: Cut, series: number, samplesMax: number): number[] {
    const { f64 } = this.#segment;
    const capacity = ringCapacity(samplesMax);
    const found: { sinceMs: number; value: number }[] = [];
    this.#each(series, blockKind.ring, (block) => {
      cut.read(block, 1);
      const count = cut.cells[0]!;
      const first = Math.max(0, count - samplesMax);
      const start = found.length;
      for (let n = first; n < count; n += 1) {
        const at = block + ringAt + 2 * (n % capacity);
        found.push({ sinceMs: f64[at]!, value: f64[at + 1]! });
      }
      // What the thread has written over meanwhile, the sample that it may just be writing included.
      const overwritten = this.#countNow(block) + 1 - capacity - first;
      if (overwritten > 0) found.splice(start, overwritten);
    });
    if (found.length > samplesMax) {
      found.sort((a, b) => b.sinceMs - a.sinceMs);
      found.length = samplesMax;
    }
    return found.map(({ value }) => value).sort((a, b) => a - b);
  }

  #countNow(block: number): number {
    // One record may be in hand, hence one more.
    return this.#segment.f64[block + ringAt - 2 * cellsOf[blockKind.ring]]! + 1;
  }

  #each(series: number, kind: number, visit: (block: number) => void): void {
    const { i32 } = this.#segment;
    let at = Atomics.load(i32, series * 2 + seriesWord.blocks);
    for (; at !== 0; at = i32[at * 2 + blockWord.next]!) if (i32[at * 2 + blockWord.kind] === kind) visit(at);
  }
}

/** A sum of sums, each with what rounding took from it. Most are of one thread, and need no more than one addition. */
class Total {
  #high = 0;
  #low = 0;
  #parts = 0;
  #exact: ExactSum | undefined;

  add(high: number, low: number): void {
    this.#parts += 1;
    if (this.#parts === 1) {
      this.#high = high;
      this.#low = low;
      return;
    }
    if (this.#exact === undefined) {
      this.#exact = new ExactSum();
      this.#addExactly(this.#high, this.#low);
    }
    this.#addExactly(high, low);
  }

  value(): number {
    return this.#exact === undefined || !Number.isFinite(this.#high)
      ? this.#high + this.#low
      : this.#exact.value();
  }

  #addExactly(high: number, low: number): void {
    // A sum that left the doubles stays outside.
    if (!Number.isFinite(high)) this.#high = high;
    if (!Number.isFinite(high) || !Number.isFinite(this.#high)) return;
    this.#exact!.add(high);
    if (low !== 0) this.#exact!.add(low);
  }
}

/** A histogram that is being added up from heads and pages. */
class Adding {
  readonly #schema: number;
  readonly #sum = new Total();
  readonly #pages = new Map<number, Float64Array>();
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #zeros = 0;

  constructor(schema: number) {
    this.#schema = schema;
  }

  /** sum, rest, min, max, zeros. */
  addHead(cells: Float64Array, from: number): void {
    this.#sum.add(cells[from]!, cells[from + 1]!);
    this.#min = Math.min(this.#min, cells[from + 2]!);
    this.#max = Math.max(this.#max, cells[from + 3]!);
    this.#zeros += cells[from + 4]!;
  }

  addPage(tag: number, cells: Float64Array, from: number): void {
    const known = this.#pages.get(tag);
    if (known === undefined) {
      this.#pages.set(tag, cells.slice(from, from + pageCells));
      return;
    }
    for (let i = 0; i < pageCells; i += 1) known[i]! += cells[from + i]!;
  }

  take(): ExponentialHistogram {
    const positive: { indexes: number[]; counts: number[] } = { indexes: [], counts: [] };
    const negative: { indexes: number[]; counts: number[] } = { indexes: [], counts: [] };
    let count = this.#zeros;
    for (const tag of [...this.#pages.keys()].sort((a, b) => a - b))
      count += append((tag & 1) === 0 ? positive : negative, tag >> 1, this.#pages.get(tag)!);
    return {
      schema: this.#schema,
      count,
      sum: this.#sum.value(),
      min: count === 0 ? Number.NaN : this.#min,
      max: count === 0 ? Number.NaN : this.#max,
      zeroCount: this.#zeros,
      positive: positive satisfies BucketRun,
      negative: negative satisfies BucketRun,
    };
  }
}

function append(run: { indexes: number[]; counts: number[] }, page: number, counts: Float64Array): number {
  let total = 0;
  for (let i = 0; i < pageCells; i += 1) {
    const count = counts[i]!;
    if (count === 0) continue;
    run.indexes.push(page * pageCells + i);
    run.counts.push(count);
    total += count;
  }
  return total;
}

import { type BucketRun, ExactSum, type ExponentialHistogram } from "../../sketch/index.js";
import { samplePlace } from "./binding.js";
import type { Cut } from "./cut.js";
import { blockKind, blockWord, cellsOf, pageCells, seriesWord, threadState, threadWord } from "./layout.js";
import type { Segment } from "./segment.js";

// Constants of this module, because those are compiled in; imported ones are loaded anew for each block.
const nextWord: number = blockWord.next;
const kindWord: number = blockWord.kind;
const tagWord: number = blockWord.tag;
const numberKind: number = blockKind.number;
const histogramKind: number = blockKind.histogram;
const pageKind: number = blockKind.page;
const headCells: number = cellsOf[blockKind.histogram];
const pageSize: number = pageCells;
const pageShift: number = Math.log2(pageCells);

/** Adds up the blocks of one series as they were at a cut. */
export class SeriesReader {
  readonly #segment: Segment;
  readonly #total: Total = new Total();
  readonly #sketch: Adding = new Adding();

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  /** Sum over all threads, exact but for the rounding of the last step. */
  number(cut: Cut, series: number): number {
    const total = this.#total;
    total.clear();
    const { i32 } = this.#segment;
    for (let at = this.#firstBlock(series); at !== 0; at = i32[at * 2 + nextWord]!) {
      if (i32[at * 2 + kindWord] !== numberKind) continue;
      cut.read(at, 2);
      total.add(cut.cells[0]!, cut.cells[1]!);
    }
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
    const sketch = this.#sketch;
    sketch.clear();
    const { i32 } = this.#segment;
    for (let at = this.#firstBlock(series); at !== 0; at = i32[at * 2 + nextWord]!) {
      const kind = i32[at * 2 + kindWord]!;
      if (kind === pageKind) {
        cut.read(at, pageSize);
        sketch.addPage(i32[at * 2 + tagWord]!, cut.cells, 0);
      } else if (kind === histogramKind) {
        cut.read(at, headCells);
        sketch.addHead(cut.cells, 0);
      }
    }
    return sketch.take(schema);
  }

  /** The slots from `oldest` on, of a window over recent time. */
  recent(cut: Cut, series: number, schema: number, oldest: number): ExponentialHistogram {
    const sketch = this.#sketch;
    sketch.clear();
    this.#each(series, blockKind.slot, (block) => {
      cut.read(block, cellsOf[blockKind.slot]);
      if (cut.cells[0]! >= oldest) sketch.addHead(cut.cells, 1);
    });
    this.#each(series, blockKind.slotPage, (block) => {
      cut.read(block, cellsOf[blockKind.slotPage]);
      if (cut.cells[0]! >= oldest)
        sketch.addPage(this.#segment.i32[block * 2 + blockWord.tag]! >> 7, cut.cells, 1);
    });
    return sketch.take(schema);
  }

  /** The newest samples of all threads, ascending by value. */
  samples(cut: Cut, series: number, samplesMax: number): number[] {
    const found: { sinceMs: number; value: number }[] = [];
    this.#each(series, blockKind.ring, (block) => {
      const start = found.length;
      const isBefore = cut.read(block, 1);
      this.#readRing(block, samplesMax, { count: cut.cells[0]!, isBefore }, found);
      // Ordered after the loads: stamped by now, the ring may have been written over while it was read.
      if (isBefore || !cut.read(block, 1)) return;
      found.length = start;
      this.#readRing(block, samplesMax, { count: cut.cells[0]!, isBefore: true }, found);
    });
    if (found.length > samplesMax) {
      found.sort((a, b) => b.sinceMs - a.sinceMs);
      found.length = samplesMax;
    }
    return found.map(({ value }) => value).sort((a, b) => a - b);
  }

  #readRing(
    block: number,
    samplesMax: number,
    { count, isBefore }: { count: number; isBefore: boolean },
    into: { sinceMs: number; value: number }[],
  ): void {
    const { f64 } = this.#segment;
    for (let n = Math.max(0, count - samplesMax); n < count; n += 1) {
      const at = samplePlace(block, samplesMax, n, isBefore);
      into.push({ sinceMs: f64[at]!, value: f64[at + 1]! });
    }
  }

  #firstBlock(series: number): number {
    return Atomics.load(this.#segment.i32, series * 2 + seriesWord.blocks);
  }

  #each(series: number, kind: number, visit: (block: number) => void): void {
    const { i32 } = this.#segment;
    let at = this.#firstBlock(series);
    for (; at !== 0; at = i32[at * 2 + blockWord.next]!) if (i32[at * 2 + blockWord.kind] === kind) visit(at);
  }
}

/** A sum of sums, each with what rounding took from it. Most are of one thread, and need no more than one addition. */
class Total {
  #high = 0;
  #low = 0;
  #parts = 0;
  #exact: ExactSum | undefined;

  clear(): void {
    this.#high = 0;
    this.#low = 0;
    this.#parts = 0;
    this.#exact = undefined;
  }

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

/** A histogram that is being added up from heads and pages; used again for the next, so that a snapshot leaves little behind. */
class Adding {
  readonly #sum = new Total();
  /** Pages as they came, then in order of their tags, those of one tag added up. */
  #tags: number[] = [];
  #counts: Float64Array = new Float64Array(16 * pageCells);
  #pages = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #zeros = 0;

  clear(): void {
    this.#sum.clear();
    this.#pages = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    this.#zeros = 0;
  }

  /** sum, rest, min, max, zeros. */
  addHead(cells: Float64Array, from: number): void {
    this.#sum.add(cells[from]!, cells[from + 1]!);
    this.#min = Math.min(this.#min, cells[from + 2]!);
    this.#max = Math.max(this.#max, cells[from + 3]!);
    this.#zeros += cells[from + 4]!;
  }

  addPage(tag: number, cells: Float64Array, from: number): void {
    const start = this.#pages * pageSize;
    if (start === this.#counts.length) this.#grow();
    const counts = this.#counts;
    for (let i = 0; i < pageSize; i += 1) counts[start + i] = cells[from + i]!;
    this.#tags[this.#pages] = tag;
    this.#pages += 1;
  }

  take(schema: number): ExponentialHistogram {
    const order = this.#inOrder();
    const positive = this.#runOf(order, 0);
    const negative = this.#runOf(order, 1);
    const count = this.#zeros + positive.total + negative.total;
    return {
      schema,
      count,
      sum: this.#sum.value(),
      min: count === 0 ? Number.NaN : this.#min,
      max: count === 0 ? Number.NaN : this.#max,
      zeroCount: this.#zeros,
      positive: positive.run,
      negative: negative.run,
    };
  }

  /** Places of the pages by ascending tag; a page whose tag another has too is added to that, and left out. */
  #inOrder(): number[] {
    const tags = this.#tags;
    const order: number[] = [];
    for (let page = 0; page < this.#pages; page += 1) order.push(page);
    if (order.length > 1) order.sort((a, b) => tags[a]! - tags[b]!);
    let kept = 0;
    for (let at = 1; at < order.length; at += 1) {
      const page = order[at]!;
      if (tags[page] === tags[order[kept]!]) this.#addTo(order[kept]!, page);
      else order[(kept += 1)] = page;
    }
    if (order.length > 0) order.length = kept + 1;
    return order;
  }

  #addTo(into: number, page: number): void {
    const counts = this.#counts;
    for (let i = 0; i < pageSize; i += 1) counts[into * pageSize + i]! += counts[page * pageSize + i]!;
  }

  /** The used buckets of one sign. */
  #runOf(order: readonly number[], sign: 0 | 1): { run: BucketRun; total: number } {
    const counts = this.#counts;
    const run = { indexes: [] as number[], counts: [] as number[] };
    let total = 0;
    for (const page of order) {
      const tag = this.#tags[page]!;
      if ((tag & 1) !== sign) continue;
      const first = (tag >> 1) << pageShift;
      const start = page * pageSize;
      for (let i = 0; i < pageSize; i += 1) {
        const count = counts[start + i]!;
        if (count === 0) continue;
        run.indexes.push(first + i);
        run.counts.push(count);
        total += count;
      }
    }
    return { run, total };
  }

  #grow(): void {
    const counts = new Float64Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

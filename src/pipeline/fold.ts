import {
  compileDecoder,
  type DecodeFailureReason,
  type Decoder,
  type DecodeSink,
  ExpressionError,
} from "../events/index.js";
import {
  encodeDelta,
  type Failure,
  type FailureReason,
  type LedgerPosting,
  type MetricDelta,
  type SlotLevel,
} from "../store/index.js";
import type { BoundMetric, SourceBinding } from "./bindings.js";
import { Family, untimed } from "./cells.js";
import { LineBytes, type LineCount, type RangeText, textOf, visitLines } from "./lines.js";
import { SlotPlan } from "./slot-plan.js";

/** A file range as a thread sees it. */
export interface RangeInput {
  readonly source: string;
  readonly file: string;
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** The store's clock when the range was taken; event time of sources without one. */
  readonly takenMs: number;
}

/** The effect of one prefix of a range; settled in order, one settlement each. */
export interface FoldPart {
  /** Offset behind the part's last byte. */
  readonly end: number;
  readonly delta: Uint8Array<ArrayBuffer>;
  readonly failures: readonly Failure[];
  readonly posting: LedgerPosting;
  readonly lines: number;
  /** Newest event time of the part, in ms. */
  readonly newestMs: number | undefined;
}

export interface FoldLimits {
  /** Cells in one settlement, about 5 ms of a store's time. @default 5,000 */
  readonly cellsMax: number;
  /** Dead events in one settlement. @default 500 */
  readonly failuresMax: number;
  /** Parts with that many dead events in one run; where more would follow, the run ends before the range does. @default 8 */
  readonly failedPartsMax: number;
  /** Longest line, in bytes. @default 1 MiB */
  readonly lineBytesMax: number;
  /** Bytes kept of a dead line. @default 64 KiB */
  readonly deadBytesMax: number;
  readonly hasSlots: boolean;
  readonly levels: readonly SlotLevel[];
}

/**
 * Turns the bytes of ranges of one source into deltas. Keeps nothing between ranges.
 *
 * An event has all of its effects or none: conditions and values of every metric are evaluated before the first cell is
 * touched, so an event that fails any of them is dead and counted nowhere else.
 */
export class Fold {
  readonly #plan: FoldPlan;

  constructor(binding: SourceBinding, limits: FoldLimits) {
    const families = binding.families.map(({ byIndexes, metrics }) => {
      const folded = metrics.map(({ metric }) => metric);
      return { cells: new Family(folded, byIndexes), metrics };
    });
    this.#plan = {
      binding,
      limits,
      decoder: compileDecoder(binding.source.format, binding.paths),
      families,
      found: families.flatMap(({ metrics }) => metrics.map(() => undefined)),
    };
  }

  /**
   * Folds the range, or as much of it as the limits let: the last part's `end` says how far. `bytes` are the range's and are
   * only read.
   */
  run(range: RangeInput, bytes: Buffer): FoldPart[] {
    return new RangeFold(this.#plan, range, bytes).finish();
  }
}

/** What is the same for every range of a source. */
interface FoldPlan {
  readonly binding: SourceBinding;
  readonly limits: FoldLimits;
  readonly decoder: Decoder;
  readonly families: readonly { readonly cells: Family; readonly metrics: readonly BoundMetric[] }[];
  /** Values found by the first pass over an event's metrics, in order of families and metrics; undefined: not in it. */
  readonly found: (number | undefined)[];
}

/** One range on its way: the counters of the part that is being filled. */
class RangeFold implements DecodeSink {
  readonly #binding: SourceBinding;
  readonly #limits: FoldLimits;
  readonly #decoder: Decoder;
  readonly #families: FoldPlan["families"];
  readonly #found: FoldPlan["found"];
  readonly #range: RangeInput;
  readonly #bytes: Buffer;
  readonly #text: RangeText;
  readonly #lineBytes: LineBytes;
  readonly #slots: SlotPlan;
  readonly #parts: FoldPart[] = [];

  #failedParts = 0;
  #count: LineCount = { lines: 0, blank: 0 };
  #lineStart = 0;
  #lineEnd = 0;
  #partStart: number;
  /** Events that lines held beyond the first; -1 for a line that held none. */
  #extra = 0;
  #producedOfLine = 0;
  #settled = 0;
  #dropped = 0;
  #absent: Record<string, number> = {};
  #failures: Failure[] = [];
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(plan: FoldPlan, range: RangeInput, bytes: Buffer) {
    this.#binding = plan.binding;
    this.#limits = plan.limits;
    this.#decoder = plan.decoder;
    this.#families = plan.families;
    this.#found = plan.found;
    this.#range = range;
    this.#bytes = bytes;
    this.#text = textOf(bytes, range.start === 0);
    this.#lineBytes = new LineBytes(bytes, this.#text);
    this.#slots = new SlotPlan(plan.limits.levels);
    this.#partStart = range.start;
  }

  finish(): FoldPart[] {
    const isWhole = visitLines(this.#text.text, this.#text.start, this.#count, this.#line);
    if (isWhole) this.#cut(this.#range.end);
    return this.#parts;
  }

  readonly #line = (start: number, end: number): boolean => {
    if (this.#isPartFull()) {
      this.#cutBefore(start, end);
      if (this.#failedParts >= this.#limits.failedPartsMax) return true;
    }
    this.#lineStart = start;
    this.#lineEnd = end;
    this.#producedOfLine = 0;
    if (this.#isTooLong(start, end)) {
      this.#producedOfLine = 1;
      this.#fail("oversize", `line is longer than ${this.#limits.lineBytesMax} bytes`, 0);
    } else {
      this.#decoder.decode(this.#text.text, start, end, this);
    }
    this.#extra += this.#producedOfLine - 1;
    return false;
  };

  event(values: readonly unknown[], index: number): void {
    this.#producedOfLine += 1;
    try {
      this.#take(values, index);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.#fail("expression", error.message, index);
    }
  }

  failure(reason: DecodeFailureReason, message: string, index: number): void {
    this.#producedOfLine += 1;
    this.#fail(reason, message, index);
  }

  #take(values: readonly unknown[], index: number): void {
    const { where, source } = this.#binding;
    if (where !== undefined && !this.#holds(where.evaluate(values), source.name)) {
      this.#dropped += 1;
      return;
    }
    const timeMs = this.#timeOf(values);
    if (timeMs !== undefined && Number.isNaN(timeMs)) {
      this.#fail(
        "time",
        `field "${source.time.kind === "field" ? source.time.path : ""}" is not a time`,
        index,
      );
      return;
    }
    if (!this.#evaluate(values, index)) return;
    this.#add(values, timeMs, index);
    this.#settled += 1;
    if (timeMs !== undefined && timeMs > this.#newestMs) this.#newestMs = timeMs;
  }

  /** First pass: what each metric gets of this event. False when the event is dead. */
  #evaluate(values: readonly unknown[], index: number): boolean {
    let at = 0;
    for (const family of this.#families) {
      for (const bound of family.metrics) {
        const value = this.#valueFor(bound, values);
        if (value !== undefined && Number.isNaN(value)) {
          this.#fail("value", `"${bound.value?.source ?? ""}" is not a finite number`, index);
          return false;
        }
        this.#found[at] = value;
        at += 1;
      }
    }
    return true;
  }

  /** The number that a metric observes (1 for counts); undefined when the event is not in it; NaN when it is no number. */
  #valueFor(bound: BoundMetric, values: readonly unknown[]): number | undefined {
    for (const where of bound.where) {
      if (!this.#holds(where.evaluate(values), where.source)) return undefined;
    }
    if (bound.value === undefined) return 1;
    const value = bound.value.evaluate(values);
    if (value === undefined || value === null) {
      this.#noteAbsent(bound.value.source);
      return undefined;
    }
    return numberOf(value);
  }

  #add(values: readonly unknown[], timeMs: number | undefined, index: number): void {
    const slot = timeMs === undefined || !this.#limits.hasSlots ? untimed : this.#slots.slotOf(timeMs);
    let at = 0;
    for (const { cells, metrics } of this.#families) {
      let row: ReturnType<Family["row"]> | undefined;
      for (let i = 0; i < metrics.length; i += 1) {
        const value = this.#found[at];
        at += 1;
        if (value === undefined) continue;
        row ??= cells.row(values, slot);
        const cell = cells.cell(row, i);
        switch (cell.kind) {
          case "count":
            cell.n += 1;
            break;
          case "distribution":
            cell.histogram.record(value);
            break;
          case "sum":
            cell.n += 1;
            cell.sum.add(value);
            break;
          case "gauge": {
            cell.n += 1;
            const atMs = timeMs ?? this.#range.takenMs;
            if (atMs >= cell.atMs) {
              cell.value = value;
              cell.atMs = atMs;
              cell.source = `${this.#range.source}:${this.#range.file}`;
              // Characters instead of bytes: they only have to rise within the file.
              cell.place = this.#range.start + this.#lineStart;
              cell.index = index;
            }
          }
        }
      }
    }
  }

  #timeOf(values: readonly unknown[]): number | undefined {
    if (this.#binding.isArrivalTime) return this.#range.takenMs;
    return this.#binding.time?.(values);
  }

  #holds(outcome: unknown, rule: string): boolean {
    if (outcome === undefined) this.#noteAbsent(rule);
    return outcome === true;
  }

  #noteAbsent(rule: string): void {
    this.#absent[rule] = (this.#absent[rule] ?? 0) + 1;
  }

  #fail(reason: FailureReason, message: string, index: number): void {
    const { start, end } = this.#lineBytes.locate(this.#lineStart, this.#lineEnd);
    const kept = this.#bytes.subarray(start, Math.min(end, start + this.#limits.deadBytesMax));
    this.#failures.push({
      source: this.#range.source,
      at: {
        kind: "file",
        file: this.#range.file,
        path: this.#range.path,
        offset: this.#range.start + start,
        length: end - start,
        index,
      },
      // A copy: the buffer behind is used again for the next range.
      bytes: new Uint8Array(kept),
      length: end - start,
      reason,
      message,
      disposition: "dead",
    });
  }

  #isTooLong(start: number, end: number): boolean {
    const chars = end - start;
    if (chars > this.#limits.lineBytesMax) return true;
    // A character is at most three bytes of UTF-8 (a surrogate pair: four for two).
    if (this.#text.isAscii || chars * 3 <= this.#limits.lineBytesMax) return false;
    const bytes = this.#lineBytes.locate(start, end);
    return bytes.end - bytes.start > this.#limits.lineBytesMax;
  }

  #isPartFull(): boolean {
    if (this.#failures.length >= this.#limits.failuresMax) return true;
    if (this.#cellCount() < this.#limits.cellsMax) return false;
    if (!this.#limits.hasSlots || this.#newestMs === Number.NEGATIVE_INFINITY) return true;
    // Before a part is cut, slots that are old compared with the newest event get as wide as the store would make them.
    this.#slots.age(this.#newestMs);
    for (const { cells } of this.#families) cells.foldUpwards(this.#slots.slotOf);
    return this.#cellCount() > this.#limits.cellsMax / 2;
  }

  #cellCount(): number {
    let cells = 0;
    for (const family of this.#families) cells += family.cells.cells;
    return cells;
  }

  /** Ends the part before the line [start, end), which the splitter has counted already. */
  #cutBefore(start: number, end: number): void {
    const line = this.#lineBytes.locate(start, end);
    this.#count.lines -= 1;
    this.#cut(this.#range.start + line.start);
    this.#count.lines += 1;
  }

  #cut(end: number): void {
    const add: MetricDelta[] = this.#families.flatMap(({ cells }) => cells.take(this.#slots.widthOf));
    const newestMs = this.#newestMs === Number.NEGATIVE_INFINITY ? undefined : this.#newestMs;
    this.#parts.push({
      end,
      delta: encodeDelta({ newestMs, add, keyed: [], ordered: [] }),
      failures: this.#failures,
      posting: {
        source: this.#range.source,
        accepted: this.#count.lines - this.#count.blank + this.#extra,
        settled: this.#settled,
        dropped: this.#dropped,
        dead: this.#failures.length,
        retrying: 0,
        duplicate: 0,
        lost: {},
        absent: this.#absent,
        bytes: end - this.#partStart,
      },
      lines: this.#count.lines,
      newestMs,
    });
    if (this.#failures.length >= this.#limits.failuresMax) this.#failedParts += 1;
    this.#partStart = end;
    this.#count.lines = 0;
    this.#count.blank = 0;
    this.#extra = 0;
    this.#settled = 0;
    this.#dropped = 0;
    this.#absent = {};
    this.#failures = [];
    this.#newestMs = Number.NEGATIVE_INFINITY;
  }
}

/** A decimal number, also written as a string (prices are); NaN for anything else and for the infinities. */
function numberOf(value: unknown): number {
  if (typeof value === "number") return Number.isFinite(value) ? value : Number.NaN;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Number.NaN;
  const number = Number(value);
  return Number.isFinite(number) ? number : Number.NaN;
}

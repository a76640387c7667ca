import { assertInvariant } from "../../base/index.js";
import { type ExponentialHistogram, mergeExponential } from "../../sketch/index.js";
import type { GaugeMerge, HistogramPoint, MetricFamily, NumberPoint, WindowPoint } from "../snapshot.js";
import { ExactTotal } from "./exact-total.js";
import type { SeriesPoint } from "./series-key.js";

type Numbers = Pick<NumberPoint, "value" | "setMs">;

/** One series of several snapshots. Points of another kind than its family's never come here. */
export interface SeriesSum {
  /** @param atMs time of the point's snapshot */
  add(point: SeriesPoint, atMs: number): void;
  copy(): SeriesSum;
  /** What the merged point has besides its labels; undefined when nothing of it is left at `nowMs`. */
  finish(
    nowMs: number,
  ): Numbers | Pick<HistogramPoint, "histogram"> | Pick<WindowPoint, "values"> | undefined;
}

export function newSeriesSum(family: MetricFamily): SeriesSum {
  switch (family.kind) {
    case "counter":
    case "upDownCounter":
      return new NumberSum();
    case "gauge":
      return family.across === "sum" ? new NumberSum() : new GaugeChoice(family.across ?? "latest");
    case "histogram":
      return new HistogramSum();
    case "window":
      return new WindowSum();
  }
}

class NumberSum implements SeriesSum {
  #first: number | undefined;
  /** From the second number on: most series are one process's. */
  #total: ExactTotal | undefined;
  #setMs: number | undefined;

  add(point: SeriesPoint): void {
    assertInvariant("value" in point, "a family's points are all of its kind");
    this.#setMs = later(this.#setMs, point.setMs);
    if (this.#first === undefined) {
      this.#first = point.value;
      return;
    }
    this.#total ??= totalOf([this.#first]);
    this.#total.add(point.value);
  }

  copy(): NumberSum {
    const copy = new NumberSum();
    copy.#first = this.#first;
    copy.#total = this.#total?.copy();
    copy.#setMs = this.#setMs;
    return copy;
  }

  finish(): Numbers {
    return numbers(this.#total?.value() ?? this.#first ?? 0, this.#setMs);
  }
}

/** The first of equals stays, so that the order of the snapshots decides and nothing else. */
class GaugeChoice implements SeriesSum {
  readonly #choice: Exclude<GaugeMerge, "sum">;
  #value: number | undefined;
  #setMs: number | undefined;

  constructor(choice: Exclude<GaugeMerge, "sum">) {
    this.#choice = choice;
  }

  add(point: SeriesPoint): void {
    assertInvariant("value" in point, "a family's points are all of its kind");
    const { value, setMs } = point;
    if (this.#isBetter(value, setMs)) this.#value = value;
    this.#setMs = later(this.#setMs, setMs);
  }

  copy(): GaugeChoice {
    const copy = new GaugeChoice(this.#choice);
    copy.#value = this.#value;
    copy.#setMs = this.#setMs;
    return copy;
  }

  finish(): Numbers | undefined {
    return this.#value === undefined ? undefined : numbers(this.#value, this.#setMs);
  }

  #isBetter(value: number, setMs: number | undefined): boolean {
    const known = this.#value;
    if (known === undefined) return true;
    if (this.#choice === "latest") return never(setMs) > never(this.#setMs);
    if (Number.isNaN(known)) return !Number.isNaN(value);
    return this.#choice === "min" ? value < known : value > known;
  }
}

/** Histograms that are kept apart before they are merged: once for all takes a third of the time of one by one. */
const partsMax = 16;

class HistogramSum implements SeriesSum {
  #parts: ExponentialHistogram[] = [];
  /** Of those that have been merged already: the merged histogram's own sum is rounded. */
  #mergedSum: ExactTotal | undefined;

  add(point: SeriesPoint): void {
    assertInvariant("histogram" in point, "a family's points are all of its kind");
    this.addHistogram(point.histogram);
  }

  addHistogram(histogram: ExponentialHistogram): void {
    if (this.#parts.length === partsMax) this.#merge();
    this.#parts.push(histogram);
  }

  /** What is kept for long is merged once, and not again for each copy. */
  copy(): HistogramSum {
    this.#merge();
    const copy = new HistogramSum();
    copy.#parts = [...this.#parts];
    copy.#mergedSum = this.#mergedSum?.copy();
    return copy;
  }

  finish(): Pick<HistogramPoint, "histogram"> | undefined {
    this.#merge();
    const [histogram] = this.#parts;
    return histogram && { histogram };
  }

  #merge(): void {
    const [first, ...others] = this.#parts;
    if (first === undefined || others.length === 0) return;
    const sum = this.#mergedSum ?? totalOf([first.sum]);
    for (const other of others) sum.add(other.sum);
    this.#mergedSum = sum;
    this.#parts = [{ ...mergeExponential(first, ...others), sum: sum.value() }];
  }
}

/**
 * Windows of several sources: all of each one's newest. Which N of all are the newest nobody can say, since the values come
 * without their times; so N observations of each of k sources are a window of k times N.
 */
class WindowSum implements SeriesSum {
  #parts: readonly { readonly values: WindowPoint["values"]; readonly atMs: number }[] = [];

  add(point: SeriesPoint, atMs: number): void {
    assertInvariant("values" in point, "a family's points are all of its kind");
    this.#parts = [...this.#parts, { values: point.values, atMs }];
  }

  copy(): WindowSum {
    const copy = new WindowSum();
    copy.#parts = this.#parts;
    return copy;
  }

  finish(nowMs: number): Pick<WindowPoint, "values"> | undefined {
    const sorted: number[] = [];
    let samplesMax = 0;
    const recent = new HistogramSum();
    let forMs: number | undefined;
    for (const { values, atMs } of this.#parts) {
      if (values.kind === "samples") {
        for (const value of values.sorted) sorted.push(value);
        samplesMax += values.samplesMax;
        // A cut that is older than the window has nothing in it any more.
      } else if (nowMs - atMs < values.forMs) {
        recent.addHistogram(values.histogram);
        forMs = values.forMs;
      }
    }
    if (samplesMax > 0)
      return { values: { kind: "samples", samplesMax, sorted: sorted.sort((a, b) => a - b) } };
    const histogram = recent.finish()?.histogram;
    if (histogram === undefined || forMs === undefined) return undefined;
    return { values: { kind: "recent", forMs, histogram } };
  }
}

function totalOf(values: readonly number[]): ExactTotal {
  const total = new ExactTotal();
  for (const value of values) total.add(value);
  return total;
}

function numbers(value: number, setMs: number | undefined): Numbers {
  return setMs === undefined ? { value } : { value, setMs };
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return never(b) > never(a) ? b : a;
}

function never(setMs: number | undefined): number {
  return setMs ?? Number.NEGATIVE_INFINITY;
}

import { assertInvariant } from "../base/index.js";
import { type ExponentialHistogram, mergeExponential } from "../sketch/index.js";
import { ExactTotal } from "./exact-total.js";
import type { SeriesPoint } from "./series-key.js";
import type { GaugeMerge, HistogramPoint, MetricFamily, NumberPoint, WindowPoint } from "./snapshot.js";

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
  #total = new ExactTotal();
  #setMs: number | undefined;

  add(point: SeriesPoint): void {
    assertInvariant("value" in point, "a family's points are all of its kind");
    this.#total.add(point.value);
    this.#setMs = later(this.#setMs, point.setMs);
  }

  copy(): NumberSum {
    const copy = new NumberSum();
    copy.#total = this.#total.copy();
    copy.#setMs = this.#setMs;
    return copy;
  }

  finish(): Numbers {
    return numbers(this.#total.value(), this.#setMs);
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

class HistogramSum implements SeriesSum {
  #merged: ExponentialHistogram | undefined;
  /** The merged histogram's own sum is rounded at each merge. */
  #sum = new ExactTotal();

  add(point: SeriesPoint): void {
    assertInvariant("histogram" in point, "a family's points are all of its kind");
    this.addHistogram(point.histogram);
  }

  addHistogram(histogram: ExponentialHistogram): void {
    this.#merged = this.#merged === undefined ? histogram : mergeExponential(this.#merged, histogram);
    this.#sum.add(histogram.sum);
  }

  copy(): HistogramSum {
    const copy = new HistogramSum();
    copy.#merged = this.#merged;
    copy.#sum = this.#sum.copy();
    return copy;
  }

  finish(): Pick<HistogramPoint, "histogram"> | undefined {
    if (this.#merged === undefined) return undefined;
    return { histogram: { ...this.#merged, sum: this.#sum.value() } };
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

function numbers(value: number, setMs: number | undefined): Numbers {
  return setMs === undefined ? { value } : { value, setMs };
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return never(b) > never(a) ? b : a;
}

function never(setMs: number | undefined): number {
  return setMs ?? Number.NEGATIVE_INFINITY;
}

import { bucketIndexerOf } from "../../sketch/index.js";
import type { ThreadPlace } from "../memory/binding.js";
import type { Family } from "../memory/families.js";
import { blockKind } from "../memory/layout.js";
import type { LabelValues } from "../options.js";
import { Bindings } from "./bindings.js";
import { BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter } from "./bound.js";
import { BoundRecent, BoundSamples } from "./windows.js";

/** Only ever goes up. Its sum over all threads is exact. */
export class Counter<L extends string = string> {
  readonly name: string;
  readonly #bindings: Bindings<BoundCounter>;

  constructor(place: ThreadPlace, family: Family) {
    this.name = family.definition.name;
    this.#bindings = new Bindings(
      place,
      family,
      (values) => new BoundCounter(place, family, values, blockKind.number),
    );
  }

  /**
   * @param value finite, 0 or more @default 1
   * @throws MetricValueError, MetricLabelsError; then nothing was recorded
   */
  add(value = 1, labels?: LabelValues<L>): void {
    this.#bindings.of(labels).add(value);
  }

  /** The counter with these labels, for whoever records often: a quarter of the price. */
  bind(labels?: LabelValues<L>): BoundCounter {
    return this.#bindings.of(labels);
  }
}

/** Goes up and down: what is in flight, what is queued. Its sum over all threads is exact. */
export class UpDownCounter<L extends string = string> {
  readonly name: string;
  readonly #bindings: Bindings<BoundUpDownCounter>;

  constructor(place: ThreadPlace, family: Family) {
    this.name = family.definition.name;
    this.#bindings = new Bindings(
      place,
      family,
      (values) => new BoundUpDownCounter(place, family, values, blockKind.number),
    );
  }

  /**
   * @param value finite @default 1
   * @throws MetricValueError, MetricLabelsError; then nothing was recorded
   */
  add(value = 1, labels?: LabelValues<L>): void {
    this.#bindings.of(labels).add(value);
  }

  bind(labels?: LabelValues<L>): BoundUpDownCounter {
    return this.#bindings.of(labels);
  }
}

/** A value that is set: a temperature, a size, a time. */
export class Gauge<L extends string = string> {
  readonly name: string;
  readonly #bindings: Bindings<BoundGauge>;

  constructor(place: ThreadPlace, family: Family) {
    this.name = family.definition.name;
    this.#bindings = new Bindings(
      place,
      family,
      (values) => new BoundGauge(place, family, values, blockKind.gauge),
    );
  }

  /** @throws MetricValueError, MetricLabelsError; then nothing was recorded */
  set(value: number, labels?: LabelValues<L>): void {
    this.#bindings.of(labels).set(value);
  }

  bind(labels?: LabelValues<L>): BoundGauge {
    return this.#bindings.of(labels);
  }
}

/** The distribution of observations: exact count, sum, min and max, quantiles within the schema's bound. */
export class Histogram<L extends string = string> {
  readonly name: string;
  readonly #bindings: Bindings<BoundHistogram>;

  constructor(place: ThreadPlace, family: Family) {
    this.name = family.definition.name;
    const indexOf = bucketIndexerOf(family.definition.schema!);
    this.#bindings = new Bindings(
      place,
      family,
      (values) => new BoundHistogram(indexOf, place, family, values, blockKind.histogram),
    );
  }

  /**
   * @param value finite
   * @throws MetricValueError, MetricLabelsError; then nothing was recorded
   */
  record(value: number, labels?: LabelValues<L>): void {
    this.#bindings.of(labels).record(value);
  }

  bind(labels?: LabelValues<L>): BoundHistogram {
    return this.#bindings.of(labels);
  }
}

/** The newest observations only: the last N, or those of the last T milliseconds. Empty when there were none. */
export class Window<L extends string = string> {
  readonly name: string;
  readonly #bindings: Bindings<BoundSamples | BoundRecent>;

  constructor(place: ThreadPlace, family: Family) {
    this.name = family.definition.name;
    const { kind, schema } = family.definition;
    const indexOf = bucketIndexerOf(schema ?? 5);
    this.#bindings = new Bindings<BoundSamples | BoundRecent>(place, family, (values) =>
      kind === "samples"
        ? new BoundSamples(place, family, values, blockKind.ring)
        : new BoundRecent(indexOf, place, family, values, blockKind.slot),
    );
  }

  /**
   * @param value finite
   * @throws MetricValueError, MetricLabelsError; then nothing was recorded
   */
  record(value: number, labels?: LabelValues<L>): void {
    this.#bindings.of(labels).record(value);
  }

  bind(labels?: LabelValues<L>): { record(value: number): void } {
    return this.#bindings.of(labels);
  }
}

/** The instrument of a metric that was registered elsewhere. */
export function instrumentOf(
  place: ThreadPlace,
  family: Family,
): Counter | UpDownCounter | Gauge | Histogram | Window {
  switch (family.definition.kind) {
    case "counter":
      return new Counter(place, family);
    case "upDownCounter":
      return new UpDownCounter(place, family);
    case "gauge":
      return new Gauge(place, family);
    case "histogram":
      return new Histogram(place, family);
    default:
      return new Window(place, family);
  }
}

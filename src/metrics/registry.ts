import { type Clock, monotonicOriginMs, systemClock } from "../base/index.js";
import {
  acrossOption,
  defineMetric,
  type SeriesDefaults,
  schemaOption,
  timerUnitOption,
  windowOption,
} from "./define.js";
import type { Definition } from "./definition.js";
import { forget, parentThread } from "./discovery.js";
import { MetricKindError, MetricUnknownError } from "./errors.js";
import { Counter, Gauge, Histogram, instrumentOf, UpDownCounter, Window } from "./instruments/instruments.js";
import { type DurationSink, Timer } from "./instruments/timer.js";
import type { ThreadPlace } from "./memory/binding.js";
import { Families, type Family } from "./memory/families.js";
import type { Segment } from "./memory/segment.js";
import { claimWriter, unwatchThreads, watchThreads } from "./memory/threads.js";
import type {
  GaugeOptions,
  HistogramOptions,
  LabelObject,
  MetricOptions,
  RegistryOptions,
  TimerMetricOptions,
  WindowOptions,
} from "./options.js";
import type { MetricFamily, MetricsSnapshot } from "./snapshot.js";
import { pointOf, summaryOf } from "./snapshots/points.js";
import { Snapshots } from "./snapshots.js";
import { familyOf } from "./take-snapshot.js";

/**
 * Metrics that all threads of a process record to, in shared memory.
 *
 * - Recording never waits, sends nothing and allocates nothing. The numbers outlive the thread that recorded them.
 * - A snapshot is one consistent cut over all metrics and threads. No thread can delay it, not one in an endless loop and not one
 *   that was killed in the middle of a record.
 * - Threads find the registry by its name: the one that opens it first makes it, threads started after that open the same.
 */
export class Registry {
  readonly name: string;
  /** To be handed to a thread that was started before the registry was opened; see `attachRegistry`. */
  readonly buffer: SharedArrayBuffer;
  readonly #segment: Segment;
  readonly #clock: Clock;
  readonly #place: ThreadPlace;
  readonly #families: Families;
  readonly #snapshots: Snapshots;
  readonly #defaults: SeriesDefaults;
  readonly #isLazy: boolean;
  readonly #instruments = new Map<string, unknown>();

  /** Use `openRegistry`. */
  constructor(segment: Segment, options: RegistryOptions, clock: Clock) {
    this.name = options.name ?? "default";
    this.buffer = segment.buffer;
    this.#segment = segment;
    this.#clock = clock;
    this.#isLazy = options.registration === "lazy";
    const { seriesMax, idleMs, startedMs, startedMonotonicMs } = segment.origin;
    this.#defaults = { seriesMax, idleMs: idleMs === 0 ? undefined : idleMs };
    const ownStartMs = startedMonotonicMs - sharedOriginMs(clock);
    const sinceMs = (): number => clock.monotonicMs() - ownStartMs;
    const writer = claimWriter(segment, parentThread());
    this.#place = { writer, nowMs: () => clock.now(), sinceMs };
    watchThreads(segment);
    this.#families = new Families(segment);
    const hasOwnMetrics = options.hasOwnMetrics ?? true;
    this.#snapshots = new Snapshots(segment, this.#families, {
      owner: writer.owner,
      clock,
      sinceMs,
      startedMs,
      hasOwnMetrics,
    });
  }

  /**
   * The counter of this name; made now, or the one that some thread has made before.
   * @throws MetricConflictError when the name has another kind, unit, labels or limits
   * @throws MetricMemoryError
   */
  counter<const L extends string = never>(name: string, options: MetricOptions<L> = {}): Counter<L> {
    return this.#instrument(
      { ...defineMetric(name, options, this.#defaults), kind: "counter" },
      (family) => new Counter<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  upDownCounter<const L extends string = never>(
    name: string,
    options: MetricOptions<L> = {},
  ): UpDownCounter<L> {
    return this.#instrument(
      { ...defineMetric(name, options, this.#defaults), kind: "upDownCounter" },
      (family) => new UpDownCounter<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  gauge<const L extends string = never>(name: string, options: GaugeOptions<L> = {}): Gauge<L> {
    return this.#instrument(
      { ...defineMetric(name, options, this.#defaults), kind: "gauge", across: acrossOption(options.across) },
      (family) => new Gauge<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  histogram<const L extends string = never>(name: string, options: HistogramOptions<L> = {}): Histogram<L> {
    return this.#instrument(
      {
        ...defineMetric(name, options, this.#defaults),
        kind: "histogram",
        schema: schemaOption(options.schema),
      },
      (family) => new Histogram<L>(this.#place, family),
    );
  }

  /**
   * As `counter`.
   * @throws OptionError unless exactly one of `samplesMax` and `forMs` is given
   */
  window<const L extends string = never>(name: string, options: WindowOptions<L>): Window<L> {
    const definition = { ...defineMetric(name, options, this.#defaults), ...windowOption(options) };
    return this.#instrument(definition, (family) => new Window<L>(this.#place, family));
  }

  /**
   * A histogram of durations, or with `samplesMax` or `forMs` a window, with what measures them. As `counter`.
   *
   * It has one label more than asked for, `error_type`, unless `errorLabel` says otherwise.
   */
  timer<const L extends string = never>(name: string, options: TimerMetricOptions<L> = {}): Timer<L> {
    const { errorLabel = "error_type", ...rest } = options;
    const unit = timerUnitOption(options.unit);
    const labels: readonly string[] = [
      ...(options.labels ?? []),
      ...(errorLabel === false ? [] : [errorLabel]),
    ];
    const isWindow = options.samplesMax !== undefined || options.forMs !== undefined;
    const metric = { ...rest, unit, labels };
    const sink = isWindow ? this.window<string>(name, metric) : this.histogram<string>(name, metric);
    return new Timer<L>(sink as DurationSink, {
      unit,
      errorLabel: errorLabel === false ? undefined : errorLabel,
      clock: this.#clock,
    });
  }

  /**
   * Makes everything that `body` records in this thread one step: each snapshot has all of it or nothing.
   *
   * `body` must be synchronous; it may nest. Up to 88 cells are sure to be one step (a counter is one or two, a histogram up to
   * five); what goes beyond is recorded too, but may be seen apart.
   */
  together<T>(body: () => T): T {
    return this.#place.writer.together(body);
  }

  /**
   * Adds to the counter or up-down counter of this name. Twice the price of the instrument itself.
   * @throws MetricUnknownError when it is not registered, unless the registry is lazy
   * @throws MetricValueError, MetricLabelsError; MetricKindError when the metric is of another kind
   */
  add(name: string, value = 1, labels?: LabelObject): void {
    const metric = this.#named(name, labels, "counter");
    if (!(metric instanceof Counter || metric instanceof UpDownCounter))
      throw new MetricKindError(name, "added to");
    metric.add(value, labels);
  }

  /** Sets the gauge of this name; errors as `add`. */
  set(name: string, value: number, labels?: LabelObject): void {
    const metric = this.#named(name, labels, "gauge");
    if (!(metric instanceof Gauge)) throw new MetricKindError(name, "set");
    metric.set(value, labels);
  }

  /** Records an observation in the histogram or window of this name; errors as `add`. */
  record(name: string, value: number, labels?: LabelObject): void {
    const metric = this.#named(name, labels, "histogram");
    if (!(metric instanceof Histogram || metric instanceof Window))
      throw new MetricKindError(name, "recorded to");
    metric.record(value, labels);
  }

  /**
   * The value of a counter or gauge, or how many observations a histogram or window has; 0 when nothing was recorded. Takes a
   * snapshot: for several numbers, take one and use `pointOf`.
   * @throws MetricUnknownError when it is not registered, unless the registry is lazy
   */
  get(name: string, labels?: LabelObject): number {
    if (this.#families.find(name) === undefined && !this.#isLazy) throw new MetricUnknownError(name);
    const point = pointOf(this.snapshot(), name, labels);
    if (point === undefined) return 0;
    return "value" in point ? point.value : summaryOf(point).n;
  }

  /** The metrics that are registered by now, in order, without their series. */
  registered(): readonly MetricFamily[] {
    return this.#families.all().map(({ definition }) => familyOf(definition, []));
  }

  /** All metrics at this moment. Blocks for as long as it takes; see `collect` for many series. */
  snapshot(): MetricsSnapshot {
    return this.#snapshots.take();
  }

  /**
   * As `snapshot`, but gives the event loop a turn every few milliseconds.
   * @throws what the signal aborts with
   */
  collect(signal?: AbortSignal): Promise<MetricsSnapshot> {
    return this.#snapshots.takeLater(signal);
  }

  /**
   * Forgets all series, as if nothing had ever been recorded. For tests: no thread may record meanwhile, and what is bound begins
   * again with its next record.
   */
  reset(): void {
    this.#snapshots.forgetAll();
  }

  /**
   * Leaves the registry: threads started from now on do not find it, and this thread's next `openRegistry` of the name makes another.
   * What holds it may go on using it. For programs that open registries again and again.
   */
  close(): void {
    unwatchThreads(this.#segment);
    forget(this.name, this);
  }

  #instrument<T>(definition: Definition, make: (family: Family) => T): T {
    const family = this.#families.register(definition);
    const known = this.#instruments.get(definition.name);
    if (known !== undefined) return known as T;
    const instrument = make(family);
    this.#instruments.set(definition.name, instrument);
    return instrument;
  }

  /** The metric of a name that somebody has registered; or, in a lazy registry, registered now with the labels of this use. */
  #named(name: string, labels: LabelObject | undefined, kind: "counter" | "gauge" | "histogram"): unknown {
    const known = this.#instruments.get(name);
    if (known !== undefined) return known;
    const family = this.#families.find(name);
    if (family !== undefined) {
      const instrument = instrumentOf(this.#place, family);
      this.#instruments.set(name, instrument);
      return instrument;
    }
    if (!this.#isLazy) throw new MetricUnknownError(name);
    return this[kind](name, { labels: Object.keys(labels ?? {}) });
  }
}

/**
 * What to add to a clock's monotonic time so that all threads agree. A clock of a test's own is for one thread.
 */
export function sharedOriginMs(clock: Clock): number {
  return clock === systemClock ? monotonicOriginMs() : 0;
}

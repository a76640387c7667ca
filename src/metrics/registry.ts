import {
  type Clock,
  integerOption,
  monotonicOriginMs,
  OptionError,
  systemClock,
  turnInLine,
} from "../base/index.js";
import type { Definition } from "./definition.js";
import { handDown, inheritedBuffer, openHere } from "./discovery.js";
import { Counter, Gauge, Histogram, UpDownCounter, Window } from "./instruments.js";
import type { ThreadPlace } from "./memory/binding.js";
import { Cut } from "./memory/cut.js";
import { Expiry } from "./memory/expiry.js";
import { Families, type Family } from "./memory/families.js";
import { word } from "./memory/layout.js";
import { ReaderTurn } from "./memory/reader-turn.js";
import { bytesMinOf, Segment } from "./memory/segment.js";
import { claimWriter, watchThreads } from "./memory/threads.js";
import type {
  GaugeOptions,
  HistogramOptions,
  MetricOptions,
  RegistryOptions,
  WindowOptions,
} from "./options.js";
import { ownFamilies } from "./own-metrics.js";
import type { MetricFamily, MetricsSnapshot } from "./snapshot.js";
import { type CutTime, SnapshotMaker } from "./take-snapshot.js";

/** Snapshots begin anew when another reader moves the epoch on, or a record of the old epoch comes late; then they give up. */
const attemptsMax = 8;
/** After so many, `collect` no longer gives way in between, so that other readers can't keep it from ending. */
const attemptsThatGiveWay = 3;
/** How long `collect` runs before it gives the event loop a turn, in milliseconds. */
const turnMs = 4;

/** A cut with what it is of. */
interface Taken {
  readonly cut: Cut;
  readonly families: readonly Family[];
  readonly time: CutTime;
}

type SeriesDefaults = { readonly seriesMax: number; readonly idleMs?: number };

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
  readonly #maker: SnapshotMaker;
  readonly #turn: ReaderTurn;
  readonly #expiry: Expiry;
  readonly #defaults: SeriesDefaults;
  readonly #hasOwnMetrics: boolean;
  readonly #instruments = new Map<
    string,
    { readonly definition: Definition; readonly instrument: unknown }
  >();
  readonly #startedMs: number;

  /** Use `openRegistry`. */
  constructor(segment: Segment, options: RegistryOptions, clock: Clock) {
    this.name = options.name ?? "default";
    this.buffer = segment.buffer;
    this.#segment = segment;
    this.#clock = clock;
    const idleMs = idleOption(options.idleMs);
    this.#defaults = {
      seriesMax: seriesOption(options.seriesMax),
      ...(idleMs === undefined ? {} : { idleMs }),
    };
    this.#hasOwnMetrics = options.hasOwnMetrics ?? true;
    const originMs = clock === systemClock ? monotonicOriginMs() : 0;
    const { f64 } = segment;
    if (f64[word.startedWall / 2] === 0) {
      f64[word.startedWall / 2] = clock.now();
      f64[word.startedMonotonic / 2] = clock.monotonicMs() + originMs;
    }
    this.#startedMs = f64[word.startedWall / 2]!;
    const startedMonotonic = f64[word.startedMonotonic / 2]! - originMs;
    this.#place = {
      writer: claimWriter(segment),
      nowMs: () => clock.now(),
      sinceMs: () => clock.monotonicMs() - startedMonotonic,
    };
    watchThreads(segment);
    this.#families = new Families(segment);
    this.#maker = new SnapshotMaker(segment);
    this.#turn = new ReaderTurn(segment, this.#place.writer.owner);
    this.#expiry = new Expiry(segment, this.#place.writer.owner);
  }

  /**
   * The counter of this name; made now, or the one that some thread has made before.
   * @throws MetricConflictError when the name has another kind, unit, labels or limits
   * @throws MetricMemoryError
   */
  counter<const L extends string = never>(name: string, options: MetricOptions<L> = {}): Counter<L> {
    return this.#instrument(
      { ...this.#head(name, options), kind: "counter" },
      (family) => new Counter<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  upDownCounter<const L extends string = never>(
    name: string,
    options: MetricOptions<L> = {},
  ): UpDownCounter<L> {
    return this.#instrument(
      { ...this.#head(name, options), kind: "upDownCounter" },
      (family) => new UpDownCounter<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  gauge<const L extends string = never>(name: string, options: GaugeOptions<L> = {}): Gauge<L> {
    return this.#instrument(
      { ...this.#head(name, options), kind: "gauge", across: options.across ?? "latest" },
      (family) => new Gauge<L>(this.#place, family),
    );
  }

  /** As `counter`. */
  histogram<const L extends string = never>(name: string, options: HistogramOptions<L> = {}): Histogram<L> {
    return this.#instrument(
      { ...this.#head(name, options), kind: "histogram", schema: schemaOption(options.schema) },
      (family) => new Histogram<L>(this.#place, family),
    );
  }

  /**
   * As `counter`.
   * @throws OptionError unless exactly one of `samplesMax` and `forMs` is given
   */
  window<const L extends string = never>(name: string, options: WindowOptions<L>): Window<L> {
    const definition = { ...this.#head(name, options), ...windowOption(options) };
    return this.#instrument(definition, (family) => new Window<L>(this.#place, family));
  }

  /**
   * Makes everything that `body` records in this thread one step: each snapshot has all of it or nothing.
   *
   * `body` must be synchronous; it may nest. Up to 24 cells are sure to be one step (a counter is one or two, a histogram up to
   * five); what goes beyond is recorded too, but may be seen apart.
   */
  together<T>(body: () => T): T {
    return this.#place.writer.together(body);
  }

  /** All metrics at this moment. Blocks for as long as it takes; see `collect` for many series. */
  snapshot(): MetricsSnapshot {
    this.#turn.take();
    try {
      let taken = this.#cut();
      for (let attempt = 1; ; attempt += 1) {
        const made = drain(this.#maker.read(taken.cut, taken.families, taken.time));
        const isExact = taken.cut.isValid();
        if (isExact || attempt === attemptsMax) return this.#finish(made, taken, isExact);
        taken = this.#retake(taken);
      }
    } finally {
      this.#turn.give();
    }
  }

  /**
   * As `snapshot`, but gives the event loop a turn every few milliseconds.
   * @throws what the signal aborts with
   */
  async collect(signal?: AbortSignal): Promise<MetricsSnapshot> {
    const elapsedMs = (): number => this.#clock.monotonicMs();
    await this.#turn.takeLater(turnInLine, elapsedMs);
    try {
      let taken = this.#cut();
      for (let attempt = 1; ; attempt += 1) {
        const { cut, families, time } = taken;
        const reading = this.#maker.read(cut, families, time);
        const givesWay = attempt <= attemptsThatGiveWay;
        const made = givesWay
          ? await drainLater(reading, elapsedMs, () => cut.isCurrent(), signal)
          : drain(reading);
        const isExact = made !== undefined && cut.isValid();
        if (made !== undefined && (isExact || attempt >= attemptsMax))
          return this.#finish(made, taken, isExact);
        taken = this.#retake(taken);
      }
    } finally {
      this.#turn.give();
    }
  }

  /**
   * Forgets all series, as if nothing had ever been recorded. For tests: no thread may record meanwhile, and what other threads have
   * bound begins again with their next snapshot.
   */
  reset(): void {
    this.snapshot();
    const families = this.#families.all();
    this.#maker.list.update(families);
    this.#expiry.freeAll(families, this.#maker.list);
    // A new epoch, so that every block is looked at before it is written.
    new Cut(this.#segment);
  }

  #cut(): Taken {
    const cut = new Cut(this.#segment);
    const families = [...this.#families.all()];
    const time = { atMs: this.#clock.now(), sinceMs: this.#place.sinceMs(), startedMs: this.#startedMs };
    return { cut, families, time };
  }

  #retake(taken: Taken): Taken {
    if (!taken.cut.isCurrent()) return this.#cut();
    taken.cut.again();
    return taken;
  }

  #finish(made: readonly MetricFamily[], { families, time }: Taken, isExact: boolean): MetricsSnapshot {
    this.#expiry.run(families, this.#maker.list, time.sinceMs, (definition) => definition.idleMs);
    const own = this.#hasOwnMetrics ? ownFamilies(this.#segment, families, time.startedMs) : [];
    return { atMs: time.atMs, isExact, families: [...made, ...own] };
  }

  #head(name: string, options: MetricOptions): Omit<Definition, "kind"> {
    if (typeof name !== "string" || name === "")
      throw new OptionError("name", "Cannot register metric: its name is empty");
    const labels = options.labels ?? [];
    if (new Set(labels).size !== labels.length)
      throw new OptionError("labels", `Cannot register metric ${name}: it has a label twice`);
    const idleMs = idleOption(options.idleMs) ?? this.#defaults.idleMs;
    return {
      name,
      help: options.help ?? "",
      ...(options.unit === undefined ? {} : { unit: options.unit }),
      labels,
      seriesMax: options.seriesMax === undefined ? this.#defaults.seriesMax : seriesOption(options.seriesMax),
      ...(idleMs === undefined ? {} : { idleMs }),
    };
  }

  #instrument<T>(definition: Definition, make: (family: Family) => T): T {
    const family = this.#families.register(definition);
    const known = this.#instruments.get(definition.name);
    if (known !== undefined) return known.instrument as T;
    const instrument = make(family);
    this.#instruments.set(definition.name, { definition: family.definition, instrument });
    return instrument;
  }
}

/**
 * Opens the process's registry of a name: in the thread that asks first it is made, every thread started from there finds the same
 * one. Later openings of the same name answer the same registry, whatever their options.
 * @throws OptionError
 * @throws MetricThreadsError when more threads record than it has places for
 * @throws MetricLayoutError when the thread that made it uses another version of this package
 */
export function openRegistry(options: RegistryOptions = {}, clock: Clock = systemClock): Registry {
  const name = options.name ?? "default";
  const open = openHere<Registry>();
  const known = open.get(name);
  if (known !== undefined) return known;
  const inherited = inheritedBuffer(name);
  const segment = inherited === undefined ? createSegment(options) : new Segment(inherited);
  const registry = new Registry(segment, options, clock);
  open.set(name, registry);
  handDown(name, segment.buffer);
  return registry;
}

/**
 * Opens a registry by its `buffer`, in a thread that was started before it and was sent the buffer.
 * @throws MetricLayoutError when the buffer is none of a registry
 */
export function attachRegistry(buffer: SharedArrayBuffer, options: RegistryOptions = {}): Registry {
  const name = options.name ?? "default";
  const open = openHere<Registry>();
  const known = open.get(name);
  if (known !== undefined) return known;
  const registry = new Registry(new Segment(buffer), options, systemClock);
  open.set(name, registry);
  handDown(name, buffer);
  return registry;
}

function createSegment(options: RegistryOptions): Segment {
  const threadsMax = integerOption("threadsMax", options.threadsMax, { default: 128, min: 1, max: 1024 });
  const familiesMax = integerOption("metricsMax", options.metricsMax, { default: 4096, min: 1, max: 65_536 });
  const min = Math.max(4 * 2 ** 20, bytesMinOf(threadsMax, familiesMax));
  const limits = { default: 256 * 2 ** 20, min, max: 8 * 2 ** 30 };
  return Segment.create({
    threadsMax,
    familiesMax,
    reserveBytes: integerOption("reserveBytes", options.reserveBytes, limits),
  });
}

function seriesOption(value: number | undefined): number {
  return integerOption("seriesMax", value, { default: 10_000, min: 1, max: 1_000_000 });
}

function idleOption(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  return integerOption("idleMs", value, { default: 0, min: 1000, max: Number.MAX_SAFE_INTEGER });
}

function schemaOption(value: number | undefined): number {
  return integerOption("schema", value, { default: 5, min: -4, max: 8 });
}

function windowOption(
  options: WindowOptions,
): Pick<Definition, "kind" | "samplesMax" | "forMs" | "slots" | "schema"> {
  if ((options.samplesMax === undefined) === (options.forMs === undefined))
    throw new OptionError("samplesMax", "Cannot register window: give either samplesMax or forMs");
  if (options.samplesMax !== undefined) {
    const samplesMax = integerOption("samplesMax", options.samplesMax, {
      default: 1000,
      min: 1,
      max: 100_000,
    });
    return { kind: "samples", samplesMax };
  }
  return {
    kind: "recent",
    forMs: integerOption("forMs", options.forMs, { default: 60_000, min: 100, max: 86_400_000 }),
    slots: integerOption("slots", options.slots, { default: 12, min: 2, max: 100 }),
    schema: schemaOption(options.schema),
  };
}

function drain<T>(reading: Generator<void, T>): T {
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
  }
}

/** Undefined when what is read is no longer wanted. */
async function drainLater<T>(
  reading: Generator<void, T>,
  elapsedMs: () => number,
  isWanted: () => boolean,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  let start = elapsedMs();
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    if (elapsedMs() - start < turnMs) continue;
    await turnInLine();
    signal?.throwIfAborted();
    if (!isWanted()) return undefined;
    start = elapsedMs();
  }
}

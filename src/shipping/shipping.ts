import {
  type Clock,
  codeOf,
  ignoreNotices,
  integerOption,
  messageOf,
  type NoticeSink,
  systemClock,
} from "../base/index.js";
import type { MetricFamily, MetricsSnapshot } from "../metrics/index.js";
import {
  type CellChange,
  emptyDelta,
  encodeDelta,
  type MetricDefinition,
  type Settlement,
  type Store,
} from "../store/index.js";
import { changesSince, type SeriesChange } from "./changes.js";
import { definitionOf } from "./definitions.js";
import { ShippingUnsettledError } from "./errors.js";
import { type Pending, type Progress, takeProgress } from "./progress.js";

/** A registry, or `{ snapshot: () => processes.collect() }`. */
export interface ShippedSource {
  snapshot(): MetricsSnapshot | Promise<MetricsSnapshot>;
  /** Taken instead where there is one, because it gives the event loop its turns. */
  collect?(): Promise<MetricsSnapshot>;
}

export interface ShippingOptions {
  /** Pause between two shipments, in milliseconds (100..3,600,000). @default 1,000 */
  readonly everyMs?: number;
  /** Name in the store's ledger. @default "metrics" */
  readonly source?: string;
  /** Series in one settlement (1..100,000). @default 5,000 */
  readonly seriesMax?: number;
  /** Groups that the store keeps of a metric. @default 10,000 */
  readonly groupsMax?: number;
  readonly clock?: Clock;
  /** `shipping.failed` for a shipment that must be done again. */
  readonly notices?: NoticeSink;
}

export interface ShippingStatus {
  /** Settlements that the store has. */
  readonly settlements: number;
  /** Changes of series in them. */
  readonly changes: number;
  /** Shipments that failed, or whose outcome was unknown at first. */
  readonly failures: number;
  /** Numbers that were not finite. */
  readonly dropped: number;
}

/** Generations met in a row before a shipment is left for the next time. */
const attemptsMax = 5;

/**
 * Ships what a registry counts into a store, difference by difference, so that it has windows, percentiles and history there.
 *
 * - Each difference counts once. A settlement takes the next number of this shipping's own, so that the store refuses it the second time;
 *   when an error leaves its outcome open, the same bytes are sent again, and the refusal says that it was in.
 * - A store that fails loses nothing and costs no memory: what was not settled is part of the next difference, because the registry goes on counting.
 * - After a change of generation (the store was wiped or rolled back) it goes on with what was not settled before; what was, is not sent again.
 * - The shippings of a registry to a store, one at a time, count under a name of their own: what a process had not shipped when it was killed
 *   is lost, and nothing of it is counted twice by the process that follows.
 *
 * @throws OptionError when the registry is being shipped to the store already
 */
export function shipMetrics(
  registry: ShippedSource,
  store: Store,
  options: ShippingOptions = {},
): MetricsShipping {
  return new MetricsShipping(registry, store, options);
}

/** What `shipMetrics` makes. */
export class MetricsShipping implements AsyncDisposable {
  /** This shipping's name among the watermarks of its source: that of the one before it, if it goes on with that. */
  readonly instance: string;
  readonly #registry: ShippedSource;
  readonly #store: Store;
  readonly #source: string;
  readonly #everyMs: number;
  readonly #seriesMax: number;
  readonly #groupsMax: number | undefined;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #progress: Progress;
  readonly #status = { settlements: 0, changes: 0, failures: 0, dropped: 0 };
  #defined = new Set<string>();
  #underWay: Promise<unknown> = Promise.resolve();
  #cancelTimer: () => void = () => {};
  #closing: Promise<boolean> | undefined;

  constructor(registry: ShippedSource, store: Store, options: ShippingOptions) {
    this.#registry = registry;
    this.#store = store;
    this.#source = options.source ?? "metrics";
    this.#everyMs = integerOption("everyMs", options.everyMs, { default: 1_000, min: 100, max: 3_600_000 });
    this.#seriesMax = integerOption("seriesMax", options.seriesMax, { default: 5_000, min: 1, max: 100_000 });
    this.#groupsMax = options.groupsMax;
    this.#clock = options.clock ?? systemClock;
    this.#notices = options.notices ?? ignoreNotices;
    this.#progress = takeProgress(registry, store);
    this.instance = this.#progress.instance;
    this.#arm();
  }

  get status(): ShippingStatus {
    return { ...this.#status };
  }

  /** Ships now, after what is under way. False when the store failed; then the next shipment has it. Closed, it answers what `close` did. */
  ship(): Promise<boolean> {
    if (this.#closing !== undefined) return this.#closing;
    const shipped = this.#underWay.then(() => this.#ship());
    this.#underWay = shipped;
    return shipped;
  }

  /**
   * Ships the rest, then no more. The store stays open; another shipping of the registry to it goes on from there. May be called twice.
   * @param waitMs how long to wait for the store, in milliseconds
   * @returns whether the store has everything that was recorded before the call
   */
  close(waitMs = 5_000): Promise<boolean> {
    this.#closing ??= this.#close(waitMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #next(): number {
    return this.#progress.next.get(this.#source) ?? 0;
  }

  #close(waitMs: number): Promise<boolean> {
    this.#cancelTimer();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(waitMs, () => resolve(false));
      void this.ship().then((isShipped) => {
        this.#progress.isTaken = false;
        cancel();
        resolve(isShipped);
      });
    });
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.after(
      this.#everyMs,
      () => {
        void this.ship().then(() => {
          if (this.#closing === undefined) this.#arm();
        });
      },
      false,
    );
  }

  async #ship(): Promise<boolean> {
    try {
      await this.#settlePending();
      const snapshot = await (this.#registry.collect?.() ?? this.#registry.snapshot());
      this.#progress.baseline.keepOnly(snapshot);
      this.#progress.generation ??= (await this.#store.info()).generation;
      const place = { instance: this.instance, sequence: this.#next };
      const changes = changesSince(this.#progress.baseline, snapshot, place, () => {
        this.#status.dropped += 1;
      });
      for (let at = 0; at < changes.length; at += this.#seriesMax) {
        this.#progress.pending = this.#settlementOf(changes.slice(at, at + this.#seriesMax), snapshot.atMs);
        await this.#settlePending();
      }
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    this.#status.failures += 1;
    // It may have forgotten them; to say it again changes nothing.
    this.#defined = new Set();
    // Refused as such: nothing happened, and the same would be refused for ever. The differences are made anew.
    if (codeOf(error).startsWith("SETTLEMENT_")) this.#progress.pending = undefined;
    this.#notices({
      name: "shipping.failed",
      level: "error",
      message: `Metrics could not be shipped and will be with the next shipment: ${messageOf(error)}`,
      data: { source: this.#source, code: codeOf(error) },
    });
  }

  #settlementOf(changes: readonly SeriesChange[], atMs: number): Pending {
    const byFamily = new Map<MetricFamily, SeriesChange[]>();
    for (const change of changes) {
      const known = byFamily.get(change.family);
      if (known === undefined) byFamily.set(change.family, [change]);
      else known.push(change);
    }
    const add = [...byFamily].map(([family, of]) => {
      const kind = of[0]!.kind;
      const cells: readonly CellChange[] = of.map(({ change }) => change);
      return { metric: this.#definition(family, kind).key, kind, changes: cells };
    });
    const delta = encodeDelta({ ...emptyDelta, newestMs: Math.floor(atMs), add });
    const posting = { source: this.#source, accepted: changes.length, settled: changes.length };
    const nothing = { dropped: 0, dead: 0, retrying: 0, duplicate: 0, lost: {}, absent: {} };
    return {
      changes,
      settlement: {
        generation: this.#progress.generation!,
        take: this.#take(this.#source, this.#next),
        delta,
        failures: [],
        ledger: [{ ...posting, ...nothing, bytes: delta.length }],
      },
    };
  }

  #take(source: string, start: number): Settlement["take"] & { readonly kind: "file" } {
    const { instance } = this;
    const identity = {
      path: instance,
      device: "",
      inode: instance,
      prefixLength: 0,
      prefixHash: "",
      size: start + 1,
    };
    return { kind: "file", source, file: instance, start, end: start + 1, identity };
  }

  /** Sends it until its outcome is known. @throws what the store throws; then it is still pending */
  async #settlePending(): Promise<void> {
    for (let attempt = 1; this.#progress.pending !== undefined; attempt += 1) {
      const { settlement, changes } = this.#progress.pending;
      await this.#define(changes);
      const result = await this.#store.settle(settlement);
      if (result.kind === "settled") return this.#confirm(settlement.take.start + 1);
      if (result.kind === "generation") this.#progress.generation = result.generation;
      const watermark =
        result.kind === "generation"
          ? await this.#watermark(settlement.take.source)
          : (result.watermark ?? 0);
      if (watermark > settlement.take.start) return this.#confirm(watermark);
      this.#restate(watermark);
      if (result.kind === "generation") this.#defined = new Set();
      if (attempt >= attemptsMax) throw new ShippingUnsettledError(this.#source, attempt);
    }
  }

  /** Where the store, which may be another than before, stands with this shipping's own numbers. */
  async #watermark(source: string): Promise<number> {
    const watermarks = await this.#store.watermarks(source);
    return watermarks.find(({ file }) => file === this.instance)?.offset ?? 0;
  }

  #restate(start: number): void {
    const { settlement, changes } = this.#progress.pending!;
    // Of a shipping before this one it may be under another source.
    const take = this.#take(settlement.take.source, start);
    this.#progress.next.set(take.source, start);
    this.#progress.pending = {
      changes,
      settlement: { ...settlement, generation: this.#progress.generation!, take },
    };
  }

  #confirm(next: number): void {
    const { changes, settlement } = this.#progress.pending!;
    for (const { family, point } of changes) this.#progress.baseline.take(family, [point]);
    this.#status.settlements += 1;
    this.#status.changes += changes.length;
    this.#progress.next.set(settlement.take.source, next);
    this.#progress.pending = undefined;
  }

  async #define(changes: readonly SeriesChange[]): Promise<void> {
    const missing = new Map<string, MetricDefinition>();
    for (const { family, kind } of changes) {
      const definition = this.#definition(family, kind);
      if (!this.#defined.has(definition.key)) missing.set(definition.key, definition);
    }
    if (missing.size === 0) return;
    await this.#store.define([...missing.values()]);
    for (const key of missing.keys()) this.#defined.add(key);
  }

  readonly #definitions = new WeakMap<MetricFamily, MetricDefinition>();

  #definition(family: MetricFamily, kind: SeriesChange["kind"]): MetricDefinition {
    let definition = this.#definitions.get(family);
    if (definition === undefined) {
      definition = definitionOf(family, kind, this.#groupsMax);
      this.#definitions.set(family, definition);
    }
    return definition;
  }
}

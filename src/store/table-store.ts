import { type Clock, integerOption } from "../base/index.js";
import { ChangeLog } from "./change-log.js";
import type {
  AppendResult,
  Batch,
  CellPage,
  CellQuery,
  ChangeItem,
  Claim,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterQuery,
  Frame,
  Generation,
  LeaseLimits,
  LedgerRow,
  MetricDefinition,
  Position,
  Settlement,
  SettleResult,
  Store,
  StoreInfo,
  Version,
  Watermark,
  WorkerName,
} from "./contract.js";
import { StoreCore } from "./core.js";
import { StoreClosedError } from "./errors.js";
import { resolveClock, type StoreOptions } from "./options.js";
import type { Persistence } from "./persistence.js";
import type { Prepared } from "./settle.js";
import type { Tables } from "./tables.js";
import { Wakeups } from "./wakeups.js";

const leaseMsMax = 24 * 60 * 60 * 1_000;
const whole = Number.MAX_SAFE_INTEGER;

export interface TableStoreParts {
  readonly kind: StoreInfo["kind"];
  readonly durability: StoreInfo["durability"];
  readonly options: StoreOptions;
  /** Empty, or as an earlier run left them; the store's own from now on. */
  readonly tables: Tables;
  readonly persistence: Persistence;
  /** For a store without tables from an earlier run: unique for all time. */
  readonly newGeneration: Generation;
}

/**
 * A store whose state is in memory and whose steps are kept by a `Persistence`.
 * - Steps happen one after the other, each at once: nothing awaits between a step's checks and its effect.
 * - A call resolves when its step, and all before it, are durable at the store's level. Readers may see it before.
 * - After `close` every call rejects with STORE_CLOSED, waiting leases answer undefined, readers of changes end.
 */
export class TableStore implements Store {
  readonly #core: StoreCore;
  readonly #clock: Clock;
  readonly #persistence: Persistence;
  readonly #parts: Pick<TableStoreParts, "kind" | "durability">;
  readonly #changes: ChangeLog;
  readonly #leasable = new Wakeups();
  #closing: Promise<void> | undefined;

  constructor(parts: TableStoreParts) {
    const { options, tables, persistence, newGeneration } = parts;
    this.#parts = parts;
    this.#clock = resolveClock(options);
    this.#persistence = persistence;
    this.#core = new StoreCore(options, tables);
    if (!this.#core.isCreated) {
      const writes = this.#core.prepareCreate(newGeneration);
      persistence.write(writes);
      this.#core.commit(writes);
    }
    this.#changes = new ChangeLog(this.#core.generation, this.#core.version, this.#core.limits);
  }

  async info(): Promise<StoreInfo> {
    this.#assertOpen();
    const { kind, durability } = this.#parts;
    return { kind, durability, ...this.#core.info(this.#clock.now()) };
  }

  define(metrics: readonly MetricDefinition[]): Promise<void> {
    return this.#step((nowMs) => this.#core.prepareDefine(metrics, nowMs));
  }

  async append(frames: readonly Frame[]): Promise<AppendResult> {
    const result = await this.#step((nowMs) => this.#core.prepareAppend(frames, nowMs));
    this.#leasable.wake();
    return result;
  }

  async lease(worker: WorkerName, limits: LeaseLimits, signal: AbortSignal): Promise<Batch | undefined> {
    checkLimits(limits);
    const endMs = this.#clock.monotonicMs() + (limits.waitMs ?? 0);
    for (;;) {
      signal.throwIfAborted();
      const seen = this.#leasable.count;
      const batch = await this.#step((nowMs) => this.#core.prepareLease(worker, limits, nowMs));
      const leftMs = endMs - this.#clock.monotonicMs();
      if (batch !== undefined || leftMs <= 0) return batch;
      const nextMs = (this.#core.nextLeasableMs() ?? Number.POSITIVE_INFINITY) - this.#clock.now();
      // At least a millisecond, so that a clock behind its own timers can't make this spin.
      const waitMs = Math.max(1, Math.min(leftMs, nextMs));
      await this.#leasable.wait({ seen, waitMs, clock: this.#clock, signal });
      if (this.#closing !== undefined) return undefined;
    }
  }

  renew(worker: WorkerName, positions: readonly Position[], leaseMs: number): Promise<readonly Position[]> {
    const forMs = integerOption("leaseMs", leaseMs, { default: 1, min: 1, max: leaseMsMax });
    return this.#step((nowMs) => this.#core.prepareRenew(worker, positions, nowMs + forMs));
  }

  async settle(settlement: Settlement): Promise<SettleResult> {
    const result = await this.#step((nowMs) => this.#core.prepareSettle(settlement, nowMs));
    if (settlement.failures.length > 0) this.#leasable.wake();
    return result;
  }

  runDue(limit: number): Promise<number> {
    return this.#step((nowMs) => this.#core.prepareRunDue(limit, nowMs));
  }

  async read(query: CellQuery): Promise<CellPage> {
    this.#assertOpen();
    return this.#core.read(query, this.#clock.now());
  }

  changes(since: Version, signal: AbortSignal): AsyncIterable<ChangeItem> {
    this.#assertOpen();
    return this.#changes.read(since, signal);
  }

  async ledger(): Promise<readonly LedgerRow[]> {
    this.#assertOpen();
    return this.#core.ledger();
  }

  async watermarks(source: string): Promise<readonly Watermark[]> {
    this.#assertOpen();
    return this.#core.watermarks(source);
  }

  async deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    this.#assertOpen();
    return this.#core.deadLetters(query);
  }

  async deadLetter(id: number): Promise<DeadLetter | undefined> {
    this.#assertOpen();
    return this.#core.deadLetter(id);
  }

  async replay(filter: DeadLetterFilter): Promise<number> {
    const moved = await this.#step((nowMs) => this.#core.prepareReplay(filter, nowMs));
    this.#leasable.wake();
    return moved;
  }

  discard(filter: DeadLetterFilter): Promise<number> {
    return this.#step((nowMs) => this.#core.prepareDiscard(filter, nowMs));
  }

  claim(name: string, owner: string, ttlMs: number): Promise<Claim | undefined> {
    return this.#step((nowMs) => this.#core.prepareClaim(name, owner, ttlMs, nowMs));
  }

  renewClaim(claim: Claim, ttlMs: number): Promise<boolean> {
    return this.#step((nowMs) => this.#core.prepareRenewClaim(claim, nowMs + ttlMs));
  }

  releaseClaim(claim: Claim): Promise<void> {
    return this.#step(() => this.#core.prepareReleaseClaim(claim));
  }

  /** Waits for what was written to be durable; may be called twice. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#changes.close();
    this.#leasable.wake();
    await this.#persistence.close();
  }

  async #step<Result>(prepare: (nowMs: number) => Prepared<Result>): Promise<Result> {
    this.#assertOpen();
    const { writes, result, change } = prepare(this.#clock.now());
    if (writes.length > 0) {
      this.#persistence.write(writes);
      this.#core.commit(writes);
      if (change !== undefined) this.#changes.push(change);
    }
    // Also when this step wrote nothing: a "duplicate" promises that the first append is durable.
    await this.#persistence.flushed();
    return result;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError();
  }
}

function checkLimits(limits: LeaseLimits): void {
  integerOption("framesMax", limits.framesMax, { default: 1, min: 1, max: 10_000 });
  integerOption("bytesMax", limits.bytesMax, { default: 1, min: 1, max: whole });
  integerOption("leaseMs", limits.leaseMs, { default: 1, min: 1, max: leaseMsMax });
  integerOption("waitMs", limits.waitMs, { default: 0, min: 0, max: leaseMsMax });
}

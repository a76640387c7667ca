import { type Clock, ignoreNotices, type NoticeSink, systemClock, unpackError } from "../base/index.js";
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
import { StoreClosedError, StoreDiedError } from "./errors.js";
import { type PackedPage, unpackPage } from "./page-codec.js";
import {
  compactDeep,
  type NextItem,
  type Port,
  type RemoteMethod,
  type RemoteTime,
  type Request,
  type Response,
} from "./remote-protocol.js";

export interface RemoteStoreOptions {
  /** Any but the system's is sent along with each call; the host then needs a `RelayedClock`. */
  readonly clock?: Clock;
  /** Gets the host's notices. */
  readonly notices?: NoticeSink;
  /** Says why the far end is gone, once it is. @default STORE_DIED without a cause */
  readonly death?: Promise<Error>;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * A store whose other half, `hostStore`, has the real one at the far end of a port.
 *
 * - Errors arrive as RemoteError with the original's code.
 * - When the far end goes away every pending call, and every later one, rejects with `STORE_DIED`.
 * - A pending call and a wait for changes keep the process alive; an idle store does not.
 * - An aborted call still waits for the host's word, so that what the host had already done is not lost: a lease that
 *   was granted while the signal aborted is returned.
 */
export class RemoteStore implements Store {
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: Error | undefined;
  #disposed: Promise<void> | undefined;

  constructor(port: Port, options: RemoteStoreOptions = {}) {
    this.#port = port;
    this.#clock = options.clock ?? systemClock;
    this.#notices = options.notices ?? ignoreNotices;
    port.on("message", (response: Response) => this.#take(response));
    port.on("messageerror", (error) => this.#fail(new StoreDiedError(error)));
    port.on("close", () => void this.#failWhenTold(options.death));
    port.unref();
  }

  /** Rejects all pending and all later calls with `error`; the first one given counts. */
  #fail(error: Error): void {
    this.#ended ??= error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#port.unref();
    for (const call of pending) call.reject(this.#ended);
  }

  info(): Promise<StoreInfo> {
    return this.#call("info", []) as Promise<StoreInfo>;
  }

  async define(metrics: readonly MetricDefinition[]): Promise<void> {
    await this.#call("define", [metrics]);
  }

  append(frames: readonly Frame[]): Promise<AppendResult> {
    return this.#call("append", [compactDeep(frames)]) as Promise<AppendResult>;
  }

  lease(worker: WorkerName, limits: LeaseLimits, signal: AbortSignal): Promise<Batch | undefined> {
    return this.#call("lease", [worker, limits], { signal }) as Promise<Batch | undefined>;
  }

  renew(worker: WorkerName, positions: readonly Position[], leaseMs: number): Promise<readonly Position[]> {
    return this.#call("renew", [worker, positions, leaseMs]) as Promise<readonly Position[]>;
  }

  settle(settlement: Settlement): Promise<SettleResult> {
    // The delta is copied and not transferred: a settlement that was refused for want of room is sent again.
    return this.#call("settle", [compactDeep(settlement)]) as Promise<SettleResult>;
  }

  runDue(limit: number): Promise<number> {
    return this.#call("runDue", [limit]) as Promise<number>;
  }

  async read(query: CellQuery): Promise<CellPage> {
    return unpackPage((await this.#call("read", [query])) as PackedPage);
  }

  changes(since: Version, signal: AbortSignal): AsyncIterable<ChangeItem> {
    return { [Symbol.asyncIterator]: () => this.#subscribe(since, signal) };
  }

  ledger(): Promise<readonly LedgerRow[]> {
    return this.#call("ledger", []) as Promise<readonly LedgerRow[]>;
  }

  watermarks(source: string): Promise<readonly Watermark[]> {
    return this.#call("watermarks", [source]) as Promise<readonly Watermark[]>;
  }

  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.#call("deadLetters", [query]) as Promise<DeadLetterPage>;
  }

  deadLetter(id: number): Promise<DeadLetter | undefined> {
    return this.#call("deadLetter", [id]) as Promise<DeadLetter | undefined>;
  }

  replay(filter: DeadLetterFilter): Promise<number> {
    return this.#call("replay", [filter]) as Promise<number>;
  }

  discard(filter: DeadLetterFilter): Promise<number> {
    return this.#call("discard", [filter]) as Promise<number>;
  }

  claim(name: string, owner: string, ttlMs: number): Promise<Claim | undefined> {
    return this.#call("claim", [name, owner, ttlMs]) as Promise<Claim | undefined>;
  }

  renewClaim(claim: Claim, ttlMs: number): Promise<boolean> {
    return this.#call("renewClaim", [claim, ttlMs]) as Promise<boolean>;
  }

  async releaseClaim(claim: Claim): Promise<void> {
    await this.#call("releaseClaim", [claim]);
  }

  /** Ends waiting calls, lets running ones finish, closes the store at the far end. May be called twice. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  // Ordered after the port's last message: the far end may be gone before its last answers are read here.
  async #failWhenTold(death: Promise<Error> | undefined): Promise<void> {
    this.#fail((await death) ?? new StoreDiedError());
  }

  async #dispose(): Promise<void> {
    if (this.#ended !== undefined) return;
    const id = this.#nextId++;
    const answer = this.#ask(id, { kind: "dispose", id });
    this.#ended = new StoreClosedError();
    await answer;
  }

  #call(
    method: RemoteMethod,
    args: readonly unknown[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const { signal } = options;
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId++;
    const time = this.#clock === systemClock ? {} : { time: this.#time() };
    const request: Request = { kind: "call", id, method, args, hasSignal: signal !== undefined, ...time };
    const answer = this.#ask(id, request);
    return signal === undefined ? answer : this.#abortable(id, answer, signal);
  }

  async #abortable(id: number, answer: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
    const onAbort = (): void => this.#port.postMessage({ kind: "abort", id } satisfies Request);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await answer;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #ask(id: number, request: Request): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#port.postMessage(request);
      this.#pending.set(id, { resolve, reject });
      this.#port.ref();
    });
  }

  #take(response: Response): void {
    if (response.kind === "notice") {
      this.#notices(response.notice);
      return;
    }
    if (response.kind === "timer") {
      this.#sendTimeAt(response.atMs);
      return;
    }
    const pending = this.#pending.get(response.id);
    if (pending === undefined) return;
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) this.#port.unref();
    if (response.kind === "value") pending.resolve(response.value);
    else pending.reject(unpackError(response.error));
  }

  #sendTimeAt(atMs: number): void {
    const leftMs = atMs - this.#clock.monotonicMs();
    const send = (): void => {
      if (this.#ended === undefined)
        this.#port.postMessage({ kind: "time", time: this.#time() } satisfies Request);
    };
    if (leftMs > 0) this.#clock.after(leftMs, send);
    else send();
  }

  #time(): RemoteTime {
    return { nowMs: this.#clock.now(), monotonicMs: this.#clock.monotonicMs() };
  }

  async *#subscribe(since: Version, signal: AbortSignal): AsyncGenerator<ChangeItem, void, void> {
    if (this.#ended !== undefined) throw this.#ended;
    const of = this.#nextId++;
    this.#port.postMessage({ kind: "subscribe", id: of, since } satisfies Request);
    const onAbort = (): void => this.#port.postMessage({ kind: "abort", id: of } satisfies Request);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        const id = this.#nextId++;
        const next = (await this.#ask(id, { kind: "next", id, of })) as NextItem;
        if (next.done) return;
        yield next.item as ChangeItem;
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (this.#ended === undefined)
        this.#port.postMessage({ kind: "unsubscribe", id: of } satisfies Request);
    }
  }
}

import type { TransferListItem } from "node:worker_threads";
import { type Clock, ManualClock, packError } from "../base/index.js";
import type { CellPage, ChangeItem, Store } from "./contract.js";
import { packPage } from "./page-codec.js";
import { compactDeep, type NextItem, type Port, type RemoteTime, type Request } from "./remote-protocol.js";

/** A clock that shows the time the callers had when they called: for stores in threads under an injected clock. */
export class RelayedClock implements Clock {
  #clock: ManualClock | undefined;
  /** Told when the next timer was set, so that its time can be sent when it has come. */
  onTimer: (atMs: number) => void = () => {};

  now(): number {
    return this.#started.now();
  }

  monotonicMs(): number {
    return this.#started.monotonicMs();
  }

  after(delayMs: number, run: () => void): () => void {
    this.onTimer(this.monotonicMs() + delayMs);
    return this.#started.after(delayMs, run);
  }

  /** Moves on to the caller's time; timers that became due run inside. */
  set({ nowMs, monotonicMs }: RemoteTime): void {
    if (this.#clock === undefined) {
      this.#clock = new ManualClock(nowMs);
      this.#clock.advance(monotonicMs);
    } else {
      this.#clock.advance(monotonicMs - this.#clock.monotonicMs());
    }
    this.#clock.setWall(nowMs);
  }

  get #started(): ManualClock {
    return (this.#clock ??= new ManualClock(0));
  }
}

export interface HostStoreOptions {
  /** Set to the caller's time before each call. */
  readonly clock?: RelayedClock;
}

interface Subscription {
  readonly stop: AbortController;
  readonly items: AsyncIterator<ChangeItem>;
}

/**
 * Answers a `RemoteStore` at the other end of the port from `store`, until that asks for disposal or is gone; the store
 * is then closed, and the port, so that a thread with nothing else to do ends by itself.
 */
export function hostStore(port: Port, store: Store, options: HostStoreOptions = {}): void {
  new Host(port, store, options).start();
}

class Host {
  readonly #port: Port;
  readonly #store: Store;
  readonly #clock: RelayedClock | undefined;
  readonly #calls = new Map<number, AbortController>();
  readonly #subscriptions = new Map<number, Subscription>();

  constructor(port: Port, store: Store, options: HostStoreOptions) {
    this.#port = port;
    this.#store = store;
    this.#clock = options.clock;
  }

  start(): void {
    if (this.#clock !== undefined)
      this.#clock.onTimer = (atMs) => this.#port.postMessage({ kind: "timer", atMs });
    this.#port.on("message", (request: Request) => this.#take(request));
    // Nobody can say which call it was, and one without an answer would wait for ever: all of them are told.
    this.#port.on("messageerror", () => this.#port.close());
    this.#port.on("close", () => void this.#close().catch(() => {}));
  }

  #take(request: Request): void {
    switch (request.kind) {
      case "call":
        if (request.time !== undefined) this.#clock?.set(request.time);
        this.#answer(request.id, () => this.#call(request));
        return;
      case "abort":
        this.#calls.get(request.id)?.abort();
        this.#subscriptions.get(request.id)?.stop.abort();
        return;
      case "subscribe":
        this.#subscribe(request.id, request.since);
        return;
      case "next":
        this.#answer(request.id, () => this.#next(request.of));
        return;
      case "unsubscribe":
        this.#unsubscribe(request.id);
        return;
      case "time":
        this.#clock?.set(request.time);
        return;
      case "dispose":
        void this.#dispose(request.id);
    }
  }

  /** Every request gets exactly one answer, also when the answer itself can't be sent. */
  #answer(id: number, run: () => Promise<unknown>): void {
    const send = async (): Promise<void> => {
      try {
        const value = await run();
        this.#port.postMessage({ kind: "value", id, value }, transferOf(value));
      } catch (error) {
        this.#port.postMessage({ kind: "error", id, error: packError(error) });
      }
    };
    void send();
  }

  async #call({ id, method, args, hasSignal }: Extract<Request, { kind: "call" }>): Promise<unknown> {
    const stop = new AbortController();
    if (hasSignal) this.#calls.set(id, stop);
    try {
      const run = this.#store[method] as (...given: unknown[]) => Promise<unknown>;
      const value = await run.apply(this.#store, hasSignal ? [...args, stop.signal] : [...args]);
      return method === "read" ? packPage(value as CellPage) : compactDeep(value);
    } finally {
      this.#calls.delete(id);
    }
  }

  #subscribe(id: number, since: number): void {
    const stop = new AbortController();
    const items = this.#store.changes(since, stop.signal)[Symbol.asyncIterator]();
    this.#subscriptions.set(id, { stop, items });
  }

  async #next(id: number): Promise<NextItem> {
    const { done, value } = (await this.#subscriptions.get(id)?.items.next()) ?? { done: true };
    if (!done) return { done: false, item: value };
    this.#subscriptions.delete(id);
    return { done: true };
  }

  #unsubscribe(id: number): void {
    const subscription = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    subscription?.stop.abort();
  }

  async #dispose(id: number): Promise<void> {
    try {
      await this.#close();
      this.#port.postMessage({ kind: "value", id, value: undefined });
    } catch (error) {
      this.#port.postMessage({ kind: "error", id, error: packError(error) });
    }
    this.#port.close();
  }

  /** Also when nobody is left at the other end, so that nothing goes on waiting for them. */
  async #close(): Promise<void> {
    for (const of of [...this.#subscriptions.keys()]) this.#unsubscribe(of);
    for (const stop of this.#calls.values()) stop.abort();
    await this.#store[Symbol.asyncDispose]();
  }
}

function transferOf(value: unknown): TransferListItem[] {
  const groups = (value as { groups?: unknown } | undefined)?.groups;
  return groups instanceof Uint8Array ? [groups.buffer as ArrayBuffer] : [];
}

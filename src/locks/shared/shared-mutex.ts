import { isMainThread, threadId, type Worker } from "node:worker_threads";
import { assertInvariant, type Clock, integerOption, OptionError, systemClock } from "../../base/index.js";
import { LockTimeoutError } from "../errors.js";
import { SharedHoldLostError, SharedQueueFullError } from "./errors.js";
import {
  accept,
  enter,
  entered,
  giveUp,
  leave,
  noPlace,
  repair,
  takeAbandoned,
  tryEnter,
} from "./queue-lock.js";
import { placeChange } from "./wait-place.js";
import { packPlace, placeOf, placeState, SharedMemory } from "./words.js";

export interface SharedMutexOptions {
  /** Appears in errors. @default "shared mutex" */
  readonly name?: string;
  /** Limit on each wait unless the call says another, in milliseconds (0..2,147,483,647). @default 30,000 */
  readonly waitMs?: number;
  /**
   * Places in the queue, 8 bytes each, rounded up to a power of two (4..65,536). One who gives up behind another who still waits keeps
   * a place until that one is served. @default 4,096
   */
  readonly waitersMax?: number;
  readonly clock?: Clock;
}

/** Goes to another thread in `workerData` or a message; `SharedMutex.attach` makes the same mutex of it there. */
export interface SharedMutexHandle {
  readonly name: string;
  readonly waitMs: number;
  readonly buffer: SharedArrayBuffer;
}

export interface SharedAcquireOptions {
  /** Ends the wait with its reason. A mutex that is granted in the same instant is yours: look at the signal again. */
  readonly signal?: AbortSignal;
  /** Limit on this wait, in milliseconds (0..2,147,483,647). @default the mutex's */
  readonly waitMs?: number;
  /** Answers `undefined` at the limit instead of throwing. */
  readonly onTimeout?: "undefined";
}

type AsQuestion = SharedAcquireOptions & { readonly onTimeout: "undefined" };

/** Longest delay of a timer in Node.js; more would fire at once. */
const waitMsMax = 2_147_483_647;
const waitMsDefault = 30_000;

/** Proof of holding a shared mutex. Belongs to the thread that acquired it. */
export class SharedHold implements Disposable {
  /** The holder before died with the mutex: what it guards may be half changed. True for the first holder after a death only. */
  readonly abandoned: boolean;
  readonly #memory: SharedMemory;
  readonly #name: string;
  #isReleased = false;

  /** For `SharedMutex`, which has just been granted to this thread. */
  constructor(memory: SharedMemory, name: string) {
    this.abandoned = takeAbandoned(memory);
    this.#memory = memory;
    this.#name = name;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** May be called again; only the first call has an effect. @throws SharedHoldLostError */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (!leave(this.#memory, threadId)) throw new SharedHoldLostError(this.#name);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * A mutex for the threads of one process.
 *
 * - First come, first served, over all threads and the tasks in them.
 * - A waiter that aborts or reaches its limit is stepped over; it strands nobody.
 * - A thread that dies as holder or waiter strands nobody either, if the thread that started it calls `watch`.
 * - Never blocks the main thread, and keeps the process alive while somebody waits.
 *
 * Uncontended it costs two compare-and-exchanges. It takes no part in the detection of deadlocks, and is not re-entrant.
 */
export class SharedMutex {
  readonly handle: SharedMutexHandle;
  readonly #memory: SharedMemory;
  readonly #clock: Clock;

  private constructor(handle: SharedMutexHandle, clock: Clock) {
    this.handle = handle;
    this.#memory = new SharedMemory(handle.buffer);
    this.#clock = clock;
  }

  static create(options: SharedMutexOptions = {}): SharedMutex {
    const waitMs = waitLimit(options.waitMs, waitMsDefault);
    const limits = { default: 4_096, min: 4, max: 65_536 };
    const waitersMax = integerOption("waitersMax", options.waitersMax, limits);
    const buffer = SharedMemory.bufferFor(2 ** Math.ceil(Math.log2(waitersMax)));
    const handle = { name: options.name ?? "shared mutex", waitMs, buffer };
    return new SharedMutex(handle, options.clock ?? systemClock);
  }

  /** The mutex of a handle, in this thread. @throws OptionError if it is no handle */
  static attach(handle: SharedMutexHandle, options: { readonly clock?: Clock } = {}): SharedMutex {
    const { name, waitMs, buffer } = (handle ?? {}) as Partial<SharedMutexHandle>;
    if (!SharedMemory.isBuffer(buffer) || typeof name !== "string") {
      throw new OptionError("handle", "Cannot attach to a shared mutex: expected the handle of one");
    }
    const known = { name, waitMs: waitLimit(waitMs, waitMsDefault), buffer };
    return new SharedMutex(known, options.clock ?? systemClock);
  }

  get name(): string {
    return this.handle.name;
  }

  acquire(options: AsQuestion): Promise<SharedHold | undefined>;
  acquire(options?: SharedAcquireOptions & { readonly onTimeout?: never }): Promise<SharedHold>;
  acquire(options?: SharedAcquireOptions): Promise<SharedHold | undefined>;
  /**
   * @throws LockTimeoutError at the limit, unless asked as a question
   * @throws SharedQueueFullError
   * @throws the signal's reason
   */
  acquire(options?: SharedAcquireOptions): Promise<SharedHold | undefined> {
    if (options === undefined && tryEnter(this.#memory, threadId)) return Promise.resolve(this.#hold());
    return this.#acquire(options ?? {});
  }

  async #acquire(options: SharedAcquireOptions): Promise<SharedHold | undefined> {
    const waitMs = waitLimit(options.waitMs, this.handle.waitMs);
    options.signal?.throwIfAborted();
    const position = this.#enter();
    const isGranted = position === entered || (await this.#wait(position, waitMs, options.signal));
    return isGranted ? this.#hold() : this.#timedOut(waitMs, options);
  }

  /**
   * Blocks the calling thread instead of returning a promise.
   * @throws OptionError on the main thread, which must never block
   * @throws LockTimeoutError at the limit, unless asked as a question
   * @throws SharedQueueFullError
   */
  acquireSync(options: AsQuestion): SharedHold | undefined;
  acquireSync(options?: Omit<SharedAcquireOptions, "signal" | "onTimeout">): SharedHold;
  acquireSync(options: Omit<SharedAcquireOptions, "signal"> = {}): SharedHold | undefined {
    if (isMainThread) {
      const message = `Cannot block the main thread to wait for ${this.name}: use acquire() there`;
      throw new OptionError("acquireSync", message);
    }
    const waitMs = waitLimit(options.waitMs, this.handle.waitMs);
    const position = this.#enter();
    const isGranted = position === entered || this.#waitSync(position, waitMs);
    return isGranted ? this.#hold() : this.#timedOut(waitMs, options);
  }

  /** The mutex if nobody holds it or waits for it. */
  tryAcquire(): SharedHold | undefined {
    return tryEnter(this.#memory, threadId) ? this.#hold() : undefined;
  }

  run<T>(body: (hold: SharedHold) => T | PromiseLike<T>): Promise<T>;
  run<T>(
    options: Omit<SharedAcquireOptions, "onTimeout">,
    body: (hold: SharedHold) => T | PromiseLike<T>,
  ): Promise<T>;
  /** Holds the mutex until what `body` returns has settled. The body does not run if the signal aborted meanwhile. */
  async run<T>(
    ...given:
      | [(hold: SharedHold) => T | PromiseLike<T>]
      | [Omit<SharedAcquireOptions, "onTimeout">, (hold: SharedHold) => T | PromiseLike<T>]
  ): Promise<T> {
    const [options, body] = given.length === 1 ? [undefined, given[0]] : given;
    const hold =
      options === undefined
        ? (this.tryAcquire() ?? (await this.acquire()))
        : await this.acquire(limitsOf(options));
    try {
      options?.signal?.throwIfAborted();
      return await body(hold);
    } finally {
      hold.release();
    }
  }

  /**
   * Sets things right when the worker's thread ends: what it held goes to the next with `abandoned`, its waiters are taken out. To be
   * called right after `new Worker(…)`, by the thread that did that; once per mutex that the worker gets.
   * @returns stops watching
   */
  watch(worker: Worker): () => void {
    const id = worker.threadId;
    if (id < 0)
      throw new OptionError("worker", `Cannot watch a thread for ${this.name}: it has ended already`);
    const onExit = (): void => repair(this.#memory, id);
    worker.once("exit", onExit);
    return () => worker.off("exit", onExit);
  }

  #enter(): number {
    const position = enter(this.#memory, threadId);
    if (position === noPlace) throw new SharedQueueFullError(this.name, this.#memory.placeCount);
    return position;
  }

  #hold(): SharedHold {
    return new SharedHold(this.#memory, this.handle.name);
  }

  #timedOut(waitMs: number, options: { readonly onTimeout?: "undefined" }): undefined {
    if (options.onTimeout === "undefined") return undefined;
    throw new LockTimeoutError(this.name, waitMs, []);
  }

  /** True once granted, false at the limit. */
  #wait(position: number, waitMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const { index, waiting } = this.#waiting(position);
      const finish = (settle: () => void): void => {
        stopTimer();
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      /** One of the two happens, decided by the place: it is given up, or granted and then ours. */
      const end = (settle: () => void): void => {
        if (giveUp(this.#memory, threadId, position)) {
          finish(settle);
          // Ends the wait below, which can't be cancelled.
          this.#memory.wake(index);
        } else {
          const isGranted = accept(this.#memory, threadId, position);
          assertInvariant(isGranted, "a position that can't be given up is granted");
          finish(() => resolve(true));
        }
      };
      const onAbort = (): void => end(() => reject(signal?.reason));
      // Also what keeps the process alive: waiting for a change in shared memory does not.
      const stopTimer = this.#clock.after(waitMs, () => end(() => resolve(false)));
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#onChange(position, waiting, () => finish(() => resolve(true)));
    });
  }

  /** Calls `granted` when the position is; never if it is over by then. */
  async #onChange(position: number, waiting: bigint, granted: () => void): Promise<void> {
    const { index } = placeOf(this.#memory, position);
    do {
      await placeChange(this.#memory.places, index, waiting);
      if (accept(this.#memory, threadId, position)) return granted();
    } while (this.#memory.loadPlace(index) === waiting);
  }

  #waitSync(position: number, waitMs: number): boolean {
    const { index, waiting } = this.#waiting(position);
    const endsAtMs = this.#clock.monotonicMs() + waitMs;
    while (!accept(this.#memory, threadId, position)) {
      const leftMs = endsAtMs - this.#clock.monotonicMs();
      if (leftMs <= 0 && giveUp(this.#memory, threadId, position)) return false;
      if (leftMs > 0) Atomics.wait(this.#memory.places, index, waiting, leftMs);
    }
    return true;
  }

  #waiting(position: number): { readonly index: number; readonly waiting: bigint } {
    const { index, round } = placeOf(this.#memory, position);
    return { index, waiting: packPlace(round, threadId, placeState.waiting) };
  }
}

function waitLimit(waitMs: number | undefined, otherwise: number): number {
  return integerOption("waitMs", waitMs, { default: otherwise, min: 0, max: waitMsMax });
}

function limitsOf({ signal, waitMs }: SharedAcquireOptions): Omit<SharedAcquireOptions, "onTimeout"> {
  return { ...(signal === undefined ? {} : { signal }), ...(waitMs === undefined ? {} : { waitMs }) };
}

import {
  type Clock,
  ignoreNotices,
  integerOption,
  messageOf,
  type NoticeSink,
  type PoundlockError,
  systemClock,
} from "../base/index.js";
import { PoolClosedError, ThreadFailedError, ThreadHungError } from "./errors.js";
import { Fifo } from "./fifo.js";
import { type PendingTask, Thread, type ThreadOptions } from "./thread.js";

const taskTimeoutLimits = { default: 30_000, min: 10, max: 600_000 } as const;
/** Starts that may fail in a row before waiting tasks are told; one alone may be a passing lack of memory. */
const startFailuresMax = 3;
/** Pause after the first failed start; twice as long after each further one, up to `startPauseMaxMs`. */
const startPauseMs = 50;
const startPauseMaxMs = 5_000;

export interface ThreadPoolOptions {
  /** Entry module; it calls `serveTasks`. */
  readonly entry: URL;
  /** Threads, 1..64. */
  readonly size: number;
  /** Given to each thread as `workerData`, also to a replacement. */
  readonly workerData?: unknown;
  /** A task that takes longer has its thread replaced, in milliseconds (10..600_000). @default 30_000 */
  readonly taskTimeoutMs?: number;
  /** Limits of each thread's heap, in MiB. */
  readonly resourceLimits?: {
    readonly maxOldGenerationSizeMb?: number;
    readonly maxYoungGenerationSizeMb?: number;
  };
  /** Start all threads now and not each when it is first needed. @default false */
  readonly prestart?: boolean;
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
}

/**
 * Threads that compute and keep nothing that matters.
 *
 * - A task runs on one thread; tasks beyond `size` wait in the order they came.
 * - A thread that dies rejects its task with `THREAD_DIED`, one that exceeds the limit with `THREAD_HUNG`; both are
 *   replaced, and other tasks are not touched. Whether to run the task again is the caller's decision.
 * - The limit counts from when the thread gets the task; neither waiting nor a thread's start is part of it.
 * - When a task is rejected, nothing of it runs any more; except in a thread that could not be ended within 5 s, because it
 *   is inside a system call that does not return.
 * - When threads can't be started, tasks are rejected with `THREAD_FAILED` after a few attempts, with pauses between them.
 * - What tasks print, to stdout or stderr, goes to the process' stderr.
 * - Threads without tasks do not keep the process alive.
 */
export class ThreadPool<Task, Result> implements AsyncDisposable {
  readonly #size: number;
  readonly #taskTimeoutMs: number;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #threadOptions: ThreadOptions<Task, Result>;
  readonly #threads = new Set<Thread<Task, Result>>();
  /** Newest last, and taken from there: its caches are warm. */
  readonly #idle: Thread<Task, Result>[] = [];
  readonly #waiting = new Fifo<PendingTask<Task, Result>>();
  #replaced = 0;
  /** In a row; threads that were started together count once. */
  #startFailures = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #cancelPause: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #onAllGone: (() => void) | undefined;

  constructor(options: ThreadPoolOptions) {
    this.#size = integerOption("size", options.size, { default: 1, min: 1, max: 64 });
    this.#clock = options.clock ?? systemClock;
    this.#notices = options.notices ?? ignoreNotices;
    this.#taskTimeoutMs = integerOption("taskTimeoutMs", options.taskTimeoutMs, taskTimeoutLimits);
    this.#threadOptions = {
      entry: options.entry,
      workerData: options.workerData,
      resourceLimits: options.resourceLimits ?? {},
      clock: this.#clock,
      onReady: () => {
        this.#startFailures = 0;
        this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
      },
      onIdle: (thread) => this.#onIdle(thread),
    };
    if (options.prestart === true) for (let i = 0; i < this.#size; i += 1) this.#start();
  }

  /** Threads that the pool may have; fewer run as long as fewer are needed. */
  get size(): number {
    return this.#size;
  }

  /** Threads so far that died or hung and were given up for another. */
  get replaced(): number {
    return this.#replaced;
  }

  /**
   * `transfer` is moved to the thread, and of no use here afterwards; `timeoutMs` replaces the pool's limit for this task.
   * @throws ThreadDiedError, ThreadHungError, ThreadFailedError, RemoteError (what the task threw), PoolClosedError
   */
  run(
    task: Task,
    transfer: readonly ArrayBuffer[] = [],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Result> {
    const timeoutMs = integerOption("timeoutMs", options.timeoutMs, {
      ...taskTimeoutLimits,
      default: this.#taskTimeoutMs,
    });
    if (this.#closing !== undefined) return Promise.reject(new PoolClosedError());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, transfer, timeoutMs, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends every thread now; running and waiting tasks reject with `THREADS_CLOSED`. Resolves when all have exited. */
  close(): Promise<void> {
    this.#closing ??= this.#endAll();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #endAll(): Promise<void> {
    this.#rejectWaiting(() => new PoolClosedError());
    for (const thread of this.#threads) thread.stop(new PoolClosedError());
    if (this.#threads.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onAllGone = resolve;
    });
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle.pop();
      if (thread === undefined) {
        this.#startNeeded();
        return;
      }
      if (!thread.isIdle) continue;
      thread.run(this.#waiting.shift()!);
      if (thread.isIdle) this.#idle.push(thread);
    }
  }

  #startNeeded(): void {
    if (this.#waiting.length === 0) return;
    const pauseMs = this.#pausedUntilMs - this.#clock.monotonicMs();
    if (pauseMs > 0) {
      this.#cancelPause ??= this.#clock.after(pauseMs, () => {
        this.#cancelPause = undefined;
        this.#dispatch();
      });
      return;
    }
    // After a failure one thread at a time, which finds out as well as many.
    const startingMax = this.#startFailures === 0 ? this.#waiting.length : 1;
    let starting = 0;
    for (const thread of this.#threads) if (thread.isStarting) starting += 1;
    for (; starting < startingMax && this.#threads.size < this.#size; starting += 1) {
      if (this.#start()) continue;
      // Now there is a pause to wait for.
      this.#startNeeded();
      return;
    }
  }

  #start(): boolean {
    const failuresBefore = this.#startFailures;
    try {
      const thread: Thread<Task, Result> = new Thread(this.#threadOptions, (cause) => {
        this.#onGone(thread, failuresBefore, cause);
      });
      this.#threads.add(thread);
      return true;
    } catch (error) {
      this.#onStartFailed(failuresBefore, error);
      return false;
    }
  }

  #onIdle(thread: Thread<Task, Result>): void {
    this.#idle.push(thread);
    this.#dispatch();
    if (thread.isIdle) thread.rest();
  }

  #onGone(thread: Thread<Task, Result>, failuresBefore: number, cause: unknown): void {
    this.#threads.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#closing !== undefined) {
      if (this.#threads.size === 0) this.#onAllGone?.();
      return;
    }
    if (thread.hasServed) {
      this.#replaced += 1;
      const name = cause instanceof ThreadHungError ? "threads.hung" : "threads.died";
      this.#notices({ name, level: "warn", message: messageOf(cause) });
    } else {
      this.#onStartFailed(failuresBefore, cause);
    }
    this.#dispatch();
  }

  #onStartFailed(failuresBefore: number, cause: unknown): void {
    if (failuresBefore >= this.#startFailures) {
      const pauseMs = Math.min(startPauseMaxMs, startPauseMs * 2 ** this.#startFailures);
      this.#pausedUntilMs = this.#clock.monotonicMs() + pauseMs;
      this.#startFailures += 1;
    }
    const failures = this.#startFailures;
    const error = new ThreadFailedError(this.#threadOptions.entry, failures, cause);
    this.#notices({
      name: "threads.start-failed",
      level: "error",
      message: error.message,
      data: { failures },
    });
    const isServed = [...this.#threads].some((thread) => thread.hasServed);
    if (failures < startFailuresMax || isServed) return;
    this.#rejectWaiting(() => new ThreadFailedError(this.#threadOptions.entry, failures, cause));
  }

  #rejectWaiting(makeError: () => PoundlockError): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift())
      task.reject(makeError());
  }
}

import type { Clock, NoticeSink } from "../base/index.js";

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
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
}

/**
 * Threads that compute and keep nothing that matters.
 *
 * - A task runs on one thread; tasks beyond `size` wait in the order they came.
 * - A thread that dies rejects its task with `THREAD_DIED`, one that exceeds the limit with `THREAD_HUNG`; both are
 *   replaced, and other tasks are not touched. Whether to run the task again is the caller's decision.
 */
export class ThreadPool<Task, Result> implements AsyncDisposable {
  constructor(_options: ThreadPoolOptions) {
    throw new Error("in work");
  }

  get size(): number {
    throw new Error("in work");
  }

  get replaced(): number {
    throw new Error("in work");
  }

  /** @throws ThreadDiedError, ThreadHungError, RemoteError (what the task threw), PoolClosedError */
  /** `timeoutMs` replaces the pool's limit for this task. */
  run(
    _task: Task,
    _transfer?: readonly ArrayBuffer[],
    _options?: { readonly timeoutMs?: number },
  ): Promise<Result> {
    throw new Error("in work");
  }

  /** Ends every thread now; running and waiting tasks reject with `THREADS_CLOSED`. Resolves when all have exited. */
  close(): Promise<void> {
    throw new Error("in work");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

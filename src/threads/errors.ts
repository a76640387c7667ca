import { codeOf, messageOf, PoundlockError } from "../base/index.js";

/** The thread ended while it had the task: `process.exit`, an uncaught error, or its memory limit. */
export class ThreadDiedError extends PoundlockError {
  readonly code = "THREAD_DIED";
  override readonly retryable = true;
  /** Whether the thread had taken up the task; if not, the task can't be the reason. */
  readonly hasBegun: boolean;
  /** What the thread's end is known by, e.g. `ERR_WORKER_OUT_OF_MEMORY`; undefined when it just exited. */
  readonly reason: string | undefined;

  constructor(end: { readonly hasBegun: boolean; readonly how: string; readonly cause?: unknown }) {
    const when = end.hasBegun ? "during" : "before";
    super(`Cannot finish task: its thread died ${when} it (${end.how})`, { cause: end.cause });
    this.hasBegun = end.hasBegun;
    this.reason = end.cause === undefined ? undefined : codeOf(end.cause);
  }
}

/** The task took longer than it may, so its thread was ended. */
export class ThreadHungError extends PoundlockError {
  readonly code = "THREAD_HUNG";
  override readonly retryable = true;
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`Cannot finish task: its thread gave no answer within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** No thread could be started, several times in a row, and none is alive. */
export class ThreadFailedError extends PoundlockError {
  readonly code = "THREAD_FAILED";
  readonly attempts: number;

  constructor(entry: URL, attempts: number, cause: unknown) {
    super(
      `Cannot start a thread of ${entry.href}: ${attempts} attempts failed, the last with: ${messageOf(cause)}`,
      {
        cause,
      },
    );
    this.attempts = attempts;
  }
}

/** The pool was closed before the task had its answer. */
export class PoolClosedError extends PoundlockError {
  readonly code = "THREADS_CLOSED";

  constructor() {
    super("Cannot run task: the pool of threads is closed");
  }
}

/** A thread came to its end before it served; the cause of a start that failed. */
export class ThreadStartError extends PoundlockError {
  readonly code = "THREAD_START";

  constructor(how: string) {
    super(`Cannot serve tasks in a thread: ${how}`);
  }
}

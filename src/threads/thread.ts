import { Worker } from "node:worker_threads";
import { type Clock, messageOf, type PoundlockError, packError, unpackError } from "../base/index.js";
import { ThreadDiedError, ThreadHungError, ThreadStartError } from "./errors.js";
import { type Answer, ready } from "./protocol.js";

/** A thread that has not served after so long never will; loading takes some 100 ms, on a busy machine seconds. */
const startTimeoutMs = 30_000;
/** Ending a thread takes milliseconds, unless it is inside a system call that does not return. */
const exitTimeoutMs = 5_000;

export interface PendingTask<Task, Result> {
  readonly task: Task;
  readonly transfer: readonly ArrayBuffer[];
  readonly timeoutMs: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface ThreadOptions<Task, Result> {
  readonly entry: URL;
  readonly workerData: unknown;
  readonly resourceLimits: {
    readonly maxOldGenerationSizeMb?: number;
    readonly maxYoungGenerationSizeMb?: number;
  };
  readonly clock: Clock;
  readonly onReady: () => void;
  /** The thread can take a task: it has become ready, or answered. */
  readonly onIdle: (thread: Thread<Task, Result>) => void;
}

/**
 * One thread and the task it has.
 *
 *     starting ──ready──► idle ──run──► busy ──answer──► idle
 *         │                 │             │
 *         └────── too long, error, exit, stop ──────► leaving ──exit──► gone
 *
 * A task that gets no answer is rejected when the thread is gone and not earlier: then nothing of it runs any more, and
 * what it was using (a file's descriptor) may be given to others.
 */
export class Thread<Task, Result> {
  readonly #options: ThreadOptions<Task, Result>;
  readonly #reportGone: (cause: unknown) => void;
  readonly #worker: Worker;
  readonly #begun = new Int32Array(new SharedArrayBuffer(4));
  #assigned = 0;
  #state: "starting" | "idle" | "busy" | "leaving" | "gone" = "starting";
  #hasServed = false;
  #pending: PendingTask<Task, Result> | undefined;
  #verdict: PoundlockError | undefined;
  #uncaught: unknown;
  #cancelLimit: () => void;

  /** `onGone` is called once, when the thread has exited, with the reason. */
  constructor(options: ThreadOptions<Task, Result>, onGone: (cause: unknown) => void) {
    this.#options = options;
    this.#reportGone = onGone;
    const { workerData, resourceLimits } = options;
    // Not with `stdout` and `stderr` to read from here: reading them keeps the process alive.
    const worker = new Worker(options.entry, { workerData, resourceLimits, ...flags() });
    this.#worker = worker;
    worker.postMessage(this.#begun);
    worker.on("message", (message: unknown) => this.#onMessage(message));
    worker.on("messageerror", (error) => this.#onMessage({ error: packError(error) }));
    worker.on("error", (error) => {
      this.#uncaught = error;
      this.#state = "leaving";
    });
    worker.on("exit", (code) => this.#onGone(`exit code ${code}`));
    this.#cancelLimit = options.clock.after(startTimeoutMs, () =>
      this.stop(new ThreadStartError(`not ready after ${startTimeoutMs} ms`)),
    );
  }

  get isStarting(): boolean {
    return this.#state === "starting";
  }

  get isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Whether it ever was ready for tasks. */
  get hasServed(): boolean {
    return this.#hasServed;
  }

  /** Only while idle. A task that can't be sent is rejected at once, and the thread stays idle. */
  run(pending: PendingTask<Task, Result>): void {
    try {
      this.#worker.postMessage(pending.task, pending.transfer);
    } catch (error) {
      pending.reject(error);
      return;
    }
    this.#assigned += 1;
    this.#pending = pending;
    this.#state = "busy";
    this.#worker.ref();
    this.#cancelLimit = this.#options.clock.after(pending.timeoutMs, () => this.#expire(pending));
  }

  /** Lets the process end while the thread has nothing to do. */
  rest(): void {
    this.#worker.unref();
  }

  /** Ends the thread; its task is rejected with `verdict` once it is gone. */
  stop(verdict: PoundlockError): void {
    if (this.#verdict !== undefined || this.#state === "gone") return;
    this.#verdict = verdict;
    this.#state = "leaving";
    this.#cancelLimit();
    this.#cancelLimit = this.#options.clock.after(exitTimeoutMs, () => {
      this.#worker.unref();
      this.#onGone(`did not end within ${exitTimeoutMs} ms`);
    });
    // Its promise only repeats the exit event.
    void this.#worker.terminate();
  }

  #onMessage(message: unknown): void {
    if (this.#state === "starting" && message === ready) {
      this.#hasServed = true;
      this.#options.onReady();
      this.#becomeIdle();
    } else if (this.#state === "busy") {
      this.#settle(message as Answer<Result>);
    }
  }

  #settle(answer: Answer<Result>): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if ("error" in answer) pending?.reject(unpackError(answer.error));
    else pending?.resolve(answer.result);
    this.#becomeIdle();
  }

  #becomeIdle(): void {
    this.#cancelLimit();
    this.#state = "idle";
    this.#options.onIdle(this);
  }

  #expire(pending: PendingTask<Task, Result>): void {
    // An answer that came while main was busy waits in the port; it is delivered before an immediate runs.
    setImmediate(() => {
      if (this.#pending !== pending) return;
      const { timeoutMs } = pending;
      const how = `it did not take up the task within ${timeoutMs} ms`;
      this.stop(
        this.#hasBegun ? new ThreadHungError(timeoutMs) : new ThreadDiedError({ hasBegun: false, how }),
      );
    });
  }

  /** Ordered after the task's message: the thread counts the task before it runs anything of it. */
  get #hasBegun(): boolean {
    return Atomics.load(this.#begun, 0) === this.#assigned;
  }

  #onGone(how: string): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#cancelLimit();
    const cause = this.#verdict ?? this.#causeOfExit(how);
    this.#pending?.reject(cause);
    this.#pending = undefined;
    this.#reportGone(cause);
  }

  #causeOfExit(how: string): unknown {
    const cause = this.#uncaught;
    if (!this.#hasServed) return cause ?? new ThreadStartError(`${how} before it served`);
    const text = cause === undefined ? how : messageOf(cause);
    return new ThreadDiedError({ hasBegun: this.#hasBegun, how: text, cause });
  }
}

/** Node's flags of this process, as by default; but with `--input-type` a thread would refuse to load any file. */
function flags(): { execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {};
}

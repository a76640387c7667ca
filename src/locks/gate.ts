import { OptionError } from "../base/index.js";
import { LockTimeoutError } from "./errors.js";
import { HoldRecord, recordOf } from "./hold.js";
import type { Mode } from "./kinds.js";
import type { LockCore } from "./lock-core.js";
import type { HeldPart, Hold, WaitOptions, Wanted } from "./parts.js";
import { assertWaitMs } from "./wait-options.js";

export interface RunOptions extends WaitOptions {
  /** Permits of a semaphore, 1 up to all of them. @default 1 */
  readonly weight?: number;
}

export interface AcquireOptions extends RunOptions {
  /** What the wait's end answers. @default "throw" */
  readonly onTimeout?: "throw" | "undefined";
}

type ThrowingOptions = AcquireOptions & { readonly onTimeout?: "throw" };

/** One way into a lock: a mutex, a semaphore, or one side of a read-write lock. */
export class Gate {
  readonly core: LockCore;
  readonly #mode: Mode;
  readonly #weight: number;
  /** What calls without options want, one for all of them. */
  #wantsRun: Wanted | undefined;
  #wantsHold: Wanted | undefined;

  /** @internal */
  constructor(core: LockCore, mode: Mode, weight: number) {
    this.core = core;
    this.#mode = mode;
    this.#weight = weight;
  }

  get name(): string {
    return this.core.label;
  }

  /** Whether somebody holds it, in whatever way. */
  get isLocked(): boolean {
    return this.core.used > 0;
  }

  /** How many stand in line. */
  get waiting(): number {
    return this.core.queue.size;
  }

  /**
   * Runs the body while holding the lock, and releases it whatever the body does. What the body calls is known to hold the lock, also
   * after any `await`, so that the detector sees nesting exactly.
   *
   * @throws OptionError, LockTimeoutError (LOCK_TIMEOUT), the signal's reason, and what the detector found: SelfDeadlockError (LOCK_SELF_DEADLOCK),
   *   LockLevelError (LOCK_LEVEL), LockOrderError (LOCK_ORDER), LockDeadlockError (LOCK_DEADLOCK). The body has not begun then.
   */
  run<T>(body: (hold: Hold) => T | PromiseLike<T>): Promise<T>;
  run<T>(options: RunOptions, body: (hold: Hold) => T | PromiseLike<T>): Promise<T>;
  run<T>(
    first: RunOptions | ((hold: Hold) => T | PromiseLike<T>),
    second?: (hold: Hold) => T | PromiseLike<T>,
  ): Promise<T> {
    const body = typeof first === "function" ? first : second;
    if (body === undefined) return Promise.reject(noBody(this.name));
    const options = typeof first === "function" ? undefined : first;
    let got: HoldRecord | Promise<Hold>;
    try {
      const wanted =
        options === undefined
          ? (this.#wantsRun ??= this.#wanted(undefined, this.run, false))
          : this.#wanted(options, this.run, false);
      got = this.core.acquire(wanted);
    } catch (error) {
      return Promise.reject(error);
    }
    if (got instanceof HoldRecord) return this.#hold(got, options, body);
    return this.#holdLater(got, options, body);
  }

  async #holdLater<T>(
    waiting: Promise<Hold>,
    options: RunOptions | undefined,
    body: (hold: Hold) => T | PromiseLike<T>,
  ): Promise<T> {
    const hold = recordOf(await waiting);
    try {
      const result = this.#begin(hold, options, body);
      return isThenable(result) ? await result : result;
    } finally {
      endOnce(hold);
    }
  }

  #hold<T>(
    hold: HeldPart,
    options: RunOptions | undefined,
    body: (hold: Hold) => T | PromiseLike<T>,
  ): Promise<T> {
    let result: T | PromiseLike<T>;
    try {
      result = this.#begin(hold, options, body);
      if (isThenable(result)) return endAfter(hold, result);
    } catch (error) {
      endOnce(hold);
      return Promise.reject(error);
    }
    endOnce(hold);
    return Promise.resolve(result);
  }

  #begin<T>(
    hold: HeldPart,
    options: RunOptions | undefined,
    body: (hold: Hold) => T | PromiseLike<T>,
  ): T | PromiseLike<T> {
    const { domain, lockClass } = this.core;
    options?.signal?.throwIfAborted();
    if (!lockClass.checksLevels) return body(hold);
    return domain.frames.run(domain.frameWith(hold, hold.outer, this.run), body, hold);
  }

  /**
   * Acquires, for `using hold = await lock.acquire()`. Who goes on to hold it can't be known from the call: pass the hold on as `holding`
   * to what is acquired below it, or use `run`; otherwise the detector doesn't know of it, and only the limit of the wait is left.
   *
   * @throws as `run`; with `onTimeout: "undefined"` a wait that is over answers undefined
   */
  acquire(options?: ThrowingOptions): Promise<Hold>;
  acquire(options?: AcquireOptions): Promise<Hold | undefined>;
  acquire(options?: AcquireOptions): Promise<Hold | undefined> {
    const { core } = this;
    try {
      const wanted =
        options === undefined
          ? (this.#wantsHold ??= this.#wanted(undefined, this.acquire, true))
          : this.#wanted(options, this.acquire, true);
      const got = core.acquire(wanted);
      if (got instanceof HoldRecord) return Promise.resolve(core.domain.guard(got));
      return options?.onTimeout === "undefined" ? got.catch(undefinedOnTimeout) : got;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Acquires now or not at all. Never waits, so never deadlocks, and neither level nor order of acquisition is judged. */
  tryAcquire(options?: Pick<RunOptions, "weight" | "holding">): Hold | undefined {
    const { core } = this;
    const hold = core.tryAcquire(this.#wanted(options, this.tryAcquire, true));
    return hold === undefined ? undefined : core.domain.guard(hold);
  }

  #wanted(options: RunOptions | undefined, below: Wanted["below"], wantsGuard: boolean): Wanted {
    const weight = options === undefined ? this.#weight : this.#weightOf(options);
    return { mode: this.#mode, weight, options, below, wantsGuard, upgradeOf: undefined };
  }

  /** @throws OptionError where the options would break the lock: fewer permits than none, or a wait for more than there are */
  #weightOf(options: RunOptions): number {
    assertWaitMs(options);
    const { weight } = options;
    if (weight === undefined) return this.#weight;
    const { kind, permits } = this.core.lockClass;
    if (Number.isInteger(weight) && weight >= 1 && weight <= permits)
      return kind === "semaphore" ? weight : this.#weight;
    throw new OptionError("weight", `Cannot use weight = ${weight}: ${this.name} has 1..${permits} permits`);
  }
}

/** Found before anything is acquired, for callers without types. */
export function noBody(name: string): OptionError {
  return new OptionError("body", `Cannot run below ${name}: there is no function to run`);
}

function undefinedOnTimeout(error: unknown): undefined {
  if (error instanceof LockTimeoutError) return undefined;
  throw error;
}

async function endAfter<T>(hold: HeldPart, result: PromiseLike<T>): Promise<T> {
  try {
    return await result;
  } finally {
    endOnce(hold);
  }
}

/** The body may have released it already, as a condition's wait that was refused does. */
function endOnce(hold: HeldPart): void {
  if (!hold.isReleased) hold.core.end(hold);
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if (typeof value !== "object" || value === null) return false;
  return typeof (value as { then?: unknown }).then === "function";
}

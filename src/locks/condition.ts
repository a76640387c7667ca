import { HoldError } from "./errors.js";
import { recordOf } from "./hold.js";
import type { LockCore } from "./lock-core.js";
import type { Hold } from "./parts.js";

export interface ConditionWait {
  readonly signal?: AbortSignal;
}

/**
 * Waiting, while holding a mutex, for something that another holder of it brings about. A wake-up says that it may have happened:
 *
 *     while (queue.length === 0) await notEmpty.wait(hold);
 */
export class Condition {
  readonly #core: LockCore;
  #sleepers: (() => void)[] = [];

  /** @internal */
  constructor(core: LockCore) {
    this.#core = core;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#sleepers.length;
  }

  /**
   * Lets go of the mutex, waits for a notification, and holds the mutex again, also when it throws; only not after LOCK_DEADLOCK. Taking it
   * again while other locks are held is an acquisition like any other, so its order is checked, before it lets go.
   *
   * @throws the signal's reason; HoldError (LOCK_HOLD) for a hold of another lock; LockOrderError; LockDeadlockError
   */
  async wait(hold: Hold, options: ConditionWait = {}): Promise<void> {
    const record = recordOf(hold);
    if (record.core !== this.#core || record.isReleased)
      throw new HoldError(
        `Cannot wait for a condition of ${this.#core.label}: its lock is not held by this hold`,
      );
    const { signal } = options;
    signal?.throwIfAborted();
    this.#core.suspend(record, this.wait);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => this.#give(wake);
      this.#sleepers.push(wake);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    await this.#core.resume(record, this.wait);
    signal?.throwIfAborted();
  }

  /** Wakes the one that has waited longest. */
  notify(): void {
    const first = this.#sleepers[0];
    if (first !== undefined) this.#give(first);
  }

  notifyAll(): void {
    for (const sleeper of [...this.#sleepers]) this.#give(sleeper);
  }

  #give(sleeper: () => void): void {
    const at = this.#sleepers.indexOf(sleeper);
    if (at === -1) return;
    this.#sleepers.splice(at, 1);
    sleeper();
  }
}

import { HoldError } from "./errors.js";
import { Gate } from "./gate.js";
import { recordOf } from "./hold.js";
import type { LockCore } from "./lock-core.js";
import type { Hold, WaitOptions } from "./parts.js";
import { assertWaitMs } from "./wait-options.js";

/** More readers than there will ever be; a writer takes them all. */
export const readersMax: number = 2 ** 30;

/** Many readers or one writer. Phase-fair unless made with `prefer: "readers"`. */
export class ReadWriteLock {
  /** For any number at a time. */
  readonly read: Gate;
  /** For one at a time, with no readers. */
  readonly write: Gate;
  readonly #core: LockCore;

  /** @internal */
  constructor(core: LockCore) {
    this.#core = core;
    this.read = new Gate(core, "shared", 1);
    this.write = new Gate(core, "exclusive", readersMax);
  }

  get name(): string {
    return this.#core.label;
  }

  get isLocked(): boolean {
    return this.#core.used > 0;
  }

  get waiting(): number {
    return this.#core.queue.size;
  }

  /**
   * Turns a reader's hold into the writer's, as soon as no other reader is left; nobody writes in between. Of two readers that both ask, one
   * gets LOCK_DEADLOCK, since each would wait for the other.
   *
   * @throws OptionError, LockTimeoutError, LockDeadlockError, HoldError (LOCK_HOLD) for a hold that is not a reader's of this lock. It stays a reader then.
   */
  async upgrade(hold: Hold, options?: WaitOptions): Promise<void> {
    if (options !== undefined) assertWaitMs(options);
    const record = recordOf(hold);
    if (record.core !== this.#core || record.isReleased)
      throw new HoldError(
        `Cannot upgrade the hold of ${record.lock}: it is no hold of ${this.name}, or released`,
      );
    if (record.mode === "exclusive") return;
    await this.#core.upgrade(record, options, this.upgrade);
  }
}

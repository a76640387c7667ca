import type { LockCore } from "./lock-core.js";
import type { WaitOptions } from "./parts.js";
import { readersMax } from "./read-write-lock.js";
import { Site } from "./site.js";
import { assertWaitMs } from "./wait-options.js";

/**
 * Closed until somebody opens it, then open for ever. Part of the wait-for graph and not of the order of acquisition: whoever waits for it
 * waits for what runs in `openAfter`.
 */
export class Latch {
  readonly #core: LockCore;
  readonly #open: () => void;

  /** @internal */
  constructor(core: LockCore) {
    this.#core = core;
    const closed = core.take("exclusive", readersMax);
    this.#open = () => closed.release();
  }

  get isOpen(): boolean {
    return !this.#core.isHeldExclusively;
  }

  /** May be called twice. */
  open(): void {
    if (!this.isOpen) this.#open();
  }

  /** Opens it when the body has ended, however it ends. A wait for the latch inside the body is a deadlock and says so. */
  async openAfter<T>(body: () => T | PromiseLike<T>): Promise<T> {
    const { domain, firstHold } = this.#core;
    try {
      if (firstHold === undefined || !this.#core.lockClass.checksLevels) return await body();
      const outer = domain.frames.current();
      firstHold.site ??= new Site(this.openAfter);
      return await domain.frames.run(domain.frame(outer, { hold: firstHold }), body, undefined);
    } finally {
      this.open();
    }
  }

  /** @throws OptionError, LockTimeoutError, the signal's reason, LockDeadlockError, SelfDeadlockError (inside the body of `openAfter`) */
  async wait(options?: WaitOptions): Promise<void> {
    if (options !== undefined) assertWaitMs(options);
    if (this.isOpen) return;
    const hold = await this.#core.acquire({ mode: "shared", weight: 1, options, below: this.wait });
    hold.release();
  }
}

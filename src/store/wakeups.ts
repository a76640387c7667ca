import type { Clock } from "../base/index.js";

interface Wait {
  /** The count before the caller looked: a wake since then ends the wait at once. */
  readonly seen: number;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** News without content: waiters look again for themselves. */
export class Wakeups {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  wake(): void {
    this.#count += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at a wake, at an abort, or after `waitMs`. */
  wait({ seen, waitMs, clock, signal }: Wait): Promise<void> {
    if (seen !== this.#count || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        cancel();
        resolve();
      };
      const cancel = clock.after(waitMs, done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

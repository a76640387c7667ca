/** Where every module gets the time; injected, so that tests own it. */
export interface Clock {
  /** Wall time in milliseconds since 1970-01-01 UTC. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. For limits and durations. */
  monotonicMs(): number;
  /**
   * Calls `run` once after `delayMs`; the returned function cancels it and may be called twice.
   * @param keepsAlive whether the process waits for it @default true
   */
  after(delayMs: number, run: () => void, keepsAlive?: boolean): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run, keepsAlive = true) {
    const timer = setTimeout(run, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * What to add to `systemClock.monotonicMs()` in this thread so that the sum is comparable between the threads of a process, in
 * milliseconds. Each thread's own clock starts up to milliseconds apart from what its origin says; this is right to microseconds.
 */
export function monotonicOriginMs(): number {
  let origin = 0;
  let narrowest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const before = process.hrtime.bigint();
    const own = performance.now();
    const after = process.hrtime.bigint();
    const width = Number(after - before);
    if (width >= narrowest) continue;
    narrowest = width;
    origin = Number((before + after) / 2n) / 1e6 - own;
  }
  return origin;
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A clock that stands still until told to move; timers run inside `advance`, in order of their time. */
export class ManualClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves both clocks forward and runs what became due, oldest first. */
  advance(byMs: number): void {
    const targetMs = this.#elapsedMs + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= targetMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#step(due.atMs - this.#elapsedMs);
      due.run();
    }
    this.#step(targetMs - this.#elapsedMs);
  }

  /** Sets the wall clock alone, as an administrator would; the monotonic one does not move. */
  setWall(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #step(byMs: number): void {
    if (byMs <= 0) return;
    this.#elapsedMs += byMs;
    this.#nowMs += byMs;
  }
}

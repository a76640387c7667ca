import type { Clock } from "../base/index.js";

/** Span that the rate is taken over, in seconds: long enough to be calm, short enough to show a stop at once. */
const spanS = 5;

/** How fast a counter rises, from one reading a second. */
export class RateMeter {
  readonly #clock: Clock;
  readonly #read: () => number;
  #readings: { readonly atMs: number; readonly value: number }[];
  #cancel = (): void => {};

  constructor(clock: Clock, read: () => number) {
    this.#clock = clock;
    this.#read = read;
    this.#readings = [];
    this.#tick();
  }

  /** Per second, over the last 5 s or since the start. */
  perSecond(): number {
    const first = this.#readings[0];
    if (first === undefined) return 0;
    const elapsedMs = this.#clock.monotonicMs() - first.atMs;
    return elapsedMs <= 0 ? 0 : ((this.#read() - first.value) * 1000) / elapsedMs;
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    this.#readings.push({
      atMs: this.#clock.monotonicMs(),
      value: this.#readings.length === 0 ? 0 : this.#read(),
    });
    if (this.#readings.length > spanS) this.#readings.shift();
    this.#cancel = this.#clock.after(1000, () => this.#tick());
  }
}

/** Mean and standard deviation of recent values, in which an old one counts half as much after each half-life. */
export class DecayedMean {
  readonly #halfLifeMs: number;
  #weight = 0;
  #mean = 0;
  #variance = 0;
  #newestMs = 0;

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** 0 when nothing is known, as `deviation`. */
  get mean(): number {
    return this.#mean;
  }

  get deviation(): number {
    return Math.sqrt(this.#variance);
  }

  add(value: number, nowMs: number): void {
    if (this.#weight > 0) this.#weight *= 2 ** (-Math.max(0, nowMs - this.#newestMs) / this.#halfLifeMs);
    this.#newestMs = nowMs;
    this.#weight += 1;
    // West 1979, "Updating mean and variance estimates".
    const share = 1 / this.#weight;
    const off = value - this.#mean;
    this.#mean += share * off;
    this.#variance = (1 - share) * (this.#variance + share * off * off);
  }
}

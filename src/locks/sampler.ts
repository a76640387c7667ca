/** How many are taken at each distance before the next larger one: enough for a first picture of a lock that is seldom used. */
const takenPerStep = 8;

/**
 * Picks the first few of everything, and then ever fewer, down to one in `every` on average. At random distances: at fixed ones a program
 * that does things in a rhythm would have the same one picked every time.
 */
export class Sampler {
  readonly #every: number;
  #taken = 0;
  #left = 1;
  /** State of a xorshift generator (Marsaglia 2003): never 0. */
  #random = 0x9e3779b9 | 0;

  /** @param every a whole number from 1 */
  constructor(every: number) {
    this.#every = every;
  }

  /** Asked once for each: whether it is one to take. The first one always is. */
  take(): boolean {
    this.#left -= 1;
    if (this.#left > 0) return false;
    this.#taken += 1;
    this.#left = this.#distance();
    return true;
  }

  /** 1..2n - 1, each as likely, so n on average. */
  #distance(): number {
    const mean = Math.min(this.#every, Math.ceil(this.#taken / takenPerStep));
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return 1 + ((x >>> 0) % (2 * mean - 1));
  }
}

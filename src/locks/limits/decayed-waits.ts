/** Two arrays of 512 bytes. */
const bucketCount = 64;
/** The weight of a new wait is kept for this part of a half-life: 0.07 % off, and half of what adding takes. */
const weightKeptFor = 1 / 1024;
/** Weights are scaled down before new ones could leave the doubles. */
const weightMax = 2 ** 200;

/**
 * Distribution of recent waits, those included that were given up: buckets of equal ratio, in which a wait counts half as much after
 * each half-life.
 *
 *     bucket     0          1          …     62         63
 *     upper      low      low·r        …   low·r^62    high
 *
 * - Weights are not decayed one by one: a new wait enters with a weight that doubles each half-life, which comes to the same once all
 *   are divided by the weight of now (Cormode et al. 2009, "Forward decay").
 * - A wait that was given up after t would have taken t or longer. Counting it as t would pull the quantiles down to whatever limit
 *   is in force, so it counts as such (Kaplan, Meier 1958): its weight goes to the waits that did take longer.
 */
export class DecayedWaits {
  readonly #ended = new Float64Array(bucketCount);
  readonly #givenUp = new Float64Array(bucketCount);
  readonly #lowMs: number;
  readonly #highMs: number;
  readonly #ratioLog: number;
  readonly #halfLifeMs: number;
  #total = 0;
  /** When a new wait weighs 1. */
  #unitAtMs = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #weight = 1;
  #weightUntilMs = Number.NEGATIVE_INFINITY;

  /** Waits up to `lowMs` count as that, waits from `highMs` as that. */
  constructor(bounds: { readonly lowMs: number; readonly highMs: number; readonly halfLifeMs: number }) {
    this.#lowMs = bounds.lowMs;
    this.#highMs = bounds.highMs;
    this.#halfLifeMs = bounds.halfLifeMs;
    this.#ratioLog = Math.log(bounds.highMs / bounds.lowMs) / (bucketCount - 1);
  }

  /** Ratio of a bucket's bounds: a quantile is off by less. */
  get bucketRatio(): number {
    return Math.exp(this.#ratioLog);
  }

  addEnded(waitedMs: number, nowMs: number): void {
    this.#add(this.#ended, waitedMs, nowMs);
  }

  addGivenUp(waitedMs: number, nowMs: number): void {
    this.#add(this.#givenUp, waitedMs, nowMs);
  }

  /** How many waits of now those kept are worth. */
  samples(nowMs: number): number {
    return this.#total === 0 ? 0 : this.#total / this.#weightAt(Math.max(this.#newestMs, nowMs));
  }

  /**
   * The time in which a share `q` of waits ends, inside the bounds; NaN when nothing is known. When so many were given up that it lies
   * beyond the longest one known, twice that.
   */
  quantile(q: number): number {
    let atRisk = this.#total;
    let last = -1;
    let stillWaiting = 1;
    for (let i = 0; i < bucketCount && atRisk > 0; i += 1) {
      const ended = this.#ended[i]!;
      const left = ended + this.#givenUp[i]!;
      if (left === 0) continue;
      last = i;
      const after = stillWaiting * Math.max(0, 1 - ended / atRisk);
      if (after <= 1 - q) return this.#inside(i, (stillWaiting - (1 - q)) / (stillWaiting - after));
      stillWaiting = after;
      atRisk -= left;
    }
    return last === -1 ? Number.NaN : Math.min(this.#highMs, 2 * this.#inside(last, 1));
  }

  #add(weights: Float64Array, waitedMs: number, nowMs: number): void {
    if (nowMs >= this.#weightUntilMs) this.#renewWeight(nowMs);
    const bucket = this.#bucketOf(waitedMs);
    weights[bucket] = weights[bucket]! + this.#weight;
    this.#total += this.#weight;
  }

  #renewWeight(nowMs: number): void {
    this.#newestMs = nowMs;
    if (this.#total === 0) this.#unitAtMs = nowMs;
    if (this.#weightAt(nowMs) > weightMax) this.#rescale();
    this.#weight = this.#weightAt(nowMs);
    this.#weightUntilMs = nowMs + this.#halfLifeMs * weightKeptFor;
  }

  #inside(bucket: number, share: number): number {
    if (bucket === 0) return this.#lowMs;
    return Math.min(this.#highMs, this.#lowMs * Math.exp(this.#ratioLog * (bucket - 1 + share)));
  }

  #bucketOf(waitedMs: number): number {
    if (!(waitedMs > this.#lowMs)) return 0;
    return Math.min(bucketCount - 1, Math.ceil(Math.log(waitedMs / this.#lowMs) / this.#ratioLog));
  }

  #weightAt(atMs: number): number {
    return 2 ** ((atMs - this.#unitAtMs) / this.#halfLifeMs);
  }

  #rescale(): void {
    const scale = this.#weightAt(this.#newestMs);
    this.#total = 0;
    for (const weights of [this.#ended, this.#givenUp]) {
      for (let i = 0; i < bucketCount; i += 1) {
        const weight = weights[i]! / scale;
        weights[i] = weight;
        this.#total += weight;
      }
    }
    this.#unitAtMs = this.#newestMs;
  }
}

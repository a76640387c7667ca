/** A token bucket for each user: bursts pass, the average rate is held. */
export class RateLimiter {
  #perSecond;
  #burst;
  #buckets = new Map();

  constructor({ perSecond, burst }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Whether the user may have `cost` tokens now. More than the burst is never there. */
  take(user, cost, nowMs = performance.now()) {
    const bucket = this.#buckets.get(user) ?? { tokens: this.#burst, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    const tokens = Math.min(this.#burst, refilled);
    const isEnough = tokens >= cost;
    this.#buckets.set(user, { tokens: isEnough ? tokens - cost : tokens, atMs: nowMs });
    return isEnough;
  }
}

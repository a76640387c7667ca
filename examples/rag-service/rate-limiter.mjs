/** A token bucket for each user: bursts pass, the average rate is held. */
export class RateLimiter {
  #perSecond;
  #burst;
  #buckets = new Map();

  constructor({ perSecond, burst }) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  take(user, nowMs = performance.now()) {
    const bucket = this.#buckets.get(user) ?? { tokens: this.#burst, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    const tokens = Math.min(this.#burst, refilled);
    this.#buckets.set(user, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    return tokens >= 1;
  }
}

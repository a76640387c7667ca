import { integerOption } from "../base/index.js";
import { Histogram } from "../sketch/index.js";
import { Sampler } from "./sampler.js";

export interface ClassMetricsOptions {
  /**
   * One hold and one wait in so many are timed, on average (1..65_536), and more of the first: two readings of the clock and one entry
   * cost more than several acquisitions. 1 times each. @default 64
   */
  readonly sampledEvery?: number;
}

/** Times of one class in milliseconds; only `count` when there are none. */
export interface DistributionSnapshot {
  readonly count: number;
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly meanMs?: number;
  readonly p50Ms?: number;
  readonly p90Ms?: number;
  readonly p99Ms?: number;
}

/** What a class went through since it was made, as plain data. */
export interface ClassMetricsSnapshot {
  readonly acquisitions: number;
  /** Acquisitions that could not be had at once; those that gave up waiting are among them. */
  readonly contended: number;
  readonly tryFailures: number;
  readonly timeouts: number;
  readonly aborts: number;
  readonly deadlocks: number;
  readonly findings: number;
  /** Times that a waiter saw a later one go first. */
  readonly overtaken: number;
  /**
   * One hold and one wait in so many were timed, and more of the first, so the longest may be missing and the times' `count` is not how many there were. Waits
   * under an adaptive limit, or with somebody listening, are timed each.
   */
  readonly sampledEvery: number;
  readonly wait: DistributionSnapshot;
  readonly hold: DistributionSnapshot;
}

const sampledEveryDefault = 64;

/**
 * Counts and times of one class of locks.
 *
 * - Counts are exact. Whoever does the thing counts it by adding to the field, so that an acquisition costs one addition.
 * - Waits and holds are sampled at random distances. Under an adaptive limit, or with somebody listening, each wait is timed.
 */
export class ClassMetrics {
  acquisitions = 0;
  contended = 0;
  tryFailures = 0;
  timeouts = 0;
  aborts = 0;
  deadlocks = 0;
  findings = 0;
  overtaken = 0;
  /** Milliseconds that contended acquisitions waited, of those that were timed. */
  readonly wait: Histogram = new Histogram();
  /** Milliseconds from acquisition to release, of the holds that were timed. */
  readonly hold: Histogram = new Histogram();
  /** Asked once for each acquisition: whether its hold is one to time. */
  readonly holdSampler: Sampler;
  /** As `holdSampler`, for waits. */
  readonly waitSampler: Sampler;
  readonly #sampledEvery: number;

  constructor(options: ClassMetricsOptions = {}) {
    this.#sampledEvery = integerOption("sampledEvery", options.sampledEvery, {
      default: sampledEveryDefault,
      min: 1,
      max: 65_536,
    });
    this.holdSampler = new Sampler(this.#sampledEvery);
    this.waitSampler = new Sampler(this.#sampledEvery);
  }

  recordWait(ms: number): void {
    this.wait.record(ms);
  }

  recordHold(ms: number): void {
    this.hold.record(ms);
  }

  snapshot(): ClassMetricsSnapshot {
    const { acquisitions, contended, tryFailures, timeouts, aborts, deadlocks, findings, overtaken } = this;
    return {
      acquisitions,
      contended,
      tryFailures,
      timeouts,
      aborts,
      deadlocks,
      findings,
      overtaken,
      sampledEvery: this.#sampledEvery,
      wait: distributionOf(this.wait),
      hold: distributionOf(this.hold),
    };
  }
}

function distributionOf(histogram: Histogram): DistributionSnapshot {
  const { count } = histogram;
  if (count === 0) return { count };
  return {
    count,
    minMs: histogram.min,
    maxMs: histogram.max,
    meanMs: histogram.mean,
    p50Ms: histogram.quantile(0.5),
    p90Ms: histogram.quantile(0.9),
    p99Ms: histogram.quantile(0.99),
  };
}

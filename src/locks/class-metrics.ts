import { integerOption } from "../base/index.js";
import { Histogram } from "../sketch/index.js";

export interface ClassMetricsOptions {
  /**
   * One hold and one wait in so many are timed, on average (1..65_536): two readings of the clock and one entry cost more than an
   * uncontended acquisition itself. 1 times each. @default 16
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
   * One hold and one wait in so many were timed, so the longest may be missing and the times' `count` is not how many there were. Waits
   * under an adaptive limit, or with somebody listening, are timed each.
   */
  readonly sampledEvery: number;
  readonly wait: DistributionSnapshot;
  readonly hold: DistributionSnapshot;
}

const sampledEveryDefault = 16;

/**
 * Counts and times of one class of locks.
 *
 * - Counts are exact. Whoever does the thing counts it by adding to the field, so that an acquisition costs one addition.
 * - Waits and holds are sampled at random distances: at fixed ones a program that takes its locks in a rhythm would have the same one timed
 *   every time. Under an adaptive limit, or with somebody listening, each wait is timed.
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
  readonly #sampledEvery: number;
  /** State of a xorshift generator (Marsaglia 2003): never 0. */
  #random = 0x9e3779b9 | 0;
  #untilSample = 1;
  #untilWaitSample = 1;

  constructor(options: ClassMetricsOptions = {}) {
    this.#sampledEvery = integerOption("sampledEvery", options.sampledEvery, {
      default: sampledEveryDefault,
      min: 1,
      max: 65_536,
    });
  }

  /** Asked once for each acquisition: whether its hold is one to time. The first one always is. */
  shouldTimeHold(): boolean {
    this.#untilSample -= 1;
    if (this.#untilSample > 0) return false;
    this.#untilSample = this.#distance();
    return true;
  }

  /** As `shouldTimeHold`, for a wait: reading the clock twice costs as much as handing a lock over. */
  shouldTimeWait(): boolean {
    this.#untilWaitSample -= 1;
    if (this.#untilWaitSample > 0) return false;
    this.#untilWaitSample = this.#distance();
    return true;
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

  /** 1..2n - 1, each as likely, so n on average. */
  #distance(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return 1 + ((x >>> 0) % (2 * this.#sampledEvery - 1));
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

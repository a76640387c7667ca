import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../../base/index.js";
import type { BoundGauge } from "../instruments/bound.js";
import type { Registry } from "../registry.js";
import { thread } from "./thread-numbers.js";

/** For how long delays are shown at least: Prometheus usually scrapes every 15 s, and must not miss one. */
const shownMs = 15_000;
const nsPerS = 1e9;

interface Shown {
  readonly suffix: string;
  readonly what: string;
  /** In nanoseconds. */
  of(delays: IntervalHistogram): number;
  /** Whether the pause between two probes is in it. */
  readonly hasPause: boolean;
  /** Node goes through the whole histogram for it, up to a millisecond: only looked at when a series of probes ends. */
  readonly isDear: boolean;
}

const quick = { hasPause: true, isDear: false };
const shown: readonly Shown[] = [
  { suffix: "min", what: "smallest", of: ({ min }) => min, ...quick },
  { suffix: "max", what: "largest", of: ({ max }) => max, ...quick },
  { suffix: "p50", what: "50th percentile", of: (delays) => delays.percentile(50), ...quick },
  { suffix: "p90", what: "90th percentile", of: (delays) => delays.percentile(90), ...quick },
  { suffix: "p99", what: "99th percentile", of: (delays) => delays.percentile(99), ...quick },
  { suffix: "mean", what: "average", of: ({ mean }) => mean, hasPause: true, isDear: true },
  {
    suffix: "stddev",
    what: "standard deviation",
    of: ({ stddev }) => stddev,
    hasPause: false,
    isDear: true,
  },
];

/**
 * How late the event loop is, by probes that should come every so many milliseconds. Two series of probes take turns at starting anew, so
 * that what is shown is always over the last 15 to 30 s, however often and by however many it is read.
 *
 * Node counts the pause between two probes; shown is what it was too long. (Other clients show the pause itself, so that theirs are
 * never below it.)
 */
export class LoopDelay {
  readonly #clock: Clock;
  readonly #probeNs: number;
  readonly #gauges: readonly BoundGauge[];
  readonly #newest: BoundGauge;
  #older: IntervalHistogram;
  #younger: IntervalHistogram;
  #startedMs: number;
  #isClosed = false;

  constructor(registry: Registry, probeMs: number, clock: Clock) {
    this.#clock = clock;
    this.#probeNs = probeMs * 1e6;
    const gauge = (name: string, help: string): BoundGauge =>
      registry.gauge(name, { help, unit: "s", across: "max", labels: ["thread"] }).bind({ thread });
    this.#newest = gauge("nodejs_eventloop_lag_seconds", "How late the event loop was just now");
    this.#gauges = shown.map(({ suffix, what }) =>
      gauge(
        `nodejs_eventloop_lag_${suffix}_seconds`,
        `How late the event loop was in the last 15 to 30 s: ${what}`,
      ),
    );
    this.#older = monitorEventLoopDelay({ resolution: probeMs });
    this.#younger = monitorEventLoopDelay({ resolution: probeMs });
    this.#older.enable();
    this.#younger.enable();
    this.#startedMs = clock.monotonicMs();
  }

  sample(): void {
    const nowMs = this.#clock.monotonicMs();
    const isAtEnd = nowMs - this.#startedMs >= shownMs;
    if (this.#older.count > 0) this.#show(isAtEnd);
    this.#measureNow(nowMs);
    if (!isAtEnd) return;
    this.#older.reset();
    [this.#older, this.#younger] = [this.#younger, this.#older];
    this.#startedMs = nowMs;
  }

  close(): void {
    this.#isClosed = true;
    this.#older.disable();
    this.#younger.disable();
  }

  #show(withDear: boolean): void {
    for (const [at, { of, hasPause, isDear }] of shown.entries()) {
      if (isDear && !withDear) continue;
      this.#gauges[at]!.set(Math.max(0, of(this.#older) - (hasPause ? this.#probeNs : 0)) / nsPerS);
    }
  }

  /** How long what is due takes until the loop comes round to what was asked for now. */
  #measureNow(fromMs: number): void {
    setImmediate(() => {
      if (!this.#isClosed) this.#newest.set(Math.max(0, this.#clock.monotonicMs() - fromMs) / 1000);
    }).unref();
  }
}

import { isMainThread } from "node:worker_threads";
import { type Clock, integerOption, systemClock } from "../../base/index.js";
import type { Registry } from "../registry.js";
import { LoopDelay } from "./loop-delay.js";
import { ProcessNumbers } from "./process-numbers.js";
import { ThreadNumbers } from "./thread-numbers.js";

export interface ProcessMetricsOptions {
  /** Pause between two looks, in milliseconds (100..3,600,000): how old the numbers may be. @default 1,000 */
  readonly everyMs?: number;
  /** Pause between two probes of the event loop, in milliseconds (1..1,000). @default 20 */
  readonly loopProbeMs?: number;
  readonly clock?: Clock;
}

/**
 * Records what the process and this thread use, under the names that Prometheus' clients for Node.js have: `process_…` once for the
 * process, by its main thread; `nodejs_…` for each thread that calls this, with its number as the label `thread`.
 *
 * - It costs up to 2 ms of CPU time a second, most of it for reading /proc, and 100 wake-ups a second for the probes of the event loop.
 * - Nothing here keeps the process or the thread alive.
 *
 * @throws OptionError
 * @throws MetricConflictError when the registry has one of the metrics in another shape
 */
export function processMetrics(registry: Registry, options: ProcessMetricsOptions = {}): ProcessMetrics {
  return new ProcessMetrics(registry, options);
}

/** What `processMetrics` started. */
export class ProcessMetrics {
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #process: ProcessNumbers | undefined;
  readonly #thread: ThreadNumbers;
  readonly #delay: LoopDelay;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  /** Use `processMetrics`. */
  constructor(registry: Registry, options: ProcessMetricsOptions) {
    this.#everyMs = integerOption("everyMs", options.everyMs, { default: 1000, min: 100, max: 3_600_000 });
    const probeMs = integerOption("loopProbeMs", options.loopProbeMs, { default: 20, min: 1, max: 1000 });
    this.#clock = options.clock ?? systemClock;
    this.#process = isMainThread ? new ProcessNumbers(registry) : undefined;
    this.#thread = new ThreadNumbers(registry);
    this.#delay = new LoopDelay(registry, probeMs, this.#clock);
    this.#tick();
  }

  /** Looks now, not only when it is time to; may be called as often as one likes. After `close` it does nothing. */
  sample(): void {
    if (this.#isClosed) return;
    this.#process?.sample();
    this.#thread.sample();
    this.#delay.sample();
  }

  /** Stops everything that was started; what was recorded stays. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#thread.close();
    this.#delay.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #tick(): void {
    this.sample();
    this.#cancel = this.#clock.after(this.#everyMs, () => this.#tick(), false);
  }
}

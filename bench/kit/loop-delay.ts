import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/**
 * Loaded with `--import` into the program that is measured: between two SIGUSR2 it records how late the main thread's event
 * loop is, every millisecond, and writes the result to the file that POUNDLOCK_LOOP_DELAY names.
 */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const file = process.env.POUNDLOCK_LOOP_DELAY;
if (isMainThread && file !== undefined) {
  const resolutionMs = 1;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  process.once("SIGUSR2", () => {
    delay.enable();
    process.once("SIGUSR2", () => {
      delay.disable();
      // The timer's own period is in each of the samples.
      const late = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs);
      const result: LoopDelay = {
        p50Ms: late(delay.percentile(50)),
        p99Ms: late(delay.percentile(99)),
        maxMs: late(delay.max),
      };
      writeFileSync(file, JSON.stringify(result));
    });
  });
}

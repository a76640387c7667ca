import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { openRegistry } from "../../src/metrics/index.js";
import { durations } from "../kit/label-sets.js";
import { median } from "../kit/programs.js";

/**
 * A process of its own: `metric-contention.js counter|histogram|perf_hooks MS` has two threads record to the same series, then one
 * alone, for so many milliseconds each. Prints nanoseconds for one record of each: `{ alone, main, worker }`.
 */
export interface ContentionTimes {
  readonly alone: number;
  readonly main: number;
  readonly worker: number;
}

interface Given {
  readonly what: string;
  readonly durationMs: number;
  readonly shared: RecordableHistogram | undefined;
  /** 0 until both threads have warmed up, then 1. */
  readonly gate: Int32Array<SharedArrayBuffer>;
}

const values = durations(1024);
const microseconds = values.map((value) => Math.ceil(value * 1e6));
const labels = { method: "GET", route: "/", status: "200" };
const names = ["method", "route", "status"] as const;
const recordsPerLook = 2_000;

function recorderOf({ what, shared }: Given): (n: number) => void {
  if (shared !== undefined) return (n) => shared.record(microseconds[n & 1023]!);
  const registry = openRegistry();
  if (what === "counter") {
    const bound = registry.counter("requests", { labels: names }).bind(labels);
    return () => bound.add(1);
  }
  const bound = registry.histogram("duration", { labels: names }).bind(labels);
  return (n) => bound.record(values[n & 1023]!);
}

/** The median of short stretches: what else the machine does makes some of them long. */
function nsPerRecord(record: (n: number) => void, durationMs: number): number {
  const times: number[] = [];
  const endMs = performance.now() + durationMs;
  for (let startMs = performance.now(); startMs < endMs; ) {
    for (let n = 0; n < recordsPerLook; n += 1) record(n);
    const nowMs = performance.now();
    times.push(((nowMs - startMs) / recordsPerLook) * 1e6);
    startMs = nowMs;
  }
  return median(times);
}

if (isMainThread) {
  const [what = "", durationMs = "100"] = process.argv.slice(2);
  const shared = what === "perf_hooks" ? createHistogram({ figures: 3 }) : undefined;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const given: Given = { what, durationMs: Number(durationMs), shared, gate };
  const record = recorderOf(given);
  const worker = new Worker(new URL(import.meta.url), { workerData: given });
  const workersTime = new Promise<number>((resolve, reject) => {
    worker.on("message", (message: number | "warm") => {
      if (message !== "warm") resolve(message);
      else ready();
    });
    worker.once("error", reject);
  });
  let ready: () => void = () => {};
  await new Promise<void>((resolve) => {
    ready = resolve;
  });
  nsPerRecord(record, given.durationMs / 4);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  const main = nsPerRecord(record, given.durationMs);
  const times: ContentionTimes = {
    main,
    worker: await workersTime,
    alone: nsPerRecord(record, given.durationMs),
  };
  process.stdout.write(JSON.stringify(times));
} else {
  const given = workerData as Given;
  const record = recorderOf(given);
  nsPerRecord(record, given.durationMs / 4);
  parentPort?.postMessage("warm");
  Atomics.wait(given.gate, 0, 0);
  parentPort?.postMessage(nsPerRecord(record, given.durationMs));
}

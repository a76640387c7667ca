import assert from "node:assert/strict";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { attachRegistry, openRegistry } from "./index.js";
import { ReaderTurn } from "./memory/reader-turn.js";
import { Segment } from "./memory/segment.js";
import { checkCut } from "./torture.testkit.js";

/** What a thread of the tests does. */
export interface TortureJob {
  readonly do:
    | "record"
    | "record-for-ever"
    | "register-for-ever"
    | "snapshot-for-ever"
    | "spin"
    | "spin-recording"
    | "spin-together"
    | "wait"
    | "wait-together"
    | "hold-turn"
    | "nest"
    | "exit"
    | "throw"
    | "end"
    | "attach";
  readonly name: string;
  readonly id: string;
  readonly times: number;
  /** [records made by this thread, stop] */
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly buffer?: SharedArrayBuffer;
}

const job = workerData as TortureJob;
const { name, id, times, shared } = job;

function work(): void {
  const registry = job.do === "attach" ? attachRegistry(job.buffer!, { name }) : openRegistry({ name });
  const own = registry.counter("own", { labels: ["id"] }).bind({ id });
  const left = registry.counter("left").bind();
  const right = registry.upDownCounter("right").bind();
  const histogram = registry.histogram("histogram").bind();
  const samples = registry.window("samples", { samplesMax: 100 }).bind();
  const recent = registry.window("recent", { forMs: 86_400_000, slots: 2 }).bind();
  const gauges = (["latest", "sum", "min", "max"] as const).map((across) =>
    registry.gauge(`gauge-${across}`, { across }).bind(),
  );

  /** One step in all metrics. */
  const recordAll = (): void =>
    registry.together(() => {
      own.add();
      left.add();
      right.add();
      histogram.record(3);
    });

  switch (job.do) {
    case "record":
      for (let n = 1; n <= times; n += 1) {
        recordAll();
        samples.record(n);
        recent.record(3);
        for (const gauge of gauges) gauge.set(n);
        shared[0] = n;
      }
      parentPort!.postMessage("done");
      // Lives on, so that gauges over live threads still have it.
      parentPort!.on("message", () => parentPort!.close());
      break;
    case "record-for-ever":
      for (let n = 1; shared[1] === 0; n += 1) {
        recordAll();
        shared[0] = n;
      }
      break;
    case "register-for-ever": {
      const churn = registry.counter("churn", { labels: ["label"], seriesMax: 100_000 });
      for (let n = 1; ; n += 1) {
        churn.add(1, { label: `${id} ${n % 10_000}` });
        shared[0] = n;
      }
    }
    case "snapshot-for-ever":
      for (let n = 1; shared[1] === 0; n += 1) {
        checkCut(registry.snapshot());
        shared[0] = n;
      }
      break;
    case "spin":
    case "spin-recording": {
      own.add();
      shared[0] = 1;
      const endsAt = performance.now() + times;
      while (performance.now() < endsAt) if (job.do === "spin-recording") recordAll();
      break;
    }
    case "spin-together": {
      own.add();
      shared[0] = 1;
      const endsAt = performance.now() + times;
      registry.together(() => {
        while (performance.now() < endsAt) for (let n = 0; n < 100; n += 1) own.add();
      });
      break;
    }
    case "wait":
      own.add();
      shared[0] = 1;
      Atomics.wait(shared, 1, 0);
      break;
    case "wait-together":
      own.add();
      registry.together(() => {
        left.add();
        shared[0] = 1;
        Atomics.wait(shared, 1, 0);
        right.add();
      });
      break;
    case "hold-turn": {
      const segment = new Segment(registry.buffer);
      const owner = segment.i32.length > 0 ? ownerOf(segment) : 0;
      new ReaderTurn(segment, owner).take();
      shared[0] = 1;
      Atomics.wait(shared, 1, 0);
      break;
    }
    case "nest": {
      own.add();
      new Worker(new URL(import.meta.url), { workerData: { ...job, do: "wait", id: `${id} nested` } });
      parentPort!.on("message", () => undefined);
      break;
    }
    case "exit":
      own.add();
      process.exit(0);
      break;
    case "throw":
      own.add();
      throw new Error("wanted");
    case "end":
    case "attach":
      own.add();
  }
}

/** The slot of the thread that opened the registry last: this one, as the test starts no other meanwhile. */
function ownerOf(segment: Segment): number {
  let owner = 0;
  for (let slot = 0; slot < segment.threadsMax; slot += 1)
    if (segment.i32[segment.threadUnit(slot) * 2]! !== 0) owner = slot;
  return owner;
}

assert.equal(shared.length, 2);
work();

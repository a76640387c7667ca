import {
  constants,
  type EventLoopUtilization,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from "node:perf_hooks";
import { getHeapSpaceStatistics } from "node:v8";
import { threadId } from "node:worker_threads";
import type { BoundCounter, BoundGauge } from "../instruments/bound.js";
import type { Gauge, Histogram } from "../instruments/instruments.js";
import type { Registry } from "../registry.js";

/** The label of this thread: 0 is the main thread. */
export const thread: string = String(threadId);

const gcKinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weakcb"],
]);

/** An entry of type `gc`; the duration is in milliseconds. */
type GcEntry = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

/** What one thread uses: its heap, its collections of garbage, how busy its loop is, and what keeps it alive. */
export class ThreadNumbers {
  readonly #heapTotal: BoundGauge;
  readonly #heapUsed: BoundGauge;
  readonly #external: BoundGauge;
  readonly #spaces: readonly Gauge<"space" | "thread">[];
  readonly #gc: Histogram<"kind" | "thread">;
  readonly #collector: PerformanceObserver;
  readonly #active: BoundCounter;
  readonly #idle: BoundCounter;
  readonly #utilization: BoundGauge;
  readonly #resources: Gauge<"type" | "thread">;
  readonly #seenTypes = new Set<string>();
  #loop: EventLoopUtilization = { active: 0, idle: 0, utilization: 0 };

  constructor(registry: Registry) {
    const bytes = (name: string, help: string): BoundGauge =>
      registry.gauge(name, { help, unit: "By", across: "sum", labels: ["thread"] }).bind({ thread });
    this.#heapTotal = bytes("nodejs_heap_size_total_bytes", "Heap of the thread");
    this.#heapUsed = bytes("nodejs_heap_size_used_bytes", "Heap of the thread in use");
    this.#external = bytes(
      "nodejs_external_memory_bytes",
      "Memory outside the heap that the heap's objects hold",
    );
    this.#spaces = ["total", "used", "available"].map((what) =>
      registry.gauge(`nodejs_heap_space_size_${what}_bytes`, {
        help: `Spaces of the heap: ${what}`,
        unit: "By",
        across: "sum",
        labels: ["space", "thread"],
      }),
    );
    this.#gc = registry.histogram("nodejs_gc_duration_seconds", {
      help: "Collections of garbage",
      unit: "s",
      labels: ["kind", "thread"],
    });
    this.#collector = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry);
    });
    this.#collector.observe({ entryTypes: ["gc"] });
    const loopTime = (name: string, help: string): BoundCounter =>
      registry.counter(name, { help, unit: "s", labels: ["thread"] }).bind({ thread });
    this.#active = loopTime("nodejs_eventloop_active_seconds_total", "Time that the event loop was busy");
    this.#idle = loopTime("nodejs_eventloop_idle_seconds_total", "Time that the event loop waited");
    this.#utilization = registry
      .gauge("nodejs_eventloop_utilization_ratio", {
        help: "Part of the time since the look before that the event loop was busy",
        unit: "1",
        across: "max",
        labels: ["thread"],
      })
      .bind({ thread });
    this.#resources = registry.gauge("nodejs_active_resources", {
      help: "What keeps the event loop alive, by type",
      across: "sum",
      labels: ["type", "thread"],
    });
  }

  sample(): void {
    const { heapTotal, heapUsed, external } = process.memoryUsage();
    this.#heapTotal.set(heapTotal);
    this.#heapUsed.set(heapUsed);
    this.#external.set(external);
    this.#sampleSpaces();
    this.#sampleLoop();
    this.#sampleResources();
  }

  close(): void {
    this.#collector.disconnect();
  }

  #sampleSpaces(): void {
    const [total, used, available] = this.#spaces;
    for (const one of getHeapSpaceStatistics()) {
      const labels = { space: one.space_name.replace(/_space$/, ""), thread };
      total!.set(one.space_size, labels);
      used!.set(one.space_used_size, labels);
      available!.set(one.space_available_size, labels);
    }
  }

  #sampleLoop(): void {
    const now = performance.eventLoopUtilization();
    const active = Math.max(0, now.active - this.#loop.active);
    const idle = Math.max(0, now.idle - this.#loop.idle);
    this.#loop = now;
    this.#active.add(active / 1000);
    this.#idle.add(idle / 1000);
    if (active + idle > 0) this.#utilization.set(active / (active + idle));
  }

  #sampleResources(): void {
    const counts = new Map([...this.#seenTypes].map((type) => [type, 0]));
    for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const [type, count] of counts) {
      this.#seenTypes.add(type);
      this.#resources.set(count, { type, thread });
    }
  }

  #collected({ duration, detail }: GcEntry): void {
    this.#gc.record(duration / 1000, { kind: gcKinds.get(detail?.kind ?? -1) ?? "other", thread });
  }
}

import { createHistogram } from "node:perf_hooks";
import { openRegistry } from "../../src/metrics/index.js";
import { durations, type Labels, labelNames, labelSets, labelShapes } from "../kit/label-sets.js";
import { promClient } from "./prom-client.js";

/** Records so many times. */
export type Loop = (operations: number) => void;

/** By form. */
export type Contender = Readonly<Record<string, () => Loop>>;

const values = durations(1024);
const at = (operation: number): number => values[operation & 1023]!;
const names = ["method", "route", "status"] as const;
const methods = ["GET", "POST", "PUT", "DELETE"];
const routes = ["/", "/users", "/users/:id", "/orders"];
const statuses = ["200", "201", "404", "500"];
const labels = { method: "GET", route: "/users/:id", status: "200" };
const freshLabels = (n: number): { method: string; route: string; status: string } => ({
  method: methods[n & 3]!,
  route: routes[(n >> 2) & 3]!,
  status: statuses[(n >> 4) & 3]!,
});

/** A process that measures has one body only, which is compiled into the loop. */
function repeat(body: (n: number) => void): Loop {
  return (operations) => {
    for (let n = 0; n < operations; n += 1) body(n);
  };
}

function shapeForms(make: (kind: "counter" | "histogram", counts: readonly number[]) => Loop): Contender {
  return Object.fromEntries(
    Object.entries(labelShapes).flatMap(([shape, counts]) => [
      [`counter ${shape}`, () => make("counter", counts)],
      [`histogram ${shape}`, () => make("histogram", counts)],
    ]),
  );
}

/** In prom-client's benchmarks each call has the next of the 64 label sets, which are there already. */
function cycled(counts: readonly number[]): { sets: readonly Labels[]; mask: number } {
  const sets = labelSets(counts);
  return { sets, mask: sets.length - 1 };
}

function poundlock(): Contender {
  const registry = openRegistry();
  const counter = registry.counter("requests", { labels: names });
  const histogram = registry.histogram("duration", { labels: names, unit: "s" });
  return {
    counter: () => {
      const bound = counter.bind(labels);
      return repeat(() => bound.add(1));
    },
    "counter.sameLabels": () => repeat(() => counter.add(1, labels)),
    "counter.freshLabels": () => repeat((n) => counter.add(1, freshLabels(n))),
    gauge: () => {
      const bound = registry.gauge("temperature", { labels: names }).bind(labels);
      return repeat((n) => bound.set(at(n)));
    },
    histogram: () => {
      const bound = histogram.bind(labels);
      return repeat((n) => bound.record(at(n)));
    },
    "histogram.sameLabels": () => repeat((n) => histogram.record(at(n), labels)),
    "histogram.freshLabels": () => repeat((n) => histogram.record(at(n), freshLabels(n))),
    "window.last1000": () => {
      const bound = registry.window("last", { labels: names, samplesMax: 1000 }).bind(labels);
      return repeat((n) => bound.record(at(n)));
    },
    "window.last60s": () => {
      const bound = registry.window("recent", { labels: names, forMs: 60_000 }).bind(labels);
      return repeat((n) => bound.record(at(n)));
    },
    ...shapeForms((kind, counts) => {
      const { sets, mask } = cycled(counts);
      const options = { labels: labelNames(counts) };
      if (kind === "counter") {
        const metric = registry.counter(`counts ${counts}`, options);
        return repeat((n) => metric.add(1, sets[n & mask]!));
      }
      const metric = registry.histogram(`durations ${counts}`, options);
      return repeat((n) => metric.record(at(n), sets[n & mask]!));
    }),
  };
}

async function prometheus(name: string): Promise<Contender> {
  const client = await promClient(name);
  if (client === undefined) return {};
  const head = { name: "requests", help: "Requests", labelNames: [...names], registers: [] };
  const counter = (): InstanceType<typeof client.Counter> => new client.Counter(head);
  const histogram = (): InstanceType<typeof client.Histogram> => new client.Histogram(head);
  const summary = (options: object): Loop => {
    const child = new client.Summary({ ...head, ...options }).labels(labels);
    return repeat((n) => child.observe(at(n)));
  };
  return {
    counter: () => {
      const child = counter().labels(labels);
      return repeat(() => child.inc(1));
    },
    "counter.sameLabels": () => {
      const metric = counter();
      return repeat(() => metric.inc(labels, 1));
    },
    "counter.freshLabels": () => {
      const metric = counter();
      return repeat((n) => metric.inc(freshLabels(n), 1));
    },
    gauge: () => {
      const child = new client.Gauge(head).labels(labels);
      return repeat((n) => child.set(at(n)));
    },
    histogram: () => {
      const child = histogram().labels(labels);
      return repeat((n) => child.observe(at(n)));
    },
    "histogram.sameLabels": () => {
      const metric = histogram();
      return repeat((n) => metric.observe(labels, at(n)));
    },
    "histogram.freshLabels": () => {
      const metric = histogram();
      return repeat((n) => metric.observe(freshLabels(n), at(n)));
    },
    "window.last1000": () => summary({}),
    "window.last60s": () => summary({ maxAgeSeconds: 60, ageBuckets: 5 }),
    ...shapeForms((kind, counts) => {
      const { sets, mask } = cycled(counts);
      const options = { ...head, labelNames: labelNames(counts) };
      if (kind === "counter") {
        const metric = new client.Counter(options);
        return repeat((n) => metric.inc(sets[n & mask]!, 1));
      }
      const metric = new client.Histogram(options);
      return repeat((n) => metric.observe(sets[n & mask]!, at(n)));
    }),
  };
}

async function opentelemetry(): Promise<Contender> {
  const { AggregationType, MeterProvider, MetricReader } = await import("@opentelemetry/sdk-metrics");
  class Reader extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const;
  const views = [{ instrumentName: "duration", aggregation }];
  const meter = new MeterProvider({ readers: [new Reader()], views }).getMeter("bench");
  const counter = meter.createCounter("requests");
  const gauge = meter.createGauge("temperature");
  const histogram = meter.createHistogram("duration");
  return {
    "counter.sameLabels": () => repeat(() => counter.add(1, labels)),
    "counter.freshLabels": () => repeat((n) => counter.add(1, freshLabels(n))),
    gauge: () => repeat((n) => gauge.record(at(n), labels)),
    "histogram.sameLabels": () => repeat((n) => histogram.record(at(n), labels)),
    "histogram.freshLabels": () => repeat((n) => histogram.record(at(n), freshLabels(n))),
    ...shapeForms((kind, counts) => {
      const { sets, mask } = cycled(counts);
      if (kind === "counter") return repeat((n) => counter.add(1, sets[n & mask]!));
      return repeat((n) => histogram.record(at(n), sets[n & mask]!));
    }),
  };
}

/** Whole numbers only, so microseconds; it has no labels. */
function perfHooks(): Contender {
  const microseconds = values.map((value) => Math.ceil(value * 1e6));
  return {
    histogram: () => {
      const histogram = createHistogram({ figures: 3 });
      return repeat((n) => histogram.record(microseconds[n & 1023]!));
    },
  };
}

const contenders: Readonly<Record<string, () => Contender | Promise<Contender>>> = {
  poundlock,
  "prom-client": () => prometheus("prom-client"),
  "prometheus-io": () => prometheus("prometheus-io"),
  opentelemetry,
  perf_hooks: perfHooks,
};

/** What a contender records, by form; nothing of the others is loaded. Empty when it is not there. */
export async function recordersOf(contender: string): Promise<Contender> {
  return (await contenders[contender]?.()) ?? {};
}

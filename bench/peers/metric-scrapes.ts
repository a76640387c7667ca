import { Worker } from "node:worker_threads";
import {
  type MetricsSnapshot,
  openRegistry,
  type Registry,
  renderPrometheusText,
  writeYielding,
} from "../../src/metrics/index.js";
import { durations } from "../kit/label-sets.js";
import { LoopGap } from "../kit/loop-gap.js";
import { median } from "../kit/programs.js";
import { promClient } from "./prom-client.js";

/**
 * A process of its own (`node --expose-gc`): `metric-scrapes.js CONTENDER counter|histogram SERIES REPEATS BUSY_MS` makes so many
 * series and reads them so often. Prints medians by name; nothing when the contender is not there. With BUSY_MS above 0 it also
 * scrapes while another thread neither returns to its event loop nor stops recording for that long.
 */
export type ScrapeFigures = Readonly<Record<string, number>>;

type Kind = "counter" | "histogram";

interface Scraped {
  /** The whole answer, as bytes. */
  scrape(): Promise<number>;
  /** Makes one more series. */
  addSeries(n: number): void;
  /** Shared memory in use, which is not in the heap. */
  sharedBytes(): number;
  readonly registry?: Registry;
}

const names = ["service", "route", "status"] as const;
const observationsPerSeries = 20;
const values = durations(4096);

function labelsOf(n: number): { service: string; route: string; status: string } {
  return { service: `service-${n % 10}`, route: `/route/${Math.floor(n / 10)}`, status: "200" };
}

type RecordOne = (labels: ReturnType<typeof labelsOf>, value: number) => void;

function fill(series: number, record: RecordOne): void {
  for (let n = 0; n < series; n += 1)
    for (let k = 0; k < observationsPerSeries; k += 1)
      record(labelsOf(n), values[(n * observationsPerSeries + k) & 4095]!);
}

function poundlock(kind: Kind, series: number): Scraped {
  const registry = openRegistry({ seriesMax: 2 * series + 100 });
  const counter = registry.counter("requests", { labels: names });
  const histogram = registry.histogram("duration", { labels: names, unit: "s" });
  const record: RecordOne =
    kind === "counter"
      ? (labels, value) => counter.add(value, labels)
      : (labels, value) => histogram.record(value, labels);
  fill(series, record);
  const scrape = async (): Promise<number> => {
    const { families } = await registry.collect();
    let bytes = 0;
    for await (const piece of writeYielding(renderPrometheusText(families)))
      bytes += Buffer.from(piece).length;
    return bytes;
  };
  const addSeries = (n: number): void => record(labelsOf(series + n), 0.1);
  return { scrape, addSeries, sharedBytes: () => usedBytes(registry.snapshot()), registry };
}

function usedBytes({ families }: MetricsSnapshot): number {
  const family = families.find(({ name }) => name === "poundlock_metrics_memory_bytes");
  const [point] = family?.kind === "gauge" ? family.points : [];
  return point?.value ?? 0;
}

async function prometheus(name: string, kind: Kind, series: number): Promise<Scraped | undefined> {
  const client = await promClient(name);
  if (client === undefined) return undefined;
  const head = { name: "metric", help: "Metric", labelNames: [...names] };
  let record: RecordOne;
  if (kind === "counter") {
    const counter = new client.Counter(head);
    record = (labels, value) => counter.inc(labels, value);
  } else {
    const histogram = new client.Histogram(head);
    record = (labels, value) => histogram.observe(labels, value);
  }
  fill(series, record);
  return {
    scrape: async () => Buffer.from(await client.register.metrics()).length,
    addSeries: (n) => record(labelsOf(series + n), 0.1),
    sharedBytes: () => 0,
  };
}

interface Run {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly stallMs: number;
}

async function timed(what: () => unknown): Promise<Run> {
  // One run does not pay for what the one before has left.
  globalThis.gc?.();
  const gap = new LoopGap();
  gap.start();
  const startedMs = performance.now();
  const usageBefore = process.cpuUsage();
  await what();
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(usageBefore);
  return { wallMs, cpuMs: (user + system) / 1000, stallMs: await gap.stop() };
}

async function repeated(what: () => unknown, repeats: number): Promise<Run> {
  const runs: Run[] = [];
  for (let count = 0; count < repeats; count += 1) runs.push(await timed(what));
  return {
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
    cpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
    stallMs: median(runs.map(({ stallMs }) => stallMs)),
  };
}

/** A thread that records for so long without ever returning to its event loop. */
async function startBusyThread(busyMs: number): Promise<{ ended: Promise<unknown> }> {
  const source = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.module).then(({ openRegistry }) => {
      const bound = openRegistry().counter("busy").bind();
      parentPort.postMessage("busy");
      const endMs = performance.now() + workerData.busyMs;
      while (performance.now() < endMs) bound.add();
    });`;
  const module = new URL("../../src/metrics/index.js", import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { module, busyMs } });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return { ended };
}

async function measure(
  scraped: Scraped,
  heapBefore: number,
  options: { readonly series: number; readonly repeats: number; readonly busyMs: number },
): Promise<ScrapeFigures> {
  const { series, repeats, busyMs } = options;
  const { registry } = scraped;
  globalThis.gc?.();
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  const first = await timed(scraped.scrape);
  const bytesPerSeries = (heapBytes + scraped.sharedBytes()) / series;
  await timed(scraped.scrape);
  const bytes = await scraped.scrape();
  const scrape = await repeated(scraped.scrape, repeats);
  let added = 0;
  const withNew = await repeated(() => {
    scraped.addSeries((added += 1));
    return scraped.scrape();
  }, repeats);
  const figures: Record<string, number> = {
    bytesPerSeries,
    textMiB: bytes / 2 ** 20,
    firstScrapeMs: first.wallMs,
    firstScrapeStallMs: first.stallMs,
    scrapeMs: scrape.wallMs,
    scrapeCpuMs: scrape.cpuMs,
    scrapeStallMs: scrape.stallMs,
    scrapeWithNewSeriesStallMs: withNew.stallMs,
  };
  if (registry === undefined) return figures;
  figures.snapshotCpuMs = (await repeated(() => registry.snapshot(), repeats)).cpuMs;
  const collect = await repeated(() => registry.collect(), repeats);
  figures.collectMs = collect.wallMs;
  figures.collectCpuMs = collect.cpuMs;
  figures.collectStallMs = collect.stallMs;
  if (busyMs > 0) {
    const { ended } = await startBusyThread(busyMs);
    const busy = await repeated(scraped.scrape, Math.min(3, repeats));
    figures.scrapeWhileBusyMs = busy.wallMs;
    figures.scrapeWhileBusyStallMs = busy.stallMs;
    await ended;
  }
  return figures;
}

const [contender = "", kind = "counter", series = "10000", repeats = "5", busyMs = "0"] =
  process.argv.slice(2);
globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
const scraped =
  contender === "poundlock"
    ? poundlock(kind as Kind, Number(series))
    : await prometheus(contender, kind as Kind, Number(series));
if (scraped !== undefined) {
  const options = { series: Number(series), repeats: Number(repeats), busyMs: Number(busyMs) };
  process.stdout.write(JSON.stringify(await measure(scraped, heapBefore, options)));
}

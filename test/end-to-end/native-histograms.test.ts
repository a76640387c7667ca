import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, test } from "node:test";
import {
  type HistogramFamily,
  type MetricsSnapshot,
  type NumberFamily,
  negotiate,
  writeYielding,
} from "../../src/metrics/index.js";
import {
  bucketIndexerOf,
  bucketLowerAt,
  bucketUpperAt,
  type ExponentialHistogram,
  quantileOf,
} from "../../src/sketch/index.js";
import { histogramOf } from "../kit/format-snapshots.js";
import { PrometheusServer, type VectorSample } from "../kit/prometheus.js";

/** Without chance: the logarithms of n values are spread like a bell. */
function bell(n: number, middle: number, width: number): number[] {
  return Array.from({ length: n }, (_, at) => {
    const p = (at + 0.5) / n;
    return middle * Math.exp((width * Math.log(p / (1 - p))) / 1.7);
  });
}

const histograms: Readonly<Record<string, ExponentialHistogram>> = {
  usual: histogramOf(5, bell(5000, 0.02, 1)),
  fine: histogramOf(8, bell(2000, 3, 0.2)),
  coarse: histogramOf(0, bell(2000, 1, 3)),
  coarsest: histogramOf(-4, bell(2000, 1, 10)),
  signed: histogramOf(3, [...bell(900, 5, 1), ...bell(500, 2, 1).map((value) => -value), ...bell(100, 0, 1)]),
  powers: histogramOf(
    5,
    Array.from({ length: 101 }, (_, at) => 2 ** (at - 50)),
  ),
  single: histogramOf(5, [1]),
  empty: histogramOf(5, []),
};

const startedMs = 1_795_000_000_000;
const family: HistogramFamily = {
  kind: "histogram",
  name: "wait.seconds",
  help: "Wait",
  unit: "s",
  labelNames: ["series"],
  points: Object.entries(histograms).map(([series, histogram]) => ({
    labels: [series],
    startedMs,
    histogram,
  })),
};
const orders: NumberFamily = {
  kind: "counter",
  name: "orders",
  help: "Orders",
  labelNames: ["status"],
  points: [
    { labels: ['say "é"\n\ud800'], startedMs, value: 2 ** 53 - 1 },
    { labels: [""], startedMs, value: 7, isOverflow: true },
  ],
};
const snapshot: MetricsSnapshot = { atMs: startedMs + 60_000, isExact: true, families: [orders, family] };

const formats: string[] = [];
const service = createServer((request, response) => {
  const format = negotiate(request.headers.accept);
  formats.push(format.name);
  response.setHeader("content-type", format.contentType);
  void pipeline(Readable.from(writeYielding(format.render(snapshot))), response);
});
let prometheus: PrometheusServer;
/** The time to ask about. */
let atS: number;

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const { port } = service.address() as AddressInfo;
  prometheus = await PrometheusServer.start({ test: { port, path: "/metrics" } }, ["native-histograms"]);
  atS = await prometheus.scraped();
});

after(async () => {
  await prometheus[Symbol.asyncDispose]();
  service.close();
});

async function bySeries(query: string): Promise<Record<string, number>> {
  const samples = await prometheus.query(query, atS);
  return Object.fromEntries(samples.map((sample) => [sample.metric.series, numberOf(sample)]));
}

function numberOf({ value }: VectorSample): number {
  return Number(value?.[1].replace("Inf", "Infinity"));
}

test("Prometheus asks for protobuf and takes native histograms with their counts and sums", async () => {
  const counts = await bySeries("histogram_count(wait_seconds)");
  const sums = await bySeries("histogram_sum(wait_seconds)");

  const expected = Object.entries(histograms);
  assert.deepEqual(counts, Object.fromEntries(expected.map(([series, { count }]) => [series, count])));
  assert.deepEqual(sums, Object.fromEntries(expected.map(([series, { sum }]) => [series, sum])));
  assert.deepEqual([...new Set(formats)], ["prometheus-protobuf"]);
});

/** Whether both lie in one bucket, its edges included up to their rounding; a bucket of zeros reaches to the threshold. */
function isInBucketOf(histogram: ExponentialHistogram, ours: number, theirs: number): boolean {
  if (Number.isNaN(ours)) return Number.isNaN(theirs);
  if (ours === 0) return Math.abs(theirs) <= 2 ** -128;
  const index = bucketIndexerOf(histogram.schema)(Math.abs(ours));
  const [lower, upper] = [bucketLowerAt(histogram.schema, index), bucketUpperAt(histogram.schema, index)];
  const size = Math.sign(ours) * theirs;
  return size >= lower * (1 - 1e-12) && size <= upper * (1 + 1e-12);
}

for (const q of [0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999])
  test(`histogram_quantile(${q}) is in the bucket of quantileOf()`, async () => {
    const theirs = await bySeries(`histogram_quantile(${q}, wait_seconds)`);

    for (const [series, histogram] of Object.entries(histograms)) {
      const ours = quantileOf(histogram, q);
      const value = theirs[series] ?? assert.fail(`Prometheus has no ${series}`);
      assert.ok(isInBucketOf(histogram, ours, value), `${series}: ${value} of Prometheus, ${ours} of ours`);
    }
  });

test("Prometheus takes counters by protobuf, whole numbers to 2^53 and any label value", async () => {
  const samples = await prometheus.query("orders_total", atS);

  const labelled = samples.map((sample) => {
    const { instance: _, job: __, ...labels } = sample.metric;
    return [labels, numberOf(sample)] as const;
  });
  assert.deepEqual(
    labelled.sort(([, a], [, b]) => b - a),
    [
      [{ __name__: "orders_total", status: 'say "é"\n\ufffd' }, 2 ** 53 - 1],
      [{ __name__: "orders_total", otel_metric_overflow: "true" }, 7],
    ],
  );
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import {
  type MetricFamily,
  type MetricsSnapshot,
  negotiate,
  openRegistry,
  writeYielding,
} from "../../src/metrics/index.js";
import { openServer } from "../../src/server/index.js";
import { bucketUpperAt } from "../../src/sketch/index.js";
import { FakeSource } from "../kit/fake-source.js";
import { histograms, numbers, samplesWindow } from "../kit/metrics/sample-families.js";
import { PrometheusServer, type VectorSample } from "../kit/prometheus.js";
import { until } from "../kit/until.js";

const openMetrics = "application/openmetrics-text;version=1.0.0";
const text = "text/plain;version=0.0.4";

/** Seconds around 100 ms, with a long tail; the same each time. */
const waits = Array.from({ length: 1000 }, (_, at) => 0.1 * Math.exp(((at * 7919) % 1000) / 200 - 2.5));
const slow = waits.map((seconds) => seconds * 3);

const awkward = [
  "plain",
  'quote"',
  "back\\slash",
  "\\n",
  "new\nline",
  "carriage\rreturn\r",
  "nul\u0000",
  "a,b",
  'a="b"}',
  "🙂 é \u2028",
  "lone \ud800",
  " blanks ",
  "__proto__",
  "x".repeat(1_000_000),
];

const families: readonly MetricFamily[] = [
  numbers(
    "counter",
    { name: "requests", labelNames: ["text"] },
    awkward.map((value, at) => [[value], at + 0.5]),
  ),
  numbers("gauge", { name: "numbers", labelNames: ["of"] }, [
    [["nan"], Number.NaN],
    [["infinite"], Number.POSITIVE_INFINITY],
    [["negative"], Number.NEGATIVE_INFINITY],
    [["large"], 2 ** 53 - 1],
    [["small"], Number.MIN_VALUE],
    [["huge"], 1e300],
    [["zero"], -0],
  ]),
  numbers("upDownCounter", { name: "1 odd.name 🙂", labelNames: ["odd label", "9", "__x"] }, [
    [["a", "b", "c"], -3],
  ]),
  histograms({ name: "wait_seconds", unit: "s", labelNames: ["route"] }, [
    [["/a"], waits],
    [["/b"], slow],
    [["/none"], []],
  ]),
  histograms({ name: "balance" }, [[[], [-5, -1, 0, 2, 7]]]),
  samplesWindow({ name: "last", unit: "s", labelNames: ["q"] }, [
    [["x"], [1, 2, 3, 10]],
    [["empty"], []],
  ]),
];

/** Answers by negotiation, or at a path that names one, always in that format. */
async function serve(
  t: TestContext,
  snapshot: () => MetricsSnapshot,
): Promise<{ port: number; accepts: Set<string> }> {
  const accepts = new Set<string>();
  const forced: Readonly<Record<string, string>> = {
    "/text": text,
    "/openmetrics": openMetrics,
    "/text-created": text,
    "/openmetrics-created": openMetrics,
  };
  const server = createServer((request: IncomingMessage, response) => {
    accepts.add(request.headers.accept ?? "");
    const format = negotiate(forced[request.url ?? ""] ?? request.headers.accept);
    response.setHeader("content-type", format.contentType);
    const created = request.url?.endsWith("created") === true;
    Readable.from(writeYielding(format.render(snapshot(), { created }))).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, accepts };
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

/** Values by label set, without what Prometheus adds itself. */
function byLabels(vector: readonly VectorSample[]): Map<string, number> {
  return new Map(
    vector.map(({ metric: { job: _job, instance: _instance, ...labels }, value }) => [
      keyOf(labels),
      // Without the sign of zero, which protobuf keeps.
      Number(value?.[1].replace("Inf", "Infinity")) + 0,
    ]),
  );
}

/** What the families are to Prometheus, but for the buckets of histograms. */
function expected(): Map<string, number> {
  const wellFormed = (value: string): string => value.replace(/[\ud800-\udfff]/gu, "\ufffd");
  const series: [Record<string, string>, number][] = [
    ...awkward.map((value, at): [Record<string, string>, number] => [
      { __name__: "requests_total", text: wellFormed(value) },
      at + 0.5,
    ]),
    [{ __name__: "numbers", of: "nan" }, Number.NaN],
    [{ __name__: "numbers", of: "infinite" }, Number.POSITIVE_INFINITY],
    [{ __name__: "numbers", of: "negative" }, Number.NEGATIVE_INFINITY],
    [{ __name__: "numbers", of: "large" }, 2 ** 53 - 1],
    [{ __name__: "numbers", of: "small" }, Number.MIN_VALUE],
    [{ __name__: "numbers", of: "huge" }, 1e300],
    [{ __name__: "numbers", of: "zero" }, 0],
    [{ __name__: "metric_1_odd_name__", odd_label: "a", key_9: "b", key_x: "c" }, -3],
    ...Object.entries({ avg: 4, min: 1, max: 10, p50: 2, p95: 10, p99: 10, count: 4 }).map(
      ([of, value]): [Record<string, string>, number] => [{ __name__: `last_${of}`, q: "x" }, value],
    ),
    [{ __name__: "last_count", q: "empty" }, 0],
  ];
  return new Map(series.map(([labels, value]) => [keyOf(labels), value]));
}

/** What histogram_quantile computes: straight interpolation inside the bucket of the rank. */
function interpolated(values: readonly number[], edges: readonly number[], q: number): number {
  const rank = q * values.length;
  const counts = edges.map((edge) => values.filter((value) => value <= edge).length);
  const at = counts.findIndex((count) => count >= rank);
  const [start, before] = at === 0 ? [0, 0] : [edges[at - 1]!, counts[at - 1]!];
  return start + (edges[at]! - start) * ((rank - before) / (counts[at]! - before));
}

/** Value of rank ceil(q * n). */
function exactQuantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;
}

function near(found: number | undefined, wanted: number, relative: number, what: string): void {
  assert.ok(Math.abs(found! - wanted) <= Math.abs(wanted) * relative, `${what}: ${found} for ${wanted}`);
}

const edges = [0, ...Array.from({ length: 23 }, (_, at) => 2 ** (at - 10))];
const routes: readonly (readonly [route: string, values: readonly number[]])[] = [
  ["/a", waits],
  ["/b", slow],
];
const handMade = (): MetricsSnapshot => ({ atMs: 0, isExact: true, families });

function sorted(series: ReadonlyMap<string, number>): [string, number][] {
  return [...series].sort(([a], [b]) => (a < b ? -1 : 1));
}

// Side by side, because each server takes some seconds before its first scrape.
describe("Prometheus", { concurrency: true }, () => {
  test("a Prometheus server reads every number from both texts, and asks for OpenMetrics", async (t) => {
    const { port, accepts } = await serve(t, handMade);
    await using prometheus = await PrometheusServer.start({
      text: { port, path: "/text" },
      openmetrics: { port, path: "/openmetrics" },
      negotiated: { port, path: "/metrics" },
      "text-created": { port, path: "/text-created" },
      "openmetrics-created": { port, path: "/openmetrics-created" },
    });

    const atS = await prometheus.scraped();
    const ask = (query: string): Promise<readonly VectorSample[]> => prometheus.query(query, atS);

    assert.equal(accepts.size, 1);
    assert.match(negotiate([...accepts][0]).contentType, /^application\/openmetrics-text; version=1\.0\.0/);
    for (const job of ["text", "openmetrics", "negotiated"]) {
      const own = `job="${job}",__name__!~"(wait_seconds|balance)_.*|up|scrape_.*"`;
      assert.deepEqual(sorted(byLabels(await ask(`{${own}}`))), sorted(expected()), job);
      for (const [route, values] of routes) {
        const labels = `job="${job}",route="${route}"`;
        const sum = byLabels(await ask(`wait_seconds_sum{${labels}}`))
          .values()
          .next().value;
        near(
          sum,
          values.reduce((a, b) => a + b),
          1e-12,
          "sum",
        );
        // By edges as numbers: the two texts write them differently.
        const buckets = await ask(`wait_seconds_bucket{${labels},le!="+Inf"}`);
        assert.deepEqual(
          buckets
            .map(({ metric, value }) => [Number(metric.le), Number(value?.[1])])
            .sort(([a], [b]) => a! - b!),
          edges.map((edge) => [edge, values.filter((value) => value <= edge).length]),
        );
        for (const q of [0.01, 0.5, 0.9, 0.99]) {
          const [answer] = await ask(`histogram_quantile(${q}, wait_seconds_bucket{${labels}})`);
          near(Number(answer?.value?.[1]), interpolated(values, edges, q), 1e-12, `quantile ${q}`);
        }
      }
      const [empty] = await ask(`wait_seconds_count{job="${job}",route="/none"}`);
      assert.equal(empty?.value?.[1], "0");
      const [below] = await ask(`balance_bucket{job="${job}",le=~"0|0.0"}`);
      assert.equal(below?.value?.[1], "3");
    }
    for (const job of ["text-created", "openmetrics-created"]) {
      const began = await ask(`{job="${job}",__name__=~".*_created"}`);
      assert.equal(began.length, awkward.length + routes.length + 2, job);
      for (const { value } of began) assert.equal(value?.[1], "1700000000.123");
    }
  });

  test("a Prometheus server with native histograms asks for protobuf and has all of our buckets", async (t) => {
    const { port, accepts } = await serve(t, handMade);
    await using prometheus = await PrometheusServer.start({ native: { port, path: "/metrics" } }, [
      "native-histograms",
    ]);

    const atS = await prometheus.scraped();
    const ask = (query: string): Promise<readonly VectorSample[]> => prometheus.query(query, atS);

    assert.match(negotiate([...accepts][0]).contentType, /^application\/vnd\.google\.protobuf/);
    const plain = byLabels(await ask('{job="native",__name__!~"wait_seconds|balance|up|scrape_.*"}'));
    assert.deepEqual(sorted(plain), sorted(expected()));
    for (const [route, values] of routes) {
      const series = `wait_seconds{route="${route}"}`;
      const family = families.find(({ name }) => name === "wait_seconds");
      assert.ok(family?.kind === "histogram");
      const { histogram } = family.points.find(({ labels }) => labels[0] === route)!;

      const [sample] = await ask(series);

      const [, native] = sample!.histogram!;
      assert.equal(Number(native.count), values.length);
      near(Number(native.sum), histogram.sum, 1e-12, "sum");
      const { indexes, counts } = histogram.positive;
      assert.deepEqual(
        native.buckets?.map(([, , , count]) => Number(count)),
        counts,
      );
      for (const [at, [, , right]] of native.buckets!.entries())
        near(Number(right), bucketUpperAt(histogram.schema, indexes[at]!), 1e-14, "edge");
      for (const q of [0.01, 0.5, 0.9, 0.99]) {
        const [answer] = await ask(`histogram_quantile(${q}, ${series})`);
        // The whole width of a bucket of schema 5, since Prometheus may answer with any value of it.
        near(Number(answer?.value?.[1]), exactQuantile(values, q), 2 ** (1 / 32) - 1, `quantile ${q}`);
      }
    }
    const [below] = await ask("balance");
    assert.equal(below!.histogram![1].count, "5");
    assert.equal(Number(below!.histogram![1].sum), 3);
  });

  test("a Prometheus server sees a registry count", async (t) => {
    const registry = openRegistry({ name: "prometheus-test" });
    const orders = registry.counter("orders", { help: "Orders", labels: ["side"] });
    const wait = registry.histogram("wait_seconds", { help: "Wait", unit: "s" });
    orders.add(3, { side: "buy" });
    wait.record(0.25);
    const { port } = await serve(t, () => registry.snapshot());
    await using prometheus = await PrometheusServer.start({ registry: { port, path: "/metrics" } });
    await prometheus.scraped();
    const valueNow = async (query: string): Promise<number> =>
      Number((await prometheus.query(query))[0]?.value?.[1]);

    assert.equal(await valueNow('orders_total{side="buy"}'), 3);
    assert.equal(await valueNow('wait_seconds_bucket{le="0.25"}'), 1);

    orders.add(4, { side: "buy" });
    await until("the next scrape has it", async () => (await valueNow('orders_total{side="buy"}')) === 7);
  });

  test("a Prometheus server reads what this server says of its metrics", async (t) => {
    const source = new FakeSource(Date.UTC(2026, 0, 2));
    source.settle([
      { timeMs: 1, route: "/a", status: "200", durationMs: 5 },
      { timeMs: 2, route: "/a", status: "500", durationMs: 7 },
    ]);
    const server = await openServer({ source, port: 0 });
    t.after(() => server.close());
    const target = { port: server.port, path: "/metrics" };
    await using prometheus = await PrometheusServer.start({ own: target }, ["native-histograms"]);

    const atS = await prometheus.scraped();
    const ask = (query: string): Promise<readonly VectorSample[]> => prometheus.query(query, atS);

    const requests = byLabels(await ask("sum by (route) (requests_total)"));
    assert.deepEqual([...requests], [[keyOf({ route: "/a" }), 2]]);
    const [latency] = await ask("latency_milliseconds");
    assert.deepEqual([latency?.metric.route, latency?.histogram?.[1].sum], ["/a", "12"]);
  });
});

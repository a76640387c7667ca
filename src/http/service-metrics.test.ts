import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { ManualClock } from "../base/index.js";
import {
  ask,
  closing,
  countsOf,
  gate,
  inFlight,
  keptAlive,
  listening,
  testService,
} from "./service.testkit.js";

const frozenNames = [
  "requests_total",
  "errors_total",
  "cache_hits_total",
  "rate_limited_total",
  "avg_latency_ms",
  "p95_latency_ms",
  "latency_samples",
];

test("metricsJson() has the seven names that never change, and everything under metrics, of one snapshot", async (t) => {
  const service = testService();
  const server = createServer((message, answer) =>
    message.url === "/metrics.json" ? service.metricsJson()(message, answer) : answer.end(),
  );
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  const empty = JSON.parse((await ask(port, "/metrics.json")).body);
  for (let n = 0; n < 3; n += 1) await ask(port, "/");
  const { headers, body } = await ask(port, "/metrics.json");

  const full = JSON.parse(body);
  assert.deepEqual(Object.keys(full), [...frozenNames, "metrics"]);
  assert.deepEqual(
    frozenNames.map((name) => empty[name]),
    [0, 0, 0, 0, 0, 0, 0],
  );
  assert.equal(headers["content-type"], "application/json; charset=utf-8");
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(full.requests_total, 3);
  assert.equal(full.latency_samples, 3);
  assert.equal(full.metrics.families.http_request_latency_milliseconds.points[0].n, 3);
});

test("the latencies' mean and nearest-rank p95 have two decimals, over the newest 1000", async (t) => {
  const clock = new ManualClock(0);
  const service = testService({}, clock);
  const server = createServer((message, answer) => {
    clock.advance(Number(message.url!.slice(1)));
    answer.end();
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  // 20 values: rank ceil(0.95 * 20) is the 19th, not the largest.
  for (let n = 1; n <= 20; n += 1) await ask(port, `/${n === 20 ? 1000 : n + 0.123}`);
  const of20 = service.numbers();
  assert.equal(of20.p95_latency_ms, 19.12);
  assert.equal(of20.avg_latency_ms, 59.62);
  assert.equal(of20.latency_samples, 20);

  const many = testService({ latencySamplesMax: 10 }, clock);
  const recording = many.listener((_message: IncomingMessage, answer: ServerResponse) => {
    clock.advance(1);
    answer.end();
  });
  const other = createServer(recording);
  t.after(() => closing(other));
  const otherPort = await listening(other);
  for (let n = 0; n < 25; n += 1) await ask(otherPort, "/");
  assert.deepEqual(many.numbers().latency_samples, 10);
  assert.deepEqual(many.numbers().requests_total, 25);
});

test("scrapes are no requests, and one that is asked to count is", async (t) => {
  for (const countsScrapes of [false, true]) {
    const service = testService({ countsScrapes });
    const server = createServer(service.metrics());
    service.instrument(server);
    t.after(() => closing(server));
    const port = await listening(server);

    await ask(port, "/metrics");
    const { body } = await ask(port, "/metrics");

    assert.equal(/http_requests_total\{.*\} 1\n/.test(body), countsScrapes);
    assert.match(body, new RegExp(`http_requests_in_flight\\{method="GET"\\} ${countsScrapes ? 1 : 0}\\n`));
    assert.equal(inFlight(service), 0);
  }
});

test("metrics() writes what each request's Accept wants, nothing for HEAD, and refuses other methods", async (t) => {
  const service = testService();
  const server = createServer(service.metrics());
  t.after(() => closing(server));
  const port = await listening(server);

  const text = await ask(port, "/metrics");
  const open = await ask(port, "/metrics", {
    headers: { accept: "application/openmetrics-text;version=1.0.0" },
  });
  const proto = await ask(port, "/metrics", {
    headers: {
      accept:
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.1",
    },
  });
  const head = await ask(port, "/metrics", { method: "HEAD" });
  const post = await ask(port, "/metrics", { method: "POST" });

  assert.equal(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  assert.match(open.headers["content-type"]!, /^application\/openmetrics-text/);
  assert.match(proto.headers["content-type"]!, /^application\/vnd\.google\.protobuf/);
  assert.deepEqual([head.status, head.body], [200, ""]);
  assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD"]);
});

test("metrics() answers 500 without a word of why when its source fails", async (t) => {
  const service = testService();
  const source = { collect: () => Promise.reject(new Error("secret")) };
  const server = createServer(service.metrics(source));
  t.after(() => closing(server));
  const port = await listening(server);

  const { status, body } = await ask(port, "/metrics");

  assert.deepEqual([status, body], [500, "Cannot read the metrics\n"]);
});

test("every snapshot under load adds up: requests >= samples, begun = ended + in flight", async (t) => {
  const service = testService({ latencySamplesMax: 5000 });
  const server = createServer(async (message, answer) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (message.url === "/bad") answer.statusCode = 500;
    if (message.url === "/limited") {
      service.rateLimited();
      answer.statusCode = 429;
    }
    answer.end();
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);
  const paths = ["/", "/bad", "/limited", "/"];

  let isLoading = true;
  let cuts = 0;
  let before = service.numbers();
  const load = Promise.all(
    Array.from({ length: 8 }, async (_, user) => {
      for (let n = 0; n < 50; n += 1) await ask(port, paths[(user + n) % 4]!);
    }),
  ).then(() => {
    isLoading = false;
  });
  while (isLoading) {
    const snapshot = service.registry.snapshot();
    const total = (name: string): number => {
      const points = snapshot.families.find((family) => family.name === name)!.points;
      return points.reduce(
        (sum, point) =>
          sum + ("value" in point ? point.value : "histogram" in point ? point.histogram.count : 0),
        0,
      );
    };
    const numbers = service.numbers();
    assert.ok(numbers.requests_total >= numbers.latency_samples);
    assert.ok(numbers.requests_total >= before.requests_total);
    assert.equal(total("http_requests_total"), total("http_request_duration_seconds"));
    assert.ok(numbers.errors_total + numbers.rate_limited_total <= numbers.latency_samples);
    before = numbers;
    cuts += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await load;

  assert.ok(cuts > 10, `only ${cuts} cuts`);
  const { requests_total, errors_total, rate_limited_total, latency_samples } = service.numbers();
  assert.deepEqual([requests_total, errors_total, rate_limited_total, latency_samples], [400, 100, 100, 400]);
  assert.equal(inFlight(service), 0);
});

test("every snapshot that another thread takes under load adds up", async (t) => {
  const service = testService({ latencySamplesMax: 5000 });
  const server = createServer((message, answer) => {
    answer.statusCode = message.url === "/bad" ? 500 : 200;
    answer.end();
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);
  const door = new URL("../metrics/index.js", import.meta.url).href;
  const code = `
    const { openRegistry } = await import(${JSON.stringify(door)});
    const { parentPort } = await import("node:worker_threads");
    const registry = openRegistry({ name: ${JSON.stringify(service.registry.name)} });
    const valueOf = (point) => point.value ?? point.histogram?.count ?? point.values.sorted.length;
    const wrong = [];
    let cuts = 0;
    let isOver = false;
    parentPort.once("message", () => { isOver = true; });
    let begunBefore = 0;
    while (!isOver) {
      for (let n = 0; n < 20; n += 1, cuts += 1) {
        const { families, isExact } = registry.snapshot();
        const total = (name) => families.find((one) => one.name === name).points.reduce((sum, point) => sum + valueOf(point), 0);
        const ended = total("http_requests_total");
        const begun = ended + total("http_requests_in_flight");
        const samples = total("http_request_latency_milliseconds");
        const timed = total("http_request_duration_seconds");
        if (isExact && (ended !== samples || ended !== timed || begun < begunBefore))
          wrong.push({ ended, samples, timed, begun, begunBefore });
        begunBefore = begun;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    parentPort.postMessage({ cuts, wrong: wrong.slice(0, 5) });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  await once(worker, "online");

  await Promise.all(
    Array.from({ length: 8 }, async (_, user) => {
      const agent = keptAlive();
      for (let n = 0; n < 100; n += 1) await ask(port, (user + n) % 2 === 0 ? "/" : "/bad", { agent });
      agent.destroy();
    }),
  );
  worker.postMessage("over");
  const [{ cuts, wrong }] = await once(worker, "message");
  await worker.terminate();

  assert.deepEqual(wrong, []);
  assert.ok(cuts > 100, `only ${cuts} cuts`);
  assert.equal(service.numbers().latency_samples, 800);
});

test("routes and errors beyond their caps share one name", async (t) => {
  const service = testService({ routesMax: 2, errorTypesMax: 2 });
  const server = createServer((message, answer) => {
    service.route(message.url!);
    service.failed(Object.assign(new Error(), { code: `E_${message.url!.slice(1)}` }));
    answer.writeHead(500).end();
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  for (const path of ["/a", "/b", "/c", "/d", "/a"]) await ask(port, path);

  assert.deepEqual(countsOf(service.registry, "http_request_errors_total"), {
    "GET /a exception E_a": 2,
    "GET /b exception E_b": 1,
    "GET (other) exception _OTHER": 2,
  });
});

test("names: opentelemetry gives the convention's metrics, attributes and unit", async (t) => {
  const service = testService({ names: "opentelemetry" });
  const under = gate();
  const arrived = gate();
  const server = createServer(async (message, answer) => {
    if (message.url === "/slow") {
      arrived.open();
      await under.opened;
    }
    if (message.url !== "/none") service.route("/things/:id");
    if (message.url === "/throws") service.failed(new RangeError());
    answer.statusCode = message.url === "/throws" ? 500 : message.url === "/none" ? 404 : 200;
    answer.end();
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  for (const path of ["/", "/throws", "/none"]) await ask(port, path);
  const slow = ask(port, "/slow");
  await arrived.opened;

  assert.deepEqual(countsOf(service.registry, "http.server.request.duration"), {
    "GET /things/:id 200  http": 1,
    "GET /things/:id 500 RangeError http": 1,
    "GET  404  http": 1,
  });
  assert.deepEqual(countsOf(service.registry, "http.server.active_requests"), { "GET http": 1 });
  const duration = service.registry
    .snapshot()
    .families.find(({ name }) => name === "http.server.request.duration");
  assert.equal(duration?.unit, "s");
  assert.deepEqual(duration?.labelNames, [
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "url.scheme",
  ]);
  assert.deepEqual(service.numbers().requests_total, 4);
  assert.deepEqual(service.numbers().errors_total, 1);
  under.open();
  await slow;
});

test("serviceMetrics() refuses options outside their ranges", () => {
  for (const options of [
    { routesMax: 0 },
    { latencySamplesMax: 1.5 },
    { errorTypesMax: -1 },
    { cachesMax: 0 },
  ])
    assert.throws(() => testService(options), { code: "OPTION_INVALID" });
  assert.throws(() => testService({ names: "statsd" as never }), { code: "OPTION_INVALID" });
});

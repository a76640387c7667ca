import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { attachRegistry, type MetricsSnapshot, openRegistry, type Registry } from "./index.js";

let made = 0;

/** A registry that no other test has. */
function testRegistry(): Registry {
  made += 1;
  return openRegistry({ name: `registry.test ${made}`, reserveBytes: 8 * 2 ** 20, hasOwnMetrics: false });
}

function valuesOf(snapshot: MetricsSnapshot, name: string): Record<string, number> {
  const family = snapshot.families.find((one) => one.name === name);
  assert.ok(family !== undefined && "points" in family, `no ${name}`);
  return Object.fromEntries(
    family.points.map((point) => [point.labels.join("|"), "value" in point ? point.value : Number.NaN]),
  );
}

test("Counter.add() sums up by labels, bound or not", () => {
  const registry = testRegistry();
  const requests = registry.counter("requests", { labels: ["method", "status"] });

  requests.add(1, { method: "GET", status: 200 });
  requests.add(2, { status: "200", method: "GET" });
  requests.bind({ method: "POST", status: 500 }).add(4);

  assert.deepEqual(valuesOf(registry.snapshot(), "requests"), { "GET|200": 3, "POST|500": 4 });
});

test("Counter.add() keeps what rounding would take away", () => {
  const registry = testRegistry();
  const sum = registry.counter("sum").bind();

  for (let n = 0; n < 100_000; n += 1) sum.add(0.1);

  assert.equal(valuesOf(registry.snapshot(), "sum")[""], 10_000);
});

test("Registry.counter() refuses another shape and knows the same one again", () => {
  const registry = testRegistry();
  const first = registry.counter("jobs", { labels: ["queue"], unit: "{job}" });

  assert.equal(registry.counter("jobs", { labels: ["queue"], unit: "{job}", help: "Jobs" }), first);
  assert.throws(() => registry.counter("jobs", { labels: ["lane"], unit: "{job}" }), {
    code: "METRICS_CONFLICT",
  });
  assert.throws(() => registry.gauge("jobs", { labels: ["queue"], unit: "{job}" }), {
    code: "METRICS_CONFLICT",
  });
});

test("attachRegistry() refuses a buffer that is no registry", () => {
  const buffer = new SharedArrayBuffer(4096);

  assert.throws(() => attachRegistry(buffer, { name: "no registry" }), { code: "METRICS_LAYOUT" });
});

test("Registry.add(), set() and record() use metrics by their names, and refuse those that nobody registered", () => {
  const registry = testRegistry();
  registry.counter("requests", { labels: ["method"] });
  registry.gauge("depth");
  registry.window("latency_ms", { samplesMax: 10 });

  registry.add("requests", 2, { method: "GET" });
  registry.set("depth", 7);
  for (let n = 1; n <= 20; n += 1) registry.record("latency_ms", n);

  assert.equal(registry.get("requests", { method: "GET" }), 2);
  assert.equal(registry.get("requests", { method: "PUT" }), 0);
  assert.equal(registry.get("depth"), 7);
  assert.equal(registry.get("latency_ms"), 10);
  assert.throws(() => registry.add("request"), { code: "METRICS_UNKNOWN" });
  assert.throws(() => registry.get("request"), { code: "METRICS_UNKNOWN" });
  assert.throws(() => registry.set("requests", 1, { method: "GET" }), { code: "METRICS_KIND" });
});

test("Registry.add() registers by use in a lazy registry", () => {
  made += 1;
  const registry = openRegistry({
    name: `registry.test ${made}`,
    registration: "lazy",
    reserveBytes: 8 * 2 ** 20,
  });

  registry.add("requests", 1, { method: "GET" });
  registry.record("latency", 5);

  assert.equal(registry.get("requests", { method: "GET" }), 1);
  assert.equal(registry.get("latency"), 1);
  assert.equal(registry.get("nothing"), 0);
  assert.throws(() => registry.add("requests", 1, { verb: "GET" }), { code: "METRICS_LABELS" });
});

test("Registry.reset() forgets what was recorded; what is bound begins again", () => {
  const registry = testRegistry();
  const requests = registry.counter("requests").bind();
  const latency = registry.histogram("latency").bind();
  requests.add(3);
  latency.record(5);

  registry.reset();
  const before = [registry.get("requests"), registry.get("latency")];
  requests.add(1);
  latency.record(6);

  assert.deepEqual(before, [0, 0]);
  assert.deepEqual([registry.get("requests"), registry.get("latency")], [1, 1]);
});

test("BoundCounter.add() and the others refuse what can't be recorded, and record nothing then", () => {
  const registry = testRegistry();
  const counter = registry.counter("counter").bind();
  const histogram = registry.histogram("histogram").bind();

  for (const value of [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "1" as unknown as number,
    1n as unknown as number,
  ])
    assert.throws(() => counter.add(value), { code: "METRICS_VALUE" }, String(value));
  for (const value of [
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    "1" as unknown as number,
    1n as unknown as number,
  ])
    assert.throws(() => histogram.record(value), { code: "METRICS_VALUE" }, String(value));

  assert.deepEqual([registry.get("counter"), registry.get("histogram")], [0, 0]);
});

test("Registry.collect() gives those who ask meanwhile one more, which they share", async () => {
  const registry = testRegistry();
  const requests = registry.counter("requests").bind();
  const asked = new AbortController();

  requests.add();
  const first = registry.collect();
  const second = registry.collect();
  const third = registry.collect(asked.signal);
  const fourth = registry.collect();
  asked.abort(new Error("gone"));

  await assert.rejects(third, /gone/);
  assert.equal(await first, await second);
  requests.add();
  const later = registry.collect();
  assert.equal(valuesOf(await fourth, "requests")[""], 1);
  assert.equal(valuesOf(await later, "requests")[""], 2);
});

test("openRegistry() says that the system has no address space, and what to do", () => {
  const door = JSON.stringify(new URL("./index.js", import.meta.url).href);
  const program = `
    import { openRegistry } from ${door};
    try { openRegistry({ reserveBytes: 8 * 2 ** 30 }); } catch (error) { console.log(error.code, error.hint); }`;
  const node = `${process.execPath} --input-type=module -e '${program}'`;

  const { stdout } = spawnSync("sh", ["-c", `ulimit -v 6000000; exec ${node}`], { encoding: "utf8" });

  assert.match(stdout, /^METRICS_RESERVE .*smaller `reserveBytes`/);
});

test("openRegistry() may be called for many registries in one thread without a warning from Node", async () => {
  const door = new URL("./index.js", import.meta.url).href;
  const program = `
    const { openRegistry } = await import(${JSON.stringify(door)});
    for (let n = 0; n < 12; n += 1) openRegistry({ name: \`many \${n}\`, reserveBytes: 4 * 2 ** 20 }).counter("c").add();`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const worker = new Worker(url, { stderr: true });
  let complaints = "";
  worker.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });

  const [code] = await once(worker, "exit");

  assert.deepEqual([code, complaints], [0, ""]);
});

test("attachRegistry() answers the same registry for the same memory, and refuses other memory under its name", () => {
  const registry = testRegistry();
  const other = testRegistry();
  const { name } = registry;

  assert.equal(attachRegistry(structuredClone(registry.buffer), { name }), registry);
  assert.throws(() => attachRegistry(other.buffer, { name }), { code: "OPTION_INVALID" });
});

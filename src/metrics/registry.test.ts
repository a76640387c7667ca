import assert from "node:assert/strict";
import { test } from "node:test";
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

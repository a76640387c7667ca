import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricLabelsError, openRegistry } from "./index.js";

type Labels = { method: string; status: string };

const registry = openRegistry({
  name: "bindings.test",
  reserveBytes: 8 * 2 ** 20,
  hasOwnMetrics: false,
});

test("Counter.bind() finds the same counter whatever the order of its labels", () => {
  const counter = registry.counter("ordered", { labels: ["method", "status"] });

  const bound = counter.bind({ method: "GET", status: "200" });

  assert.equal(counter.bind({ status: "200", method: "GET" }), bound);
  assert.equal(counter.bind({ method: "GET", status: "200" }), bound);
  assert.notEqual(counter.bind({ method: "200", status: "GET" }), bound);
});

for (const [what, labels] of [
  ["lack the last one", { method: "GET" }],
  ["lack the first one", { status: "200" }],
  ["have one more behind", { method: "GET", status: "200", route: "/" }],
  ["have one more in front", { route: "/", method: "GET", status: "200" }],
  ["have another one", { method: "GET", route: "/" }],
  ["are none", {}],
] as const)
  test(`Counter.bind() refuses labels that ${what}, though such values are known`, () => {
    const counter = registry.counter("refusing", { labels: ["method", "status"] });
    counter.bind({ method: "GET", status: "200" });

    assert.throws(() => counter.bind(labels as unknown as Labels), MetricLabelsError);
  });

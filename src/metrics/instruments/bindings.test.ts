import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricLabelsError, type NumberPoint, openRegistry } from "../index.js";

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

test("Counter.add() takes a label whose value changes each time that it is read for one value, and for none of another's", () => {
  const counter = registry.counter("changing", { labels: ["route"] });
  let reads = 0;
  const changing = {
    get route(): string {
      reads += 1;
      return `r${reads}`;
    },
  };

  for (let n = 0; n < 5; n += 1) counter.add(1, changing);
  for (let n = 1; n <= reads; n += 1) counter.add(1000, { route: `r${n}` });

  const family = registry.snapshot().families.find(({ name }) => name === "changing");
  const values = (family!.points as readonly NumberPoint[]).map(({ value }) => value);
  assert.equal(values.length, reads);
  assert.deepEqual(
    values.filter((value) => value > 1001),
    [],
  );
});

test("Counter.add() refuses null in place of labels as it refuses none", () => {
  const counter = registry.counter("of_null", { labels: ["route"] });

  assert.throws(() => counter.add(1, null as unknown as { route: string }), MetricLabelsError);
});

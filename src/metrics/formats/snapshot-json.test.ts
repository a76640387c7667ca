import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyFamilies } from "../../../test/kit/metrics/any-families.js";
import {
  histogramOf,
  histograms,
  numbers,
  recentWindow,
  samplesWindow,
} from "../../../test/kit/metrics/sample-families.js";
import { subtractExponential } from "../../sketch/index.js";
import type { MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { type HistogramPointJson, renderJson, snapshotToJson } from "./snapshot-json.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);
const startedMs = 1_700_000_000_123;

function snapshotOf(families: readonly MetricFamily[]): MetricsSnapshot {
  return { atMs: 1_700_000_060_000, isExact: true, families };
}

test("snapshotToJson() has families by name, and labels as objects", () => {
  const gauge = numbers("gauge", { name: "depth" }, [[[], 2]]);
  const json = snapshotToJson(
    snapshotOf([
      numbers("counter", { name: "any.name", help: "H", unit: "{call}", labelNames: ["a", "b"] }, [
        [["1", ""], 3],
      ]),
      { ...gauge, points: [{ ...gauge.points[0]!, setMs: 5 }] } as MetricFamily,
    ]),
  );

  assert.deepEqual(json, {
    schema: "poundlock.metrics/1",
    atMs: 1_700_000_060_000,
    isExact: true,
    families: {
      "any.name": {
        kind: "counter",
        help: "H",
        unit: "{call}",
        points: [{ labels: { a: "1", b: "" }, startedMs, value: 3 }],
      },
      depth: { kind: "gauge", help: "h", points: [{ labels: {}, startedMs, value: 2, setMs: 5 }] },
    },
  });
});

test("snapshotToJson() has a histogram's numbers and its used buckets", () => {
  const { families } = snapshotToJson(
    snapshotOf([histograms({ name: "h" }, [[[], [-2, -1, 0, 1, 2, 4, 4, 4, 4, 100]]])]),
  );
  const { p50, p90, p95, p99, buckets, ...exact } = families.h!.points[0] as HistogramPointJson;

  assert.deepEqual(exact, { labels: {}, startedMs, count: 10, sum: 116, min: -2, max: 100, avg: 11.6 });
  for (const [found, wanted] of [
    [p50, 2],
    [p90, 4],
    [p95, 100],
    [p99, 100],
  ] as const)
    assert.ok(Math.abs(found! - wanted) <= wanted * 0.011, `${found} for ${wanted}`);
  assert.equal(buckets.length, 7);
  assert.deepEqual(
    buckets.map(({ upper, count }) => [upper, count]).filter(([upper]) => Number.isInteger(upper)),
    [
      [0, 1],
      [1, 1],
      [2, 1],
      [4, 4],
    ],
  );
  assert.deepEqual(buckets[1], { lower: -1, upper: buckets[1]!.upper, count: 1 });
  assert.ok(
    buckets.every(({ lower }, at) => at === 0 || lower >= buckets[at - 1]!.upper),
    "by ascending value",
  );
});

test("snapshotToJson() has null for what is no number, and for all of an empty window", () => {
  const empty = { avg: null, min: null, max: null, p50: null, p95: null, p99: null };
  const { families } = snapshotToJson(
    snapshotOf([
      numbers("gauge", { name: "g", labelNames: ["l"] }, [
        [["a"], Number.NaN],
        [["b"], Number.NEGATIVE_INFINITY],
      ]),
      samplesWindow({ name: "w", labelNames: ["l"] }, [
        [["a"], [5, 1, 3]],
        [["b"], []],
      ]),
      recentWindow({ name: "r" }, [[[], []]]),
      histograms({ name: "h" }, [[[], []]]),
    ]),
  );

  assert.deepEqual(
    families.g?.points.map((point) => "value" in point && point.value),
    [null, null],
  );
  const [full, none] = families.w!.points;
  assert.deepEqual(full, {
    labels: { l: "a" },
    startedMs,
    n: 3,
    avg: 3,
    min: 1,
    max: 5,
    p50: 3,
    p95: 5,
    p99: 5,
  });
  assert.deepEqual(none, { labels: { l: "b" }, startedMs, n: 0, ...empty });
  assert.deepEqual(families.r?.points, [{ labels: {}, startedMs, n: 0, ...empty }]);
  assert.deepEqual(families.h?.points, [
    { labels: {}, startedMs, count: 0, sum: 0, ...empty, p90: null, buckets: [] },
  ]);
});

test("snapshotToJson() says where min and max are bounds", () => {
  const family = histograms({ name: "h" }, [[[], [1, 2]]]);
  const histogram = subtractExponential(family.points[0]!.histogram, histogramOf([1]));
  const { families } = snapshotToJson(
    snapshotOf([{ ...family, points: [{ ...family.points[0]!, histogram }] }]),
  );

  const [point] = families.h!.points as HistogramPointJson[];
  assert.deepEqual([point?.count, point?.hasLooseRange], [1, true]);
});

test("snapshotToJson() marks the series that took what the cap refused", () => {
  const family = numbers("counter", { name: "c", labelNames: ["l"] }, []);
  const points = [{ labels: [""], isOverflow: true, startedMs, value: 1 }];
  const { families } = snapshotToJson(snapshotOf([{ ...family, points } as MetricFamily]));

  assert.deepEqual(families.c?.points, [{ labels: { l: "" }, isOverflow: true, startedMs, value: 1 }]);
});

test("renderJson() writes the text of snapshotToJson(), whatever names and labels are", () => {
  const name = "__proto__";
  const special = numbers("counter", { name, labelNames: [name, "constructor"] }, [[["\ud800", "x"], 1]]);
  const check = (families: readonly MetricFamily[]): void => {
    const snapshot = snapshotOf(families);
    assert.equal([...renderJson(snapshot)].join(""), JSON.stringify(snapshotToJson(snapshot)));
  };

  check([special]);
  const { families } = JSON.parse([...renderJson(snapshotOf([special]))].join(""));
  assert.deepEqual(Object.entries(families[name].points[0].labels), [
    [name, "\ud800"],
    ["constructor", "x"],
  ]);
  fc.assert(
    fc.property(anyFamilies, (any) => {
      // Families of one name, which a snapshot has not, and numbers as names, which objects put first.
      const names = new Set<string>();
      check(any.filter((one) => !/^\d+$/.test(one.name) && !names.has(one.name) && names.add(one.name)));
    }),
    { seed, numRuns: 100 },
  );
});

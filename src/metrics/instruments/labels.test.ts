import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../base/index.js";
import { type MetricsSnapshot, openRegistry, type Registry, type RegistryOptions } from "../index.js";
import { hashOf, seriesKey } from "../memory/series.js";
import type { NumberPoint } from "../snapshot.js";

const isFull = process.env.POUNDLOCK_METRICS === "full";
const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);
let made = 0;

function testRegistry(options: RegistryOptions = {}, clock?: ManualClock): Registry {
  made += 1;
  return openRegistry({ name: `labels.test ${made}`, reserveBytes: 8 * 2 ** 20, ...options }, clock);
}

function pointsOf(snapshot: MetricsSnapshot, name: string): readonly NumberPoint[] {
  const family = snapshot.families.find((one) => one.name === name);
  assert.ok(family?.kind === "counter" || family?.kind === "gauge", `no ${name}`);
  return family.points;
}

function sumOf(snapshot: MetricsSnapshot, name: string): number {
  return pointsOf(snapshot, name).reduce((sum, { value }) => sum + value, 0);
}

/** Values that separators, prototypes, encodings or conversions could make the same. */
const awkward = [
  "",
  " ",
  "\0",
  "\0\0",
  "a",
  "a\0",
  "\0a",
  "a,b",
  ",",
  "|",
  "a|",
  "|a",
  ":",
  "a:b",
  '"',
  '","',
  "\\",
  "\n",
  "__proto__",
  "constructor",
  "toString",
  "undefined",
  "null",
  "NaN",
  "true",
  "1",
  "01",
  "1.0",
  "-0",
  "0",
  "\ud800",
  "\udc00",
  "\ufffd",
  "\ud800\udc00",
  "\udc00\ud800",
  "é",
  "e\u0301",
  "\ufeff",
  "\ufeffa",
];

test(`label values never collide, whatever they are (POUNDLOCK_SEED=${seed})`, () => {
  const value = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<string | number | boolean>(
        ...awkward,
        1,
        0,
        -0,
        1.5,
        true,
        false,
        Number.NaN,
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 5 }) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: fc.constantFrom("\ud800", "\udc00", "\ufffd", "a"), maxLength: 3 }),
    },
  );
  const labels = ["first", "__proto__", "constructor"];
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value), { maxLength: 60 }), (tuples) => {
      const registry = testRegistry();
      const counter = registry.counter<string>("counter", { labels });
      const model = new Map<string, number>();
      for (const [n, tuple] of tuples.entries()) {
        const given = Object.fromEntries(labels.map((label, at) => [label, tuple[at]!]));
        counter.add(n + 1, given);
        const key = JSON.stringify(tuple.map(String));
        model.set(key, (model.get(key) ?? 0) + n + 1);
      }

      const points = pointsOf(registry.snapshot(), "counter");

      assert.deepEqual(new Map(points.map((point) => [JSON.stringify(point.labels), point.value])), model);
      assert.equal(points.length, model.size);
      registry.close();
    }),
    { seed, numRuns: 10 },
  );
});

test("label values of a megabyte, that differ in their last character, are two series", () => {
  const registry = testRegistry({ reserveBytes: 32 * 2 ** 20 });
  const counter = registry.counter("counter", { labels: ["label"] });
  const long = "x".repeat(2 ** 20);

  counter.add(1, { label: `${long}a` });
  counter.add(2, { label: `${long}b` });

  const points = pointsOf(registry.snapshot(), "counter");
  assert.deepEqual(
    points.map(({ labels, value }) => [labels[0]!.length, labels[0]!.at(-1), value]),
    [
      [2 ** 20 + 1, "a", 1],
      [2 ** 20 + 1, "b", 2],
    ],
  );
});

test("label values with the same hash are series of their own", () => {
  const byHash = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let n = 0; pairs.length < 1; n += 1) {
    const value = Math.imul(n, 0x9e3779b1).toString(36);
    const hash = hashOf(0, seriesKey([value]));
    const other = byHash.get(hash);
    if (other !== undefined) pairs.push([other, value]);
    byHash.set(hash, value);
  }
  const registry = testRegistry({ hasOwnMetrics: false });
  const counter = registry.counter("counter", { labels: ["label"] });

  for (const [n, pair] of pairs.entries())
    for (const [m, label] of pair.entries())
      for (let k = 0; k < 2; k += 1) counter.add(10 * n + m + 1, { label });

  const wanted = pairs.flatMap((pair, n) => pair.map((label, m) => [label, 2 * (10 * n + m + 1)]));
  assert.deepEqual(
    pointsOf(registry.snapshot(), "counter").map(({ labels, value }) => [labels[0], value]),
    wanted,
  );
});

test("series beyond the cap are one series, exactly, and said to be", () => {
  const registry = testRegistry();
  const counter = registry.counter("counter", { labels: ["label"], seriesMax: 10 });

  for (let round = 0; round < 2; round += 1)
    for (let n = 0; n < 25; n += 1) counter.add(1, { label: `${n}` });

  const snapshot = registry.snapshot();
  const points = pointsOf(snapshot, "counter");
  assert.equal(points.length, 11);
  assert.deepEqual(
    points.filter(({ isOverflow }) => isOverflow === true).map(({ value, labels }) => [value, labels]),
    [[30, [""]]],
  );
  assert.equal(sumOf(snapshot, "counter"), 50);
  assert.equal(sumOf(snapshot, "poundlock_metrics_series_refused_total"), 30);
});

test("records without memory are counted, throw nothing and harm no other series", () => {
  const registry = testRegistry({ reserveBytes: 4 * 2 ** 20 });
  const counter = registry.counter("counter", { labels: ["label"], seriesMax: 1_000_000 });
  const histogram = registry.histogram("histogram");
  const before = registry.counter("before");
  before.add(7);
  const records = 40_000;

  for (let n = 0; n < records; n += 1) counter.add(1, { label: `${n}` });
  histogram.record(1);
  before.add(1);
  counter.add(1, { label: "0" });

  const snapshot = registry.snapshot();
  const dropped = sumOf(snapshot, "poundlock_metrics_records_dropped_total");
  assert.ok(dropped > 1000, `${dropped} dropped`);
  const others = snapshot.families.find(({ name }) => name === "histogram")!.points[0];
  const observed = others !== undefined && "histogram" in others ? others.histogram.count : 0;
  assert.equal(sumOf(snapshot, "counter") + observed + dropped, records + 2);
  assert.equal(sumOf(snapshot, "before"), 8);
  assert.equal(pointsOf(snapshot, "counter")[0]!.value, 2);
});

test("label sets without end pass through a small cap: memory stays, and live series lose nothing", (t) => {
  const clock = new ManualClock(1e12);
  const registry = testRegistry({ reserveBytes: 4 * 2 ** 20, idleMs: 1000 }, clock);
  const labels = ["label"] as const;
  const counter = registry.counter("counter", { labels, seriesMax: 300 });
  const histogram = registry.histogram("histogram", { labels, seriesMax: 300 });
  const window = registry.window("window", { labels, seriesMax: 300, samplesMax: 10 });
  const live = counter.bind({ label: "live" });
  const rounds = isFull ? 10_000 : 30;
  const perRound = 100;
  let usedAfterTen = 0;

  for (let round = 0; round < rounds; round += 1) {
    for (let n = 0; n < perRound; n += 1) {
      const label = `${round} ${n}`;
      counter.add(1, { label });
      histogram.record(1, { label });
      window.record(1, { label });
      live.add();
    }
    // Long enough that what was recorded before the last snapshot but one is gone.
    for (let n = 0; n < 3; n += 1) {
      clock.advance(501);
      live.add();
      const snapshot = registry.snapshot();
      assert.equal(
        pointsOf(snapshot, "counter").find((point) => point.labels[0] === "live")!.value,
        (round + 1) * perRound + round * 3 + n + 1,
      );
    }
    if (round === 10) usedAfterTen = sumOf(registry.snapshot(), "poundlock_metrics_memory_bytes");
  }

  const snapshot = registry.snapshot();
  const used = sumOf(snapshot, "poundlock_metrics_memory_bytes");
  const expired = sumOf(snapshot, "poundlock_metrics_series_expired_total");
  t.diagnostic(`${expired} series expired, ${usedAfterTen} bytes after ten rounds, ${used} at the end`);
  assert.ok(used < usedAfterTen * 1.1, `${used} bytes, ${usedAfterTen} after ten rounds`);
  assert.ok(expired >= 3 * perRound * (rounds - 3));
  assert.equal(sumOf(snapshot, "poundlock_metrics_records_dropped_total"), 0);
  assert.equal(sumOf(snapshot, "poundlock_metrics_series_refused_total"), 0);
});

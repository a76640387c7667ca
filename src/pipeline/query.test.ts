import assert from "node:assert/strict";
import { test } from "node:test";
import { foldText } from "../../test/kit/fold.js";
import { ManualClock } from "../base/index.js";
import { bucketUpperAt } from "../sketch/index.js";
import { defaultLevels, openMemoryStore, type Store } from "../store/index.js";
import { compileRules } from "./compile.js";
import { Query } from "./query.js";
import type { Rules } from "./rules.js";

const startMs = 1_700_000_000_000;

const rules: Rules = {
  sources: [{ name: "s", format: { kind: "json" }, time: { kind: "field", path: "t", format: "ms" } }],
  metrics: [
    { name: "requests", kind: "count", from: [], by: ["route"] },
    { name: "speed", kind: "rate", from: [], by: [] },
    { name: "errors", kind: "ratio", of: "requests", where: "status >= 500", from: [], by: [] },
    { name: "latency", kind: "distribution", value: "ms", unit: "ms", from: [], by: ["route"] },
    { name: "depth", kind: "gauge", value: "depth", unit: "jobs", from: [], by: [] },
    { name: "bytes", kind: "sum", value: "size", unit: "bytes", from: [], by: [] },
  ],
};

interface Line {
  readonly t: number;
  readonly route?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly depth?: number;
  readonly size?: number;
}

async function setUp(
  lines: readonly Line[],
  nowMs = startMs,
): Promise<{ store: Store; query: Query; clock: ManualClock }> {
  const clock = new ManualClock(nowMs);
  const store = openMemoryStore({ clock });
  const compiled = compileRules(rules);
  await store.define(compiled.definitions);
  const { generation } = await store.info();
  const identity = { path: "/f", device: "1", inode: "1", prefixLength: 0, prefixHash: "", size: 0 };
  const { parts } = foldText(rules, lines.map((line) => JSON.stringify(line)).join("\n"));
  let start = 0;
  for (const part of parts) {
    await store.settle({
      generation,
      take: { kind: "file", source: "s", file: "f", start, end: part.end, identity },
      delta: part.delta,
      failures: part.failures,
      ledger: [part.posting],
    });
    start = part.end;
  }
  return { store, clock, query: new Query({ store, rules: compiled, clock, levels: defaultLevels }) };
}

test("Query.answer() merges slots into a window that ends now while the data is live", async () => {
  const lines = [60, 30, 10, 1].map((ago) => ({ t: startMs - ago * 1000, route: "/a", ms: ago }));
  const { query } = await setUp(lines);

  const answer = await query.answer({ metric: "latency", windowMs: 30_000 });

  assert.deepEqual(
    answer.groups.map(({ by, n, min, max }) => ({ by, n, min, max })),
    [{ by: { route: "/a" }, n: 2, min: 1, max: 10 }],
  );
  assert.equal(answer.span.kind === "window" && answer.span.anchor, "now");
});

test("Query.answer() ends a window at the newest data when that is old, and says so", async () => {
  const lines = [120, 60, 1].map((s) => ({ t: startMs - 86_400_000 - s * 1000, route: "/a" }));
  const { query } = await setUp(lines);

  const answer = await query.answer({ metric: "requests", windowMs: 61_000 });

  assert.equal(answer.span.kind === "window" && answer.span.anchor, "data");
  assert.equal(answer.all.value, 2);
});

test("Query.answer() computes ratios and rates when they are read", async () => {
  const lines = [200, 200, 500, 200].map((status, i) => ({
    t: startMs - i * 1000,
    route: i < 2 ? "/a" : "/b",
    status,
  }));
  const { query } = await setUp(lines);

  const errors = await query.answer({ metric: "errors", windowMs: 60_000 });
  const speed = await query.answer({ metric: "speed", windowMs: 10_000 });

  assert.deepEqual(
    errors.groups.map(({ by, value, n }) => ({ by, value, n })),
    [
      { by: { route: "/a" }, value: 0, n: 2 },
      { by: { route: "/b" }, value: 0.5, n: 2 },
    ],
  );
  assert.equal(errors.all.value, 0.25);
  assert.equal(speed.all.value, 0.4);
});

test("Query.answer() knows sums and the newest gauge", async () => {
  const lines = [3, 1, 2].map((i) => ({ t: startMs - i * 1000, depth: i, size: 0.1 * i }));
  const { query } = await setUp(lines);

  assert.equal((await query.answer({ metric: "depth" })).all.value, 1);
  assert.ok(Math.abs(((await query.answer({ metric: "bytes" })).all.value ?? 0) - 0.6) < 1e-15);
});

test("Query.answer() keeps to one group when asked, and ranks groups by n", async () => {
  const lines = ["/b", "/a", "/b", "/c"].map((route) => ({ t: startMs, route }));
  const { query } = await setUp(lines);

  const one = await query.answer({ metric: "requests", group: { route: "/b" } });
  const top = await query.answer({ metric: "requests", groupsMax: 2 });

  assert.equal(one.all.value, 2);
  assert.deepEqual(
    top.groups.map(({ by }) => by.route),
    ["/b", "/a"],
  );
  assert.equal(top.groupsLeftOut, 1);
  assert.equal(top.all.value, 4);
});

test("Query.series() has one point a step, zeros for counts and gaps for distributions", async () => {
  const lines = [9, 9, 5, 0].map((ago) => ({ t: startMs - ago * 1000, route: "/a", ms: 10 + ago }));
  const { query } = await setUp(lines);

  const counts = await query.series({ metric: "requests", windowMs: 10_000, stepMs: 1000 });
  const latency = await query.series({ metric: "latency", windowMs: 10_000, stepMs: 1000 });

  assert.deepEqual(counts.groups[0]?.lines.value, [2, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  assert.equal(counts.timesMs.length, 10);
  assert.deepEqual(
    latency.groups[0]?.lines.p50?.map((value) => value === null),
    [false, true, true, true, false, true, true, true, true, false],
  );
});

test("Query.series() of old data takes steps as wide as the slots it has", async () => {
  const lines = Array.from({ length: 7200 }, (_, i) => ({ t: startMs - i * 1000, route: "/a" }));
  const { query } = await setUp(lines);

  const hours = await query.series({ metric: "requests", windowMs: 7_200_000 });

  const total = hours.groups[0]?.lines.value?.reduce((sum: number, n) => sum + (n ?? 0), 0);
  assert.equal(total, 7200);
  assert.equal(hours.stepMs % 60_000, 0);
});

test("a metric that no rule has is refused with the names there are", async () => {
  const { query } = await setUp([]);

  await assert.rejects(query.answer({ metric: "nope" }), { code: "METRIC_UNKNOWN" });
});

test("Query.series() with groupsMax 0 draws one line over all groups", async () => {
  const at = Math.floor(startMs / 1000) * 1000 - 10_000;
  const { query } = await setUp([
    { t: at, route: "/a", ms: 10, status: 500 },
    { t: at + 1, route: "/b", ms: 30, status: 200 },
    { t: at + 1000, route: "/b", ms: 20, status: 200 },
  ]);
  const linesFor = async (metric: string): Promise<unknown> => {
    const series = await query.series({ metric, windowMs: 60_000, stepMs: 1000, groupsMax: 0 });
    assert.deepEqual(
      series.groups.map(({ by }) => by),
      [{}],
    );
    const from = series.timesMs.indexOf(at);
    return Object.fromEntries(
      Object.entries(series.groups[0]!.lines).map(([name, values]) => [name, values.slice(from, from + 3)]),
    );
  };

  assert.deepEqual(await linesFor("requests"), { value: [2, 1, 0] });
  assert.deepEqual(await linesFor("errors"), { value: [0.5, 0, null] });
  assert.deepEqual(((await linesFor("latency")) as { n: unknown }).n, [2, 1, 0]);
});

test("Query.histograms() has each group's totals as histograms whose edges include the powers of two", async () => {
  const { query } = await setUp([
    { t: startMs, route: "/a", ms: 2 },
    { t: startMs, route: "/a", ms: 2.01 },
    { t: startMs, route: "/b", ms: 1000 },
  ]);

  const [a, b] = await query.histograms({ metric: "latency", groupsMax: 10 });

  assert.deepEqual(a!.by, { route: "/a" });
  const { schema, count, positive } = a!.histogram;
  assert.equal(count, 2);
  assert.equal(bucketUpperAt(schema, positive.indexes[0]!), 2, "exactly, and inclusive");
  assert.equal(b!.histogram.sum, 1000);
  assert.equal(b!.sinceMs, (await query.answer({ metric: "latency" })).sinceMs);
  assert.deepEqual(await query.histograms({ metric: "requests", groupsMax: 10 }), []);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { climbLadder, type Family, writePrometheusText } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

test("writePrometheusText() writes counters, gauges and histograms as format 0.0.4 says", () => {
  const text = writePrometheusText([
    {
      name: "orders",
      help: "Orders seen",
      kind: "counter",
      samples: [{ labels: { status: "open" }, value: 3 }],
    },
    {
      name: "depth",
      help: "Depth",
      kind: "gauge",
      samples: [{ value: Number.NaN }, { labels: { a: "b" }, value: -0 }],
    },
    {
      name: "wait_seconds",
      help: "Wait",
      kind: "histogram",
      samples: [
        {
          labels: { q: "x" },
          buckets: [
            { upper: 0.5, count: 2 },
            { upper: 1, count: 1 },
          ],
          count: 4,
          sum: 9.5,
        },
      ],
    },
  ]);

  assert.equal(
    text,
    `# HELP orders_total Orders seen
# TYPE orders_total counter
orders_total{status="open"} 3
# HELP depth Depth
# TYPE depth gauge
depth NaN
depth{a="b"} 0
# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{q="x",le="0.5"} 2
wait_seconds_bucket{q="x",le="1"} 3
wait_seconds_bucket{q="x",le="+Inf"} 4
wait_seconds_sum{q="x"} 9.5
wait_seconds_count{q="x"} 4
`,
  );
});

test("writePrometheusText() keeps apart names that become the same when made legal", () => {
  const gauge = (name: string): Family => ({ name, help: "h", kind: "gauge", samples: [{ value: 1 }] });
  const text = writePrometheusText([
    gauge("a.b"),
    gauge("a-b"),
    gauge("9lives"),
    { name: "wait", help: "h", kind: "histogram", samples: [{ buckets: [], count: 0, sum: 0 }] },
    gauge("wait_sum"),
    gauge(""),
  ]);

  assert.deepEqual(
    [...text.matchAll(/# TYPE (\S+)/g)].map((match) => match[1]),
    ["a_b", "a_b_2", "_9lives", "wait", "wait_sum_2", "_"],
  );
});

test("writePrometheusText() keeps apart labels that become the same, and a label named le", () => {
  const text = writePrometheusText([
    {
      name: "x",
      help: "h",
      kind: "histogram",
      samples: [
        {
          labels: { "order.coin": "1", "order-coin": "2", le: "3", __name: "4" },
          buckets: [],
          count: 0,
          sum: 0,
        },
      ],
    },
  ]);

  assert.match(text, /x_bucket\{order_coin="1",order_coin_2="2",le_2="3",_name="4",le="\+Inf"\} 0/);
});

test("climbLadder() moves no observation across an edge and loses none", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e9, noNaN: true }), { maxLength: 50 }), (values) => {
      const fine = values.map((upper) => ({ upper, count: 1 })).sort((a, b) => a.upper - b.upper);

      const merged = climbLadder({ exponentMin: -3, exponentMax: 21, step: 3 }, fine);

      let running = 0;
      for (const bucket of merged) {
        running += bucket.count;
        assert.equal(running, values.filter((value) => value <= bucket.upper).length);
      }
    }),
    { seed, numRuns: 200 },
  );
});

test("promtool reads any label values and finds the text legal", () => {
  const promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].find(existsSync);
  assert.ok(promtool !== undefined, "promtool is missing: install the Debian package prometheus");
  const values = fc.sample(fc.string({ unit: "binary", maxLength: 12 }), { seed, numRuns: 200 });
  const unique = [...new Set([...values, 'a"b\\c\nd', "", "é\u0000"])];
  const text = writePrometheusText([
    {
      name: "any.thing",
      help: "a \\ b\nc",
      kind: "counter",
      samples: unique.map((value) => ({ labels: { value }, value: 1 })),
    },
    {
      name: "wait_seconds",
      help: "Wait",
      kind: "histogram",
      samples: [{ buckets: [{ upper: 0.5, count: 2 }], count: 4, sum: 9.5 }],
    },
  ]);

  const result = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" });

  assert.equal(result.status, 0, `${result.stdout}${result.stderr} (seed ${seed})`);
});

test("writePrometheusText() gives a label called le another name on every line of a histogram", () => {
  const text = writePrometheusText([
    {
      name: "h",
      help: "h",
      kind: "histogram",
      samples: [{ labels: { le: "x" }, buckets: [{ upper: 1, count: 1 }], count: 1, sum: 1 }],
    },
  ]);

  assert.deepEqual(text.split("\n").slice(2), [
    'h_bucket{le_2="x",le="1"} 1',
    'h_bucket{le_2="x",le="+Inf"} 1',
    'h_sum{le_2="x"} 1',
    'h_count{le_2="x"} 1',
    "",
  ]);
});

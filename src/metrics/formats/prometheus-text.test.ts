import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import {
  histograms,
  numbers,
  recentWindow,
  samplesWindow,
} from "../../../test/kit/metrics/sample-families.js";
import type { MetricFamily } from "../snapshot.js";
import { renderPrometheusText } from "./prometheus-text.js";
import type { TextOptions } from "./text-lines.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

function textOf(families: readonly MetricFamily[], options?: TextOptions): string {
  return [...renderPrometheusText(families, options)].join("");
}

const edges = (): readonly number[] => [0.5, 1];

test("renderPrometheusText() writes counters, gauges and histograms as format 0.0.4 says", () => {
  const text = textOf(
    [
      numbers("counter", { name: "orders", help: "Orders seen", labelNames: ["status"] }, [[["open"], 3]]),
      numbers("gauge", { name: "depth", help: "Depth", labelNames: ["a"] }, [
        [[""], Number.NaN],
        [["b"], -0],
      ]),
      numbers("upDownCounter", { name: "open" }, [[[], Number.NEGATIVE_INFINITY]]),
      histograms({ name: "wait_seconds", help: "Wait", unit: "s", labelNames: ["q"] }, [
        [["x"], [0.25, 0.5, 1, 8]],
      ]),
    ],
    { edges },
  );

  assert.equal(
    text,
    `# HELP orders_total Orders seen
# TYPE orders_total counter
orders_total{status="open"} 3
# HELP depth Depth
# TYPE depth gauge
depth{a=""} NaN
depth{a="b"} 0
# HELP open h
# TYPE open gauge
open -Inf
# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{q="x",le="0.5"} 2
wait_seconds_bucket{q="x",le="1"} 3
wait_seconds_bucket{q="x",le="+Inf"} 4
wait_seconds_sum{q="x"} 9.75
wait_seconds_count{q="x"} 4
`,
  );
});

test("renderPrometheusText() writes a window as gauges, and of an empty one nothing but its count", () => {
  const text = textOf([
    samplesWindow({ name: "last", labelNames: ["q"] }, [
      [["x"], [1, 2, 3, 10]],
      [["y"], []],
    ]),
    recentWindow({ name: "recent", help: "" }, [[[], []]]),
  ]);

  assert.deepEqual(
    text.split("\n").filter((line) => !line.startsWith("#")),
    [
      'last_avg{q="x"} 4',
      'last_min{q="x"} 1',
      'last_max{q="x"} 10',
      'last_p50{q="x"} 2',
      'last_p95{q="x"} 10',
      'last_p99{q="x"} 10',
      'last_count{q="x"} 4',
      'last_count{q="y"} 0',
      "recent_count 0",
      "",
    ],
  );
  assert.match(text, /# HELP last_p95 h \(95th percentile\)\n# TYPE last_p95 gauge\n/);
});

test("renderPrometheusText() keeps apart names that become the same when made legal", () => {
  const gauge = (name: string): MetricFamily => numbers("gauge", { name }, [[[], 1]]);
  const text = textOf([
    gauge("a.b"),
    gauge("a-b"),
    gauge("9lives"),
    histograms({ name: "wait" }, []),
    gauge("wait_sum"),
    gauge("wait_created"),
    numbers("counter", { name: "wait_total" }, []),
    samplesWindow({ name: "wait" }, [[[], [1]]]),
    gauge(""),
    gauge("_reserved:name"),
    gauge("smile 🙂"),
  ]);

  assert.deepEqual(
    [...text.matchAll(/# TYPE (\S+)/g)].map((match) => match[1]),
    [
      ...["a_b", "a_b_2", "metric_9lives", "wait", "wait_sum_2", "wait_created_2", "wait_2_total"],
      ...["avg", "min", "max", "p50", "p95", "p99", "count"].map((of) => `wait_2_${of}`),
      ...["metric_", "metric_reserved_name", "smile__"],
    ],
  );
});

test("renderPrometheusText() keeps apart labels that become the same, and gives reserved ones another name", () => {
  const labelNames = ["order.coin", "order-coin", "le", "__name", "otel_metric_overflow", "7", "__proto__"];
  const text = textOf([histograms({ name: "x", labelNames }, [[["1", "2", "3", "4", "5", "6", "7"], []]])], {
    edges: () => [],
  });

  const labels =
    'order_coin="1",order_coin_2="2",le_2="3",key_name="4",otel_metric_overflow_2="5",key_7="6",key_proto__="7"';
  assert.deepEqual(text.split("\n").slice(2), [
    `x_bucket{${labels},le="+Inf"} 0`,
    `x_sum{${labels}} 0`,
    `x_count{${labels}} 0`,
    "",
  ]);
});

test("renderPrometheusText() marks the series that took what the cap refused as OpenTelemetry does", () => {
  const family = numbers("counter", { name: "c", labelNames: ["a", "b"] }, [[["x", ""], 1]]);
  const overflow = { labels: ["", ""], isOverflow: true, startedMs: 0, value: 9 };
  const text = textOf([{ ...family, points: [...family.points, overflow] }]);

  assert.match(text, /^c_total\{a="x",b=""\} 1\nc_total\{otel_metric_overflow="true"\} 9\n$/m);
});

test("renderPrometheusText() writes a label set once when lone surrogates made two of it, merged as the kind is", () => {
  const twins = (values: readonly number[]): [string[], number][] =>
    values.map((value, at) => [[["\ud800", "\udfff", "�", "\u0000"][at]!], value]);
  const gauge = numbers("gauge", { name: "least", labelNames: ["l"] }, twins([3, 2, 5, 1]));
  const text = textOf(
    [
      numbers("counter", { name: "c", labelNames: ["l"] }, twins([3, 2, 5, 1])),
      { ...gauge, kind: "gauge", across: "min" },
      numbers("gauge", { name: "latest", labelNames: ["l"] }, twins([3, 2, 5, 1])),
      histograms({ name: "h", labelNames: ["l"] }, [
        [["\ud800"], [1]],
        [["\udc00"], [8]],
      ]),
      samplesWindow({ name: "w", labelNames: ["l"] }, [
        [["\ud800"], [8]],
        [["\udc00"], [1, 2]],
      ]),
    ],
    { edges: () => [1] },
  );

  const samples = text.split("\n").filter((line) => !line.startsWith("#"));
  assert.deepEqual(samples.slice(0, 10), [
    'c_total{l="�"} 10',
    'c_total{l="\u0000"} 1',
    'least{l="�"} 2',
    'least{l="\u0000"} 1',
    'latest{l="�"} 5',
    'latest{l="\u0000"} 1',
    'h_bucket{l="�",le="1"} 1',
    'h_bucket{l="�",le="+Inf"} 2',
    'h_sum{l="�"} 9',
    'h_count{l="�"} 2',
  ]);
  assert.ok(samples.includes('w_p50{l="�"} 2') && samples.includes('w_count{l="�"} 3'));
});

test("renderPrometheusText() tells values apart that a joining character could confuse", () => {
  const values = [
    ["a\u0000", "b"],
    ["a", "\u0000b"],
  ].map((labels): [string[], number] => [labels, 1]);
  const text = textOf([numbers("counter", { name: "c", labelNames: ["x", "y"] }, values)]);

  assert.equal(text.match(/^c_total/gm)?.length, 2);
});

test("renderPrometheusText() says when series began, if asked, as gauges of their own", () => {
  const text = textOf([numbers("counter", { name: "c", labelNames: ["l"] }, [[["x"], 1]])], {
    created: true,
  });

  assert.match(
    text,
    /c_total\{l="x"\} 1\n# HELP c_created .*\n# TYPE c_created gauge\nc_created\{l="x"\} 1700000000.123\n$/,
  );
});

test("renderPrometheusText() makes pieces of some 16,000 characters, however many series there are", () => {
  const values = Array.from({ length: 500 }, (_, at): [string[], number[]] => [[`${at}`], [1]]);
  const pieces = [...renderPrometheusText([histograms({ name: "h", labelNames: ["l"] }, values)])];

  assert.ok(pieces.length > 20);
  assert.ok(Math.max(...pieces.map((piece) => piece.length)) < 17_000);
  assert.ok(pieces.every((piece) => piece === "" || piece.endsWith("\n")));
});

test("promtool reads any label values and finds the text legal", () => {
  const values = fc.sample(fc.string({ unit: "binary", maxLength: 12 }), { seed, numRuns: 200 });
  const unique = [...new Set([...values, 'a"b\\c\nd', "", "é\u0000", "\r\n", "x".repeat(1_000_000)])];
  const text = textOf([
    numbers(
      "counter",
      { name: "any.thing", help: "a \\ b\nc\r", labelNames: ["value"] },
      unique.map((value) => [[value], 1]),
    ),
    histograms({ name: "wait_seconds", unit: "s" }, [[[], [-1, 0, 0.3, 1e9]]]),
    samplesWindow({ name: "last", labelNames: ["q"] }, [[["x"], [1]]]),
  ]);

  const { stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });

  assert.ok(error === undefined, "promtool is missing: install the Debian package prometheus");
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
  const expected = 'last_count non-histogram and non-summary metrics should not have "_count" suffix';
  assert.deepEqual(complaints, [expected], `seed ${seed}`);
});

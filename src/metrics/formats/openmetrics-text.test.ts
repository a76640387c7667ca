import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyFamilies } from "../../../test/kit/metrics/any-families.js";
import { histograms, numbers, samplesWindow } from "../../../test/kit/metrics/sample-families.js";
import { readExposition } from "../../../test/kit/open-metrics/exposition.js";
import type { MetricFamily } from "../snapshot.js";
import { renderOpenMetricsText } from "./openmetrics-text.js";
import { renderPrometheusText } from "./prometheus-text.js";
import type { TextOptions } from "./text-lines.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

function textOf(families: readonly MetricFamily[], options?: TextOptions): string {
  return [...renderOpenMetricsText(families, options)].join("");
}

test("renderOpenMetricsText() writes counters, gauges and histograms as OpenMetrics 1.0 says", () => {
  const text = textOf(
    [
      numbers("counter", { name: "orders_total", help: 'Orders\n"seen"\\', labelNames: ["status"] }, [
        [["open"], 3],
      ]),
      numbers("upDownCounter", { name: "depth_bytes", unit: "By" }, [[[], 1e21]]),
      histograms({ name: "wait_seconds", unit: "s", labelNames: ["q"] }, [[["x"], [0.25, 0.5, 1, 2 ** 20]]]),
      samplesWindow({ name: "last_seconds", unit: "s" }, [[[], []]]),
    ],
    { edges: () => [0, 0.5, 1, 2 ** 20] },
  );

  assert.equal(
    text,
    `# TYPE orders counter
# HELP orders Orders\\n\\"seen\\"\\\\
orders_total{status="open"} 3
# TYPE depth_bytes gauge
# UNIT depth_bytes bytes
# HELP depth_bytes h
depth_bytes 1e+21
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
# HELP wait_seconds h
wait_seconds_bucket{q="x",le="0.0"} 0
wait_seconds_bucket{q="x",le="0.5"} 2
wait_seconds_bucket{q="x",le="1.0"} 3
wait_seconds_bucket{q="x",le="1.048576e+06"} 4
wait_seconds_bucket{q="x",le="+Inf"} 4
wait_seconds_sum{q="x"} 1048577.75
wait_seconds_count{q="x"} 4
# TYPE last_seconds_count gauge
# HELP last_seconds_count h (observations in the window)
last_seconds_count 0
# EOF
`,
  );
  assert.doesNotThrow(() => readExposition(text));
});

test("renderOpenMetricsText() writes nothing but its end for no families", () => {
  assert.equal(textOf([]), "# EOF\n");
});

test("renderOpenMetricsText() leaves out what is no counter", () => {
  const text = textOf(
    [
      numbers("counter", { name: "c", labelNames: ["l"] }, [
        [["nan"], Number.NaN],
        [["negative"], -1],
        [["infinite"], Number.POSITIVE_INFINITY],
      ]),
      histograms({ name: "h" }, [[[], [-1, 5]]]),
    ],
    { edges: () => [1] },
  );

  const samples = text.split("\n").filter((line) => !line.startsWith("#"));
  assert.deepEqual(samples, [
    'c_total{l="infinite"} +Inf',
    'h_bucket{le="1.0"} 1',
    'h_bucket{le="+Inf"} 2',
    "",
  ]);
  assert.doesNotThrow(() => readExposition(text));
});

test("renderOpenMetricsText() says when series began, if asked, beside them", () => {
  const text = textOf(
    [numbers("counter", { name: "c" }, [[[], 1]]), histograms({ name: "h" }, [[[], [1]]])],
    {
      created: true,
    },
  );

  assert.match(text, /^c_total 1\nc_created 1700000000\.123$/m);
  assert.match(text, /^h_count 1\nh_created 1700000000\.123$/m);
  assert.doesNotThrow(() => readExposition(text));
});

test("renderOpenMetricsText() keeps every rule, whatever it is given", () => {
  fc.assert(
    fc.property(anyFamilies, fc.boolean(), (families, created) => {
      readExposition(textOf(families, { created }));
    }),
    { seed, numRuns: 300 },
  );
});

test("renderOpenMetricsText() and renderPrometheusText() agree on the names of all series", () => {
  const series = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) =>
        line.replace(/ \S+$/, "").replace(/le="[^"]*"/, (edge) => `${Number(edge.slice(4, -1))}`),
      );
  fc.assert(
    fc.property(anyFamilies, (families) => {
      const prometheus = new Set(series([...renderPrometheusText(families)].join("")));
      for (const one of series(textOf(families))) assert.ok(prometheus.has(one), one);
    }),
    { seed, numRuns: 300 },
  );
});

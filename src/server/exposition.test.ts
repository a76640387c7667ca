import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { FakeSource } from "../../test/kit/fake-source.js";
import { renderPrometheusText } from "../metrics/index.js";
import type { GroupHistogram } from "../pipeline/index.js";
import { emptyExponential, Histogram } from "../sketch/index.js";
import { expositionOf } from "./exposition.js";
import type { MetricDescription } from "./source.js";

class WithHistograms extends FakeSource {
  override metrics(): readonly MetricDescription[] {
    return super
      .metrics()
      .map((metric) => (metric.name === "latency" ? { ...metric, by: ["route"] } : metric));
  }

  override async histograms(): Promise<readonly GroupHistogram[]> {
    const recorded = new Histogram();
    for (const value of [1, 1, 2 ** (31 / 32), 2, 2 ** 30]) recorded.record(value);
    const histogram = recorded.toExponential();
    const sinceMs = 0;
    return [
      { by: { route: null }, sinceMs, histogram },
      { by: { route: "" }, sinceMs, histogram },
      { by: { route: "(other)" }, isOverflow: true, sinceMs, histogram: emptyExponential(5) },
    ];
  }
}

async function textOf(source: FakeSource): Promise<string> {
  const { families } = await expositionOf(source);
  return [...renderPrometheusText(families)].join("");
}

test("expositionOf() gives distributions as histograms whose edges are powers of two, with absent and empty groups as one", async () => {
  const text = await textOf(new WithHistograms(0));

  assert.match(text, /latency_milliseconds_bucket\{route="",le="1"\} 4\n/);
  assert.match(text, /latency_milliseconds_bucket\{route="",le="2"\} 8\n/);
  assert.match(text, /latency_milliseconds_bucket\{route="",le="4194304"\} 8\n/);
  assert.match(text, /latency_milliseconds_bucket\{route="",le="\+Inf"\} 10\n/);
  assert.match(text, /latency_milliseconds_sum\{route=""\} 2147483659\.\d+\n/);
  assert.match(text, /\{otel_metric_overflow="true",le="\+Inf"\} 0\n/);
});

test("expositionOf() has the user's totals, the ledger, lag and dead letters", async () => {
  const source = new FakeSource(1000);
  source.settle([
    { timeMs: 1, route: "/a", status: "200", durationMs: 5 },
    { timeMs: 2, route: "/a", status: "500", durationMs: 7 },
  ]);
  source.files = [
    {
      name: "app",
      files: [
        { file: "f1", path: "/x.log", size: 10, offset: 4, lagBytes: 6, state: "following", lastGrowthMs: 1 },
      ],
    },
  ];

  const text = await textOf(source);

  assert.match(text, /requests_total\{route="\/a",status="500"\} 1\n/);
  assert.match(text, /errors_ratio\{route="\/a"\} 0\.5\n/);
  assert.match(text, /latency_milliseconds_count\{route="\/a"\} 2\n/);
  assert.match(text, /poundlock_events_accepted_total\{source="app"\} 2\n/);
  assert.match(text, /poundlock_events_unaccounted\{source="app"\} 0\n/);
  assert.match(text, /poundlock_file_lag_bytes\{source="app",file="f1",path="\/x\.log"\} 6\n/);
  assert.match(text, /poundlock_info\{version="0\.1\.0",store="memory",durability="none"\} 1\n/);
});

test("promtool finds nothing to say about it but that milliseconds are no base unit", async () => {
  const source = new FakeSource(1000);
  source.settle([{ timeMs: 1, route: "/a", status: "200", durationMs: 5 }]);
  const text = await textOf(source);

  const { stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
  });

  assert.ok(error === undefined, "promtool is missing: install the Debian package prometheus");
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
  assert.deepEqual(complaints, ['latency_milliseconds use base unit "seconds" instead of "milliseconds"']);
});

class WithOwnHistory extends FakeSource {
  override metrics(): readonly MetricDescription[] {
    const kept = { kind: "sum", by: [], windowsMs: [], keys: ["kept"] } as const;
    return [{ ...kept, name: "poundlock_kept_total", from: [] }];
  }
}

test("expositionOf() shows what the process measures once, also when the store keeps it", async () => {
  const source = new WithOwnHistory(0);
  source.registry.counter("poundlock_kept_total").add(3);

  const text = await textOf(source);

  assert.deepEqual(text.match(/^poundlock_kept\S* .*$/gm), ["poundlock_kept_total 3"]);
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MetricRule, Rules, SourceRule } from "../pipeline/index.js";
import { runReport } from "./report.js";

const folder = mkdtempSync(join(tmpdir(), "poundlock-report-"));
after(() => rmSync(folder, { recursive: true }));

const source: SourceRule = { name: "files", format: { kind: "json" }, time: { kind: "none" } };
const events: MetricRule = { name: "events", kind: "count", from: [], by: ["status", "order.coin"] };

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function rulesOf(...metrics: MetricRule[]): Rules {
  return { sources: [source], metrics };
}

test("runReport() counts every line of several files once, whatever ranges they are read in", async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) =>
    JSON.stringify({ status: i % 3 ? "open" : "filled", order: { coin: `C${i % 7}` }, pad: "x".repeat(120) }),
  );
  const files = [
    write("a.jsonl", `${lines.slice(0, 50_000).join("\n")}\n`),
    write("b.jsonl", lines.slice(50_000).join("\r\n")),
  ];

  const report = await runReport({ files, rules: rulesOf(events), threads: 2 });

  const expected = new Map<string, number>();
  for (const line of lines) {
    const { status, order } = JSON.parse(line) as { status: string; order: { coin: string } };
    expected.set(`${status} ${order.coin}`, (expected.get(`${status} ${order.coin}`) ?? 0) + 1);
  }
  const groups = report.metrics[0]?.groups ?? [];
  assert.deepEqual(
    groups.map(({ by, value }) => [`${by.status} ${by["order.coin"]}`, value]),
    [...expected].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  assert.equal(report.ledger.accepted, 60_000);
  assert.equal(report.ledger.settled, 60_000);
  assert.equal(report.ledger.unaccounted, 0);
});

test("runReport() has exact n, min, max and mean, and percentiles within their bound, of data of any age", async () => {
  const values = Array.from({ length: 20_000 }, (_, i) => Math.exp(((i * 7919) % 20_000) / 2000));
  const file = write("d.jsonl", values.map((ms) => `{"ms":${ms},"ts":"1999-01-01T00:00:00Z"}`).join("\n"));
  const latency: MetricRule = {
    name: "ms",
    kind: "distribution",
    value: { path: "ms" },
    unit: "ms",
    from: [],
    by: [],
  };

  const report = await runReport({ files: [file], rules: rulesOf(latency) });

  const all = report.metrics[0]?.groups[0];
  const sorted = [...values].sort((a, b) => a - b);
  assert.equal(all?.n, 20_000);
  assert.equal(all?.min, sorted[0]);
  assert.equal(all?.max, sorted.at(-1));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs((all?.mean ?? 0) / mean - 1) < 1e-12);
  for (const [q, got] of [
    [0.5, all?.p50],
    [0.9, all?.p90],
    [0.95, all?.p95],
    [0.99, all?.p99],
  ] as const) {
    const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
    assert.ok(Math.abs((got ?? 0) / exact - 1) <= 0.01084, `p${q}: ${got} for ${exact}`);
  }
});

test("runReport() counts more groups than a live metric may have", async () => {
  const file = write("g.jsonl", Array.from({ length: 30_000 }, (_, i) => `{"status":"s${i}"}`).join("\n"));

  const report = await runReport({
    files: [file],
    rules: rulesOf({ ...events, by: ["status"], groupsMax: 1_000_000 }),
  });

  assert.equal(report.metrics[0]?.groups.length, 30_000);
});

test("runReport() of an empty file and of blank lines has no events", async () => {
  const report = await runReport({
    files: [write("e.jsonl", ""), write("f.jsonl", "\n\r\n  \n")],
    rules: rulesOf(events),
  });

  assert.equal(report.ledger.accepted, 0);
  assert.deepEqual(report.metrics[0]?.groups, []);
});

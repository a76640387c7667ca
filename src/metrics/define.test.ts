import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSnapshot, encodeSnapshot, openRegistry, renderPrometheusText } from "./index.js";

const registry = openRegistry({ name: "define.test", reserveBytes: 8 * 2 ** 20 });

for (const [what, register] of [
  ["labels that are one text", () => registry.counter("wrong", { labels: "ab" as unknown as [] })],
  ["labels that are no texts", () => registry.counter("wrong", { labels: [1] as unknown as [] })],
  ["a help that is no text", () => registry.counter("wrong", { help: 5 as unknown as string })],
  ["a unit that is no text", () => registry.counter("wrong", { unit: {} as unknown as string })],
  ["an unknown across", () => registry.gauge("wrong", { across: "avg" as "sum" })],
  ["an unknown unit of a timer", () => registry.timer("wrong", { unit: "us" as "ms" })],
] as const)
  test(`Registry refuses ${what}, and nothing of it is in any scrape`, () => {
    assert.throws(register, { code: "OPTION_INVALID" });

    const { families } = registry.snapshot();
    assert.doesNotMatch([...renderPrometheusText(families)].join(""), /wrong/);
  });

test("Registry refuses names of its own metrics: a report with two of a name would be refused by the process that gathers", () => {
  assert.throws(() => registry.gauge("poundlock_metrics_threads"), { code: "OPTION_INVALID" });

  assert.doesNotThrow(() => decodeSnapshot(encodeSnapshot(registry.snapshot())));
});

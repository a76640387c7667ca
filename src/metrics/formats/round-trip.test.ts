import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import parsePrometheusText from "parse-prometheus-text-format";
import { anyFamilies } from "../../../test/kit/metrics/any-families.js";
import { readExposition } from "../../../test/kit/open-metrics/exposition.js";
import type { MetricFamily } from "../snapshot.js";
import { type ExposedFamily, exposeFamilies } from "./exposed-families.js";
import { renderOpenMetricsText } from "./openmetrics-text.js";
import { renderPrometheusText } from "./prometheus-text.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

/** Values of samples by name and label set. Of buckets only the last are here; bucket-edges.test.ts has the others. */
type Samples = Map<string, number>;

function keyOf(name: string, labels: Iterable<readonly [string, string]>): string {
  return JSON.stringify([name, ...[...labels].sort()]);
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

function exposed(families: readonly MetricFamily[]): ExposedFamily[] {
  return [...exposeFamilies(families)].filter((family): family is ExposedFamily => family !== undefined);
}

function samplesOf(families: readonly ExposedFamily[]): Samples {
  const samples: Samples = new Map();
  for (const { kind, name, labelNames, points } of families)
    for (const point of points) {
      const labels = labelNames.map((label, at): [string, string] => [label, wellFormed(point.labels[at]!)]);
      if ("histogram" in point) {
        samples.set(keyOf(`${name}_bucket`, [...labels, ["le", "+Inf"]]), point.histogram.count);
        samples.set(keyOf(`${name}_sum`, labels), point.histogram.sum + 0);
        samples.set(keyOf(`${name}_count`, labels), point.histogram.count);
      } else samples.set(keyOf(kind === "counter" ? `${name}_total` : name, labels), point.value + 0);
    }
  return samples;
}

/** Help has no carriage returns and no blanks around it. */
function helpOf(families: readonly ExposedFamily[]): Map<string, string> {
  return new Map(families.map(({ name, help }) => [name, wellFormed(help).replace(/\r\n?/g, "\n").trim()]));
}

function isRead(labels: ReadonlyMap<string, string>): boolean {
  return !labels.has("le") || labels.get("le") === "+Inf";
}

test("what renderPrometheusText() writes is read back by another parser", () => {
  fc.assert(
    fc.property(anyFamilies, (families) => {
      const wanted = exposed(families);

      const text = [...renderPrometheusText(families)].join("");
      // The parser drops the labels of histograms; their lines are read like all others without that word.
      const read = parsePrometheusText(text.replace(/^# TYPE \S+ histogram$/gm, ""));

      const samples: Samples = new Map();
      const help = new Map<string, string>();
      for (const family of read) {
        help.set(family.type === "COUNTER" ? family.name.replace(/_total$/, "") : family.name, family.help);
        for (const { labels = {}, value = "" } of family.metrics) {
          const own = new Map(Object.entries(labels));
          if (isRead(own)) samples.set(keyOf(family.name, own), Number(value.replace("Inf", "Infinity")));
        }
      }
      assert.deepEqual(samples, samplesOf(wanted));
      for (const [name, text] of helpOf(wanted)) assert.equal(help.get(name) ?? "", text, name);
    }),
    { seed, numRuns: 200 },
  );
});

test("what renderOpenMetricsText() writes is read back by a reader of the specification's grammar", () => {
  fc.assert(
    fc.property(anyFamilies, (families) => {
      const wanted = exposed(families);

      const read = readExposition([...renderOpenMetricsText(families)].join(""));

      const all = samplesOf(wanted);
      const gauges = samplesOf(wanted.filter(({ kind }) => kind === "gauge"));
      for (const family of read)
        for (const { name, labels, value } of family.samples) {
          if (!isRead(labels)) continue;
          const key = keyOf(name, labels);
          assert.equal(value, all.get(key), key);
          gauges.delete(key);
        }
      // Of the others what is no counter is left out; openmetrics-text.test.ts says what that is.
      assert.deepEqual([...gauges.keys()], []);
      assert.deepEqual(new Map(read.map(({ name, help }) => [name, help])), helpOf(wanted));
    }),
    { seed, numRuns: 200 },
  );
});

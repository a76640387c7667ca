import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type MetricsSnapshot, openRegistry } from "../index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
let made = 0;

/** Labels and values of each metric, in the snapshot's order. */
function seriesOf(snapshot: MetricsSnapshot): Record<string, string[]> {
  return Object.fromEntries(
    snapshot.families.map(({ name, points }) => [
      name,
      points.map((point) => `${point.labels.join("|")} ${"value" in point ? point.value : Number.NaN}`),
    ]),
  );
}

/** Series 0..399 of one of two metrics, once or more; everything forgotten; or the ways to look, the last one twice at a time. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ metric: fc.constantFrom("a", "b"), series: fc.array(fc.nat(399)) }) },
  { weight: 1, arbitrary: fc.constant("reset" as const) },
  { weight: 3, arbitrary: fc.constantFrom("snapshot" as const, "collect" as const, "both" as const) },
);

test(`a snapshot has every series that is there, in the order of making (POUNDLOCK_SEED=${seed})`, async () => {
  const check = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
    made += 1;
    const name = `series-list.test ${made}`;
    const registry = openRegistry({ name, reserveBytes: 8 * 2 ** 20, hasOwnMetrics: false });
    const model = new Map<string, Map<number, number>>();
    const expected = (): Record<string, string[]> =>
      Object.fromEntries(
        [...model].map(([metric, series]) => [metric, [...series].map(([n, value]) => `${n} ${value}`)]),
      );

    for (const one of [...steps, "both" as const]) {
      if (one === "reset") {
        registry.reset();
        for (const series of model.values()) series.clear();
      } else if (typeof one === "object") {
        const counter = registry.counter(one.metric, { labels: ["n"] });
        const series = model.get(one.metric) ?? new Map<number, number>();
        model.set(one.metric, series);
        for (const n of one.series) {
          counter.add(1, { n });
          series.set(n, (series.get(n) ?? 0) + 1);
        }
      } else {
        const collected = one === "snapshot" ? undefined : registry.collect();
        if (one !== "collect") assert.deepEqual(seriesOf(registry.snapshot()), expected());
        if (collected !== undefined) assert.deepEqual(seriesOf(await collected), expected());
      }
    }
  });

  await fc.assert(check, { seed, numRuns: 60 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../base/index.js";
import { openRegistry, type Registry } from "../index.js";
import type { MetricsSnapshot } from "../snapshot.js";

let made = 0;

function testRegistry(clock: ManualClock, seriesMax = 10_000): Registry {
  made += 1;
  const options = { name: `expiry.test ${made}`, reserveBytes: 8 * 2 ** 20, idleMs: 1000, seriesMax };
  return openRegistry(options, clock);
}

function valuesOf(snapshot: MetricsSnapshot, name: string): Record<string, number> {
  const family = snapshot.families.find((one) => one.name === name);
  assert.ok(family !== undefined && "points" in family, `no ${name}`);
  return Object.fromEntries(
    family.points.map((point) => [
      point.isOverflow === true ? "(others)" : point.labels.join("|"),
      "value" in point ? point.value : Number.NaN,
    ]),
  );
}

/** So many snapshots, each after the idle time, that a series that nobody records to is gone. */
function letExpire(registry: Registry, clock: ManualClock): void {
  for (let n = 0; n < 3; n += 1) {
    clock.advance(1001);
    registry.snapshot();
  }
}

test("a handle of an expired series never records to the series that has its memory now", () => {
  const clock = new ManualClock(1e12);
  const registry = testRegistry(clock);
  const counter = registry.counter("counter", { labels: ["label"] });
  const old = counter.bind({ label: "old" });
  old.add(5);
  letExpire(registry, clock);
  assert.deepEqual(valuesOf(registry.snapshot(), "counter"), {});

  // Memory into which the newest record went is not used again at once.
  registry.counter("another").add();
  const other = counter.bind({ label: "other" });
  other.add(1);
  old.add(10);
  other.add(1);

  assert.deepEqual(valuesOf(registry.snapshot(), "counter"), { other: 2, old: 10 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../base/index.js";
import { openRegistry, Registry } from "../index.js";
import type { MetricsSnapshot } from "../snapshot.js";
import { slotsUnit, slotUnits, threadState, threadWord } from "./layout.js";
import { Segment } from "./segment.js";

let made = 0;

/** Another reader of the same memory, as another thread would be. */
function anotherReader(registry: Registry, clock: ManualClock): Registry {
  return new Registry(new Segment(registry.buffer), { name: `reader of ${registry.name}` }, clock);
}

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

test("a series does not expire under a thread that has said that it ends and is still in Registry.together()", () => {
  const clock = new ManualClock(1e12);
  const registry = testRegistry(clock);
  const reader = anotherReader(registry, clock);
  const counter = registry.counter("counter", { labels: ["label"] }).bind({ label: "a" });
  const segment = new Segment(registry.buffer);
  const stateAt = segment.threadUnit(0) * 2 + threadWord.state;

  registry.together(() => {
    counter.add(1);
    Atomics.store(segment.i32, stateAt, threadState.ended);
    letExpire(reader, clock);
    counter.add(1);
    Atomics.store(segment.i32, stateAt, threadState.live);
  });

  assert.deepEqual(valuesOf(registry.snapshot(), "counter"), { a: 2 });
});

test("a series that went idle while its thread was between two records of one is not freed under the second", () => {
  const clock = new ManualClock(1e12);
  const registry = testRegistry(clock);
  const reader = anotherReader(registry, clock);
  const counter = registry.counter("counter", { labels: ["label"] }).bind({ label: "a" });
  const segment = new Segment(registry.buffer);
  const slots = segment.threadUnit(0) + slotsUnit;
  const marks = [slots * 2, (slots + slotUnits) * 2] as const;

  registry.together(() => {
    counter.add(1);
    const begun = marks.map((at) => segment.i32[at]!);
    reader.snapshot();
    // As it is for an instant where a record that outgrows its slot becomes two.
    for (const at of marks) segment.i32[at] = 0;
    clock.advance(1001);
    reader.snapshot();
    marks.forEach((at, n) => {
      segment.i32[at] = begun[n]!;
    });
    for (let n = 0; n < 3; n += 1) letExpire(reader, clock);
    counter.add(1);
  });

  assert.deepEqual(valuesOf(registry.snapshot(), "counter"), { a: 2 });
});

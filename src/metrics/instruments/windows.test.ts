import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../base/index.js";
import { openRegistry, type Registry } from "../index.js";
import type { WindowPoint } from "../snapshot.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);
let made = 0;

function testRegistry(clock: ManualClock): Registry {
  made += 1;
  return openRegistry(
    { name: `windows.test ${made}`, reserveBytes: 8 * 2 ** 20, hasOwnMetrics: false },
    clock,
  );
}

function windowOf(registry: Registry, name: string): WindowPoint["values"] | undefined {
  const family = registry.snapshot().families.find((one) => one.name === name);
  assert.ok(family?.kind === "window");
  return family.points[0]?.values;
}

function samplesOf(registry: Registry, name: string): readonly number[] {
  const values = windowOf(registry, name);
  if (values === undefined) return [];
  assert.ok(values.kind === "samples");
  return values.sorted;
}

test("Window.record() keeps the last sample alone in a window of one", () => {
  const registry = testRegistry(new ManualClock(1e12));
  const window = registry.window("last", { samplesMax: 1 });

  window.record(1);
  assert.deepEqual(samplesOf(registry, "last"), [1]);
  window.record(3);
  window.record(2);
  assert.deepEqual(samplesOf(registry, "last"), [2]);
});

test("Registry.together() of samples without end leaves each snapshot the window before it", () => {
  const registry = testRegistry(new ManualClock(1e12));
  const window = registry.window("samples", { samplesMax: 3 }).bind();
  for (const value of [1, 2, 3, 4]) window.record(value);

  registry.together(() => {
    for (let n = 0; n < 20; n += 1) window.record(100 + n);
    assert.deepEqual(samplesOf(registry, "samples"), [2, 3, 4]);
  });

  assert.deepEqual(samplesOf(registry, "samples"), [117, 118, 119]);
});

test(`a window of samples is the newest ones, whatever is recorded (POUNDLOCK_SEED=${seed})`, () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.integer({ min: 1, max: 200 }).map((count) => ({ kind: "record" as const, count })),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 1, max: 60 }).map((count) => ({ kind: "together" as const, count })),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "look" as const, count: 0 }) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.array(step, { maxLength: 20 }), (samplesMax, steps) => {
      const clock = new ManualClock(1e12);
      const registry = testRegistry(clock);
      const window = registry.window("samples", { samplesMax }).bind();
      const all: number[] = [];
      const record = (count: number): void => {
        for (let n = 0; n < count; n += 1) {
          window.record(all.length);
          all.push(all.length);
        }
      };
      for (const { kind, count } of steps) {
        clock.advance(1);
        if (kind === "record") record(count);
        else if (kind === "together") registry.together(() => record(count));
        else assert.deepEqual(samplesOf(registry, "samples"), all.slice(-samplesMax));
      }
      assert.deepEqual(samplesOf(registry, "samples"), all.slice(-samplesMax));
    }),
    { seed, numRuns: 30 },
  );
});

test(`a window over time is the observations of its slots, after any gap (POUNDLOCK_SEED=${seed})`, () => {
  const forMs = 1000;
  const gap = fc.oneof(
    fc.integer({ min: 0, max: 130 }),
    fc.constantFrom(99, 100, 101, 999, 1000, 1199, 1200, 1201, 5000, 1e7),
  );
  const step = fc.record({ gap, value: fc.constantFrom(0, 1, -1, 2.5, 1000, 1e-9), looks: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(step, { maxLength: 40 }), (slots, steps) => {
      const clock = new ManualClock(1e12);
      const registry = testRegistry(clock);
      const window = registry.window("recent", { forMs, slots }).bind();
      const all: { slot: number; value: number }[] = [];
      for (const { gap: gapMs, value, looks } of steps) {
        clock.advance(gapMs);
        const slot = Math.floor(clock.monotonicMs() / (forMs / slots));
        window.record(value);
        all.push({ slot, value });
        if (!looks) continue;
        const kept = all.filter((one) => one.slot > slot - slots).map((one) => one.value);
        const values = windowOf(registry, "recent");
        assert.ok(values?.kind === "recent");
        const { count, sum, min, max, zeroCount, positive, negative } = values.histogram;
        assert.equal(count, kept.length);
        assert.ok(Math.abs(sum - kept.reduce((a, b) => a + b, 0)) < 1e-6);
        assert.equal(min, Math.min(...kept));
        assert.equal(max, Math.max(...kept));
        assert.equal(zeroCount, kept.filter((one) => one === 0).length);
        assert.equal(
          positive.counts.reduce((a, b) => a + b, 0),
          kept.filter((one) => one > 0).length,
        );
        assert.equal(
          negative.counts.reduce((a, b) => a + b, 0),
          kept.filter((one) => one < 0).length,
        );
      }
    }),
    { seed, numRuns: 60 },
  );
});

test("a window over time is empty once all is older, and begins anew", () => {
  const clock = new ManualClock(1e12);
  const registry = testRegistry(clock);
  const window = registry.window("recent", { forMs: 1000, slots: 10 });
  const countNow = (): number => {
    const values = windowOf(registry, "recent");
    assert.ok(values?.kind === "recent");
    return values.histogram.count;
  };
  window.record(5);

  clock.advance(999);
  assert.equal(countNow(), 1);
  clock.advance(1);
  assert.equal(countNow(), 0);
  clock.advance(60_000);
  assert.equal(countNow(), 0);

  window.record(7);
  assert.equal(countNow(), 1);
});

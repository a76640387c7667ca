import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { ExactSum, type ExponentialHistogram } from "../../sketch/index.js";
import { type BoundHistogram, openRegistry, type Registry } from "../index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
let made = 0;

interface Made {
  readonly registry: Registry;
  readonly bound: BoundHistogram;
  snapshot(): ExponentialHistogram;
}

function makeHistogram(): Made {
  made += 1;
  const name = `bound.test ${made}`;
  const registry = openRegistry({ name, reserveBytes: 8 * 2 ** 20, hasOwnMetrics: false });
  const bound = registry.histogram("h").bind();
  const snapshot = (): ExponentialHistogram => {
    const [family] = registry.snapshot().families;
    assert.ok(family?.kind === "histogram");
    return family.points[0]!.histogram;
  };
  return { registry, bound, snapshot };
}

/** Within the rounding of one addition, however many there were. */
function assertSum(actual: number, values: readonly number[]): void {
  const exact = new ExactSum();
  for (const value of values) exact.add(value);
  const size = values.reduce((sum, value) => sum + Math.abs(value), 0);
  const most = Math.abs(exact.value()) * 2 ** -52 + size * 2 ** -90;
  assert.ok(Math.abs(actual - exact.value()) <= most, `${actual} is not ${exact.value()}`);
}

const observation = fc.oneof(
  fc.double({ min: 1e-4, max: 1e4, noNaN: true }),
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.constantFrom(0, -0, 1, 0.1, 5e-324),
);

for (const inOneStep of [false, true])
  test(`BoundHistogram.record() keeps count, sum, min, max and buckets${inOneStep ? " in together()" : ""} (POUNDLOCK_SEED=${seed})`, () => {
    const batches = fc.array(fc.array(observation, { minLength: 1, maxLength: 40 }), {
      minLength: 1,
      maxLength: 12,
    });

    const check = fc.property(batches, (batches) => {
      const { registry, bound, snapshot } = makeHistogram();
      const all: number[] = [];
      for (const values of batches) {
        if (inOneStep)
          registry.together(() => {
            for (const value of values) bound.record(value);
          });
        else for (const value of values) bound.record(value);
        all.push(...values);

        const histogram = snapshot();
        assert.equal(histogram.count, all.length);
        assertSum(histogram.sum, all);
        assert.equal(histogram.min, Math.min(...all) + 0);
        assert.equal(histogram.max, Math.max(...all) + 0);
        assert.equal(histogram.zeroCount, all.filter((value) => value === 0).length);
        const inBuckets = [...histogram.positive.counts, ...histogram.negative.counts];
        assert.equal(
          inBuckets.reduce((sum, count) => sum + count, 0),
          all.length - histogram.zeroCount,
        );
      }
    });

    fc.assert(check, { seed, numRuns: 25 });
  });

test("BoundHistogram.record() keeps what rounding would take from the sum", () => {
  const { bound, snapshot } = makeHistogram();

  for (let n = 0; n < 100_000; n += 1) bound.record(0.1);

  assert.equal(snapshot().sum, 10_000);
});

test("BoundHistogram.record() counts on when the sum has left the doubles", () => {
  const { bound, snapshot } = makeHistogram();

  for (const value of [1.7e308, 1.7e308, 1]) bound.record(value);

  const { count, sum, min, max } = snapshot();
  assert.deepEqual({ count, sum, min, max }, { count: 3, sum: Infinity, min: 1, max: 1.7e308 });
});

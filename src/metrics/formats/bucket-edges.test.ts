import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { histogramOf, histograms } from "../../../test/kit/metrics/sample-families.js";
import { downscale } from "../../sketch/index.js";
import type { HistogramFamily } from "../snapshot.js";
import { type BucketEdges, ClassicBuckets, edgesByUnit } from "./bucket-edges.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

function familyOf(values: readonly number[], schema = 5): HistogramFamily {
  const family = histograms({ name: "h" }, [[[], values]]);
  return {
    ...family,
    points: family.points.map((point) => ({ ...point, histogram: downscale(point.histogram, schema) })),
  };
}

const anyValue = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -4, max: 100, noNaN: true }),
  fc.integer({ min: -40, max: 40 }).map((exponent) => 2 ** exponent),
  // The doubles beside powers of two.
  fc.integer({ min: -40, max: 40 }).map((exponent) => 2 ** exponent * (1 + Number.EPSILON)),
  fc.integer({ min: -40, max: 40 }).map((exponent) => 2 ** exponent * (1 - Number.EPSILON / 2)),
  fc.constantFrom(0, -0, Number.MIN_VALUE, Number.MAX_VALUE),
);
const anyEdges: fc.Arbitrary<BucketEdges> = fc.oneof(
  fc.constantFrom(undefined, "s", "ms", "By").map((unit) => edgesByUnit(unit)),
  fc
    .uniqueArray(fc.oneof(anyValue, fc.double({ min: 0, max: 10, noNaN: true })), { maxLength: 10 })
    .map((values) => [...new Set(values.map((value) => Math.abs(value)))].sort((a, b) => a - b)),
);

test("ClassicBuckets.cumulative() counts exactly the observations that are at most the edge", () => {
  fc.assert(
    fc.property(
      fc.array(anyValue, { maxLength: 40 }),
      anyEdges,
      fc.integer({ min: -4, max: 5 }),
      (values, edges, schema) => {
        const family = familyOf(values, schema);
        const buckets = new ClassicBuckets(family, edges);

        // A histogram that has finer buckets than the family's coarsest has the same edges.
        for (const histogram of [family.points[0]!.histogram, histogramOf(values)])
          assert.deepEqual(
            buckets.cumulative(histogram),
            buckets.uppers.map((upper) => values.filter((value) => value <= upper).length),
          );
        assert.ok(buckets.uppers.every((upper, at) => at === 0 || upper > buckets.uppers[at - 1]!));
      },
    ),
    { seed, numRuns: 1000 },
  );
});

test("ClassicBuckets moves explicit edges to the nearest that the histogram has, powers of two not at all", () => {
  const at5 = new ClassicBuckets(familyOf([1]), [0, 0.005, 0.1, 1, 2.5, 10, 1024]).uppers;

  for (const [at, wanted] of [0, 0.005, 0.1, 1, 2.5, 10, 1024].entries())
    assert.ok(Math.abs(at5[at]! - wanted) <= wanted * 0.011, `${at5[at]} for ${wanted}`);
  assert.deepEqual([at5[0], at5[3], at5[6]], [0, 1, 1024]);
  assert.deepEqual(new ClassicBuckets(familyOf([1]), [1, 1.0001, 1.001]).uppers, [1], "each once");
});

test("ClassicBuckets leaves out powers of two that a coarse histogram can't tell apart", () => {
  const edges = { exponentMin: 0, exponentMax: 9, step: 1 };

  assert.deepEqual(
    new ClassicBuckets(familyOf([1], 0), edges).uppers,
    [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  assert.deepEqual(new ClassicBuckets(familyOf([1], -1), edges).uppers, [0, 1, 4, 16, 64, 256]);
  assert.deepEqual(new ClassicBuckets(familyOf([1], -3), edges).uppers, [0, 1, 256]);
});

test("ClassicBuckets refuses edges that do not ascend, are negative or not finite", () => {
  for (const edges of [[1, 1], [2, 1], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])
    assert.throws(() => new ClassicBuckets(familyOf([]), edges), { code: "OPTION_INVALID" });
});

test("edgesByUnit() has edges for what people time and weigh", () => {
  assert.deepEqual(edgesByUnit("s"), { exponentMin: -10, exponentMax: 12, step: 1 });
  assert.deepEqual(edgesByUnit("ms"), { exponentMin: 0, exponentMax: 22, step: 1 });
  assert.deepEqual(edgesByUnit("By"), edgesByUnit("B"));
  assert.deepEqual(edgesByUnit("{request}"), edgesByUnit(undefined));
});

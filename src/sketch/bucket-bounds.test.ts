import assert from "node:assert/strict";
import { test } from "node:test";
import { schemas } from "../../test/kit/distributions.js";
import { OptionError } from "../base/index.js";
import { bucketLowerAt, bucketMiddleAt, bucketUpperAt, relativeErrorAt } from "./bucket-bounds.js";
import { bucketIndexerOf } from "./bucket-index.js";
import { assertNear } from "./exponential.testkit.js";

for (const schema of schemas)
  test(`buckets of schema ${schema} touch each other and hold exactly the doubles above their lower to their upper bound`, () => {
    const indexOf = bucketIndexerOf(schema);
    const last = indexOf(Number.MAX_VALUE);
    let previous = 0;
    for (let index = indexOf(Number.MIN_VALUE); index <= last; index += 1) {
      const { lower, upper } = { lower: bucketLowerAt(schema, index), upper: bucketUpperAt(schema, index) };
      if (lower !== previous) assert.fail(`bucket ${index} begins at ${lower}, not ${previous}`);
      previous = upper;
      if (lower === upper) {
        assert.ok(upper < 2 ** -1064, "only among the smallest doubles a bucket may be without any");
        continue;
      }
      const first = lower + Math.max(Number.MIN_VALUE, 2 ** (Math.floor(index / 2 ** schema) - 52));

      if (indexOf(upper) !== index || indexOf(first) !== index || (lower > 0 && indexOf(lower) >= index))
        assert.fail(`bucket ${index}, above ${lower} to ${upper}, holds other doubles`);
      const middle = bucketMiddleAt(schema, index);
      assertNear(middle, first, schema, index);
      assertNear(middle, upper, schema, index);
    }
    assert.equal(previous, Number.MAX_VALUE);
  });

test("bounds of buckets beyond the doubles are the outermost doubles", () => {
  for (const schema of schemas) {
    assert.equal(bucketLowerAt(schema, -1e7), 0);
    assert.equal(bucketUpperAt(schema, -1e7), 0);
    assert.equal(bucketMiddleAt(schema, -1e7), Number.MIN_VALUE);
    for (const bound of [bucketLowerAt, bucketMiddleAt, bucketUpperAt])
      assert.equal(bound(schema, 1e7), Number.MAX_VALUE);
  }
});

test("relativeErrorAt() is (b - 1) / (b + 1), rounded up by at most a millionth", () => {
  for (const schema of schemas) {
    const base = 2 ** (2 ** -schema);
    const excess = relativeErrorAt(schema) - (base - 1) / (base + 1);

    assert.ok(excess > 2 ** -40 && excess < 1.001e-6, `schema ${schema}: ${excess}`);
  }
  assert.deepEqual([-4, 0, 5, 8].map(relativeErrorAt), [0.99997, 0.333334, 0.010831, 0.001354]);
});

test("bounds of buckets need a schema in -4..8", () => {
  for (const schema of [-5, 9, 0.5, Number.NaN]) {
    for (const of of [bucketLowerAt, bucketMiddleAt, bucketUpperAt])
      assert.throws(() => of(schema, 0), OptionError);
    assert.throws(() => relativeErrorAt(schema), OptionError);
  }
});

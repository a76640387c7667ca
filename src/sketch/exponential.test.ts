import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { anySchema, anyValues, schemas } from "../../test/kit/distributions.js";
import { OptionError } from "../base/index.js";
import { exponentialOf } from "./exponential.testkit.js";
import { downscale, type ExponentialHistogram, emptyExponential, Histogram } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));

test(`downscale() gives what recording with the lower schema gives (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, anySchema, anySchema, anySchema, (list, ...three) => {
    const [low, middle, high] = three.toSorted((a, b) => a - b) as [number, number, number];

    const direct = downscale(exponentialOf(list, high), low);
    const inSteps = downscale(downscale(exponentialOf(list, high), middle), low);

    assert.deepEqual(direct, exponentialOf(list, low));
    assert.deepEqual(inSteps, direct);
  });

  fc.assert(check, { seed, numRuns: 300 });
});

test("downscale() to the histogram's own schema changes nothing, and takes one above 8 down", () => {
  const histogram = exponentialOf([1, 2, 3], 5);
  const fine: ExponentialHistogram = {
    ...histogram,
    schema: 20,
    positive: { indexes: [-(2 ** 31), -1, 2 ** 20 - 1, 2 ** 20], counts: [1, 2, 3, 4] },
  };

  assert.equal(downscale(histogram, 5), histogram);
  assert.deepEqual(downscale(fine, 8).positive, {
    indexes: [-(2 ** 19), -1, 255, 256],
    counts: [1, 2, 3, 4],
  });
  assert.deepEqual(downscale(fine, 0).positive, { indexes: [-(2 ** 11), -1, 0, 1], counts: [1, 2, 3, 4] });
});

test("downscale() refuses a schema that is none or above the histogram's", () => {
  const histogram = exponentialOf([1, 2, 3], 5);

  for (const schema of [6, -5, 1.5, Number.NaN])
    assert.throws(() => downscale(histogram, schema), OptionError, `${schema}`);
  assert.throws(() => downscale({ ...histogram, schema: 20 }, 9), OptionError);
});

test("emptyExponential() is the histogram of no values", () => {
  for (const schema of schemas) assert.deepEqual(emptyExponential(schema), exponentialOf([], schema));
  for (const schema of [-5, 9, 0.5]) assert.throws(() => emptyExponential(schema), OptionError);
});

test(`Histogram.toExponential() is its plain data in schema 5 (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(anyValues, (list) => {
    const histogram = new Histogram();
    for (const value of list) histogram.record(value);

    assert.deepEqual(histogram.toExponential(), exponentialOf(list, 5));
  });

  fc.assert(check, { seed, numRuns: 300 });
  assert.deepEqual(new Histogram().toExponential(), emptyExponential(5));
});

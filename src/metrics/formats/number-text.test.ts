import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalNumberText, numberText } from "./number-text.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

test("numberText() writes whole numbers with all their digits", () => {
  assert.deepEqual(
    [
      0,
      -0,
      1,
      2 ** 53,
      1e20,
      1e21,
      0.1,
      1e-7,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ].map(numberText),
    [
      "0",
      "0",
      "1",
      "9007199254740992",
      "100000000000000000000",
      "1e+21",
      "0.1",
      "1e-7",
      "NaN",
      "+Inf",
      "-Inf",
    ],
  );
});

test("canonicalNumberText() writes the examples of the specification", () => {
  const examples =
    "0.0 0.001 0.002 0.01 0.1 0.9 0.95 0.99 0.999 1.0 1.7 10.0 1e-10 1e-09 1e-05 0.0001 100000.0 1e+06 1e+10 1e+23 1.1e+23";
  for (const example of [...examples.split(" "), "4.194304e+06", "+Inf", "-Inf", "-1.5"])
    assert.equal(canonicalNumberText(Number(example.replace("Inf", "Infinity"))), example);
});

test("canonicalNumberText() and numberText() lose nothing", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Number(canonicalNumberText(value)), value + 0);
      assert.equal(Number(numberText(value)), value + 0);
    }),
    { seed, numRuns: 2000 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { WideSum } from "./wide-sum.js";

test("WideSum.add() carries before a digit loses bits", () => {
  const sum = new WideSum();
  const allBits = 2 ** 53 - 1;
  const n = 2 ** 22 + 5;

  for (let i = 0; i < n; i += 1) sum.add(allBits);

  // n · (2^53 - 1) = 2^75 + 5 · 2^53 - n; taking the large parts away leaves -n exactly.
  sum.add(-(2 ** 75));
  sum.add(-5 * 2 ** 53);
  sum.carry();
  assert.equal(sum.round(), -n);
});

test("WideSum keeps only the digits in use", () => {
  const sum = new WideSum();
  sum.add(1e300);
  sum.add(3);
  sum.add(-1e300);

  sum.carry();
  sum.add(-3);
  sum.carry();

  assert.equal(sum.isZero, true);
  assert.equal(sum.round(), 0);
});

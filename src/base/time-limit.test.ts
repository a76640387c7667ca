import assert from "node:assert/strict";
import { test } from "node:test";
import { runWithin, timeOver } from "./time-limit.js";

test("runWithin() answers what the work does, and lets its errors through as they are", () => {
  const mistake = new RangeError("mine");

  const answer = runWithin(1_000, () => [1, 2]);

  assert.ok(Array.isArray(answer));
  assert.deepEqual(answer, [1, 2]);
  assert.throws(
    () =>
      runWithin(1_000, () => {
        throw mistake;
      }),
    (error) => error === mistake,
  );
});

test("runWithin() stops a regular expression that would take for ever", () => {
  const evil = /^(?:a+)+$/;

  const answer = runWithin(20, () => evil.test(`${"a".repeat(60)}!`));

  assert.equal(answer, timeOver);
});

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { compareGroups, type Group, groupBytes, groupKey } from "./group.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));

const value = fc.option(
  fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom("\ue000", "\uffff", "\u{10000}", "a\u{1f600}", "", "1:a;", "-;"),
  ),
);
const group: fc.Arbitrary<Group> = fc.array(value, { minLength: 2, maxLength: 2 });

test(`compareGroups() is the order of the values' UTF-8 bytes, nulls first (POUNDLOCK_SEED=${seed})`, () => {
  const property = fc.property(group, group, (a, b) => {
    assert.equal(Math.sign(compareGroups(a, b)), byBytes(a, b));
    assert.equal(Math.sign(compareGroups(b, a)), 0 - byBytes(a, b) || 0);
  });
  fc.assert(property, { seed, numRuns: 1_000 });
});

test(`groupKey() and groupBytes() are equal exactly for equal groups (POUNDLOCK_SEED=${seed})`, () => {
  const text = fc.oneof(fc.string({ unit: fc.constantFrom("-", ";", ":", "1", "2"), maxLength: 5 }), value);
  const list = fc.array(text, { maxLength: 3 });
  const property = fc.property(list, list, (a, b) => {
    const isSame = JSON.stringify(a) === JSON.stringify(b);
    assert.equal(groupKey(a) === groupKey(b), isSame);
    assert.equal(Buffer.compare(groupBytes(a), groupBytes(b)) === 0, isSame);
  });
  fc.assert(property, { seed, numRuns: 1_000 });
});

function byBytes(a: Group, b: Group): number {
  for (let i = 0; i < a.length; i += 1) {
    const left = a[i] ?? null;
    const right = b[i] ?? null;
    if (left === right) continue;
    if (left === null || right === null) return left === null ? -1 : 1;
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return 0;
}

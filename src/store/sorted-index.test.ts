import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { SortedIndex } from "./sorted-index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));

test(`SortedIndex gives live keys in order of their ranks (POUNDLOCK_SEED=${seed})`, () => {
  const step = fc.record({ key: fc.nat(30), rank: fc.option(fc.nat(50)) });
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const ranks = new Map<string, number>();
    const index = new SortedIndex((key, rank) => ranks.get(key) === rank);
    for (const { key: number, rank } of steps) {
      const key = String(number);
      const before = ranks.get(key);
      if (before === rank) continue;
      if (rank === null) ranks.delete(key);
      else ranks.set(key, rank);
      if (before !== undefined) index.noteRemoved();
      if (rank !== null) index.add(rank, key);
    }
    const found = [...index.ascending()];
    assert.deepEqual(new Map(found.map(({ key, rank }) => [key, rank])), ranks);
    assert.equal(found.length, ranks.size);
    assert.ok(found.every(({ rank }, at) => at === 0 || found[at - 1]!.rank <= rank));
  });
  fc.assert(property, { seed, numRuns: 300 });
});

test("SortedIndex.descending() starts below a rank; dead keys are dropped when they are many", () => {
  const live = new Set<string>();
  const index = new SortedIndex((key) => live.has(key));
  for (let rank = 0; rank < 5_000; rank += 1) {
    live.add(String(rank));
    index.add(rank, String(rank));
  }

  for (let rank = 0; rank < 5_000; rank += 1) {
    if (rank % 10 === 3) continue;
    live.delete(String(rank));
    index.noteRemoved();
  }

  const [first, second] = [...index.descending(4_983)];
  assert.deepEqual([first?.rank, second?.rank], [4_973, 4_963]);
  assert.equal([...index.ascending()].length, 500);
});

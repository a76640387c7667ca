import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../base/index.js";
import { inTurns, type Steps } from "./in-turns.js";
import { SnapshotSum } from "./merge.js";
import { counterBy, snapshotOf } from "./snapshot.testkit.js";
import { decodeInSteps, encodeInSteps, encodeSnapshot } from "./snapshot-codec.js";

/** A step for each number, of one millisecond each. */
function* steps(clock: ManualClock, done: number[], count: number): Steps<string> {
  for (let n = 1; n <= count; n += 1) {
    clock.advance(1);
    done.push(n);
    yield;
  }
  return "result";
}

test("inTurns() does what is short at once, and what is long in turns of 2 ms", async () => {
  const clock = new ManualClock(0);
  const done: number[] = [];
  const results: string[] = [];
  const keep = (result: string): void => void results.push(result);

  await inTurns(steps(clock, [], 0), { clock }, keep);
  const working = inTurns(steps(clock, done, 5), { clock }, keep);
  const seen: number[] = [done.length];
  while (results.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(done.length);
  }
  await working;

  assert.deepEqual(seen.slice(0, 3), [2, 4, 5]);
  assert.deepEqual(results, ["result", "result"]);
});

test("inTurns() leaves what is no longer wanted, without a result", async () => {
  const clock = new ManualClock(0);
  const done: number[] = [];

  await inTurns(steps(clock, done, 5), { clock, isWanted: () => done.length < 4 }, () =>
    assert.fail("a result"),
  );

  assert.deepEqual(done, [1, 2, 3, 4]);
});

test("inTurns() rejects with what a step throws", async () => {
  const clock = new ManualClock(0);
  function* failing(): Steps<void> {
    yield* steps(clock, [], 5);
    throw new RangeError("made to fail");
  }

  await assert.rejects(
    inTurns(failing(), { clock }, () => assert.fail("a result")),
    { message: "made to fail" },
  );
});

test("encoding, decoding, adding, copying and finishing a snapshot end a step at least every 8 series", () => {
  const series = Object.fromEntries(Array.from({ length: 800 }, (_, n) => [`s${n}`, n]));
  const snapshot = snapshotOf(1, counterBy("events", "k", series));
  const sum = new SnapshotSum();
  const works: Record<string, Steps<unknown>> = {
    encode: encodeInSteps(snapshot),
    decode: decodeInSteps(encodeSnapshot(snapshot)),
    add: sum.addInSteps(snapshot),
    copy: sum.copyInSteps(),
    finish: sum.finishInSteps(1, true),
  };

  for (const [name, work] of Object.entries(works)) {
    let count = 0;
    while (work.next().done !== true) count += 1;
    assert.equal(count, 100, name);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { LockDomain } from "./index.js";
import { turn } from "./turn.testkit.js";

test("tryAcquire() of a re-entrant lock below its own hold takes its turn there, and nobody else gets in", async () => {
  const mutex = new LockDomain().mutex("m", { reentrant: true });

  await mutex.run(() => {
    const again = mutex.tryAcquire();
    assert.ok(again);
    assert.equal(mutex.tryAcquire(), undefined, "a sibling has the turn");
    again.release();
    mutex.tryAcquire()?.release();
  });

  assert.equal(mutex.isLocked, false);
  const other = mutex.tryAcquire();
  assert.equal(mutex.tryAcquire(), undefined);
  other?.release();
});

test("the time that a holder sleeps in a condition does not count as held", async () => {
  const clock = new ManualClock(0);
  const warned: string[] = [];
  const domain = new LockDomain({ clock, holdWarnMs: 100, logger: { warn: (line) => warned.push(line) } });
  const mutex = domain.mutex("m");
  const condition = domain.condition(mutex);

  const sleeper = mutex.run(async (hold) => {
    clock.advance(25);
    await condition.wait(hold);
    assert.equal(hold.signal.aborted, false);
    clock.advance(50);
    assert.equal(hold.signal.aborted, false);
    for (let ms = 0; ms < 150; ms += 25) clock.advance(25);
    assert.equal(hold.signal.aborted, true);
  });
  await turn();
  for (let ms = 0; ms < 1_000; ms += 25) clock.advance(25);
  condition.notify();
  await sleeper;

  assert.equal(warned.filter((line) => line.includes("still holds m")).length, 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { OptionError } from "../base/index.js";
import { ClassMetrics } from "./class-metrics.js";

test("ClassMetrics.snapshot() is plain data with exact counts and the times' distributions", () => {
  const metrics = new ClassMetrics({ sampledEvery: 1 });
  metrics.acquisitions += 3;
  metrics.contended += 2;
  metrics.timeouts += 1;
  for (const ms of [10, 20, 30]) metrics.recordWait(ms);
  metrics.recordHold(5);

  const snapshot = metrics.snapshot();

  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
  assert.deepEqual(
    [snapshot.acquisitions, snapshot.contended, snapshot.timeouts, snapshot.overtaken],
    [3, 2, 1, 0],
  );
  const { p50Ms, ...wait } = snapshot.wait;
  assert.deepEqual(wait, { count: 3, minMs: 10, maxMs: 30, meanMs: 20, p90Ms: 30, p99Ms: 30 });
  assert.ok(Math.abs(p50Ms! - 20) < 20 * 0.0109);
  assert.equal(snapshot.hold.meanMs, 5);
  assert.equal(snapshot.sampledEvery, 1);
});

test("ClassMetrics.snapshot() of a class that nobody waited for has no times", () => {
  assert.deepEqual(new ClassMetrics().snapshot().wait, { count: 0 });
});

test("ClassMetrics.shouldTimeHold() picks 1 hold in n on average", () => {
  const metrics = new ClassMetrics({ sampledEvery: 16 });
  const asked = 160_000;
  let timed = 0;

  for (let i = 0; i < asked; i += 1) timed += metrics.shouldTimeHold() ? 1 : 0;

  // Distances are uniform in 1..31, so their number has a standard deviation of about 54 here.
  assert.ok(Math.abs(timed - asked / 16) < 400, `timed ${timed} of ${asked}`);
});

test("ClassMetrics.shouldTimeHold() does not keep step with a program that locks in a rhythm", () => {
  const metrics = new ClassMetrics({ sampledEvery: 16 });
  const timedAt = new Array<number>(4).fill(0);

  for (let i = 0; i < 64_000; i += 1) if (metrics.shouldTimeHold()) timedAt[i % 4]! += 1;

  for (const times of timedAt) assert.ok(times > 800 && times < 1200, `timed by place: ${timedAt}`);
});

test("ClassMetrics.shouldTimeHold() times the first hold, and each one when asked to", () => {
  const sampled = new ClassMetrics();
  const each = new ClassMetrics({ sampledEvery: 1 });

  assert.equal(sampled.shouldTimeHold(), true);
  for (let i = 0; i < 100; i += 1) assert.equal(each.shouldTimeHold(), true);
});

test("ClassMetrics.shouldTimeWait() samples on its own, whatever holds are asked for", () => {
  const metrics = new ClassMetrics();
  let timed = 0;

  for (let i = 0; i < 16_000; i += 1) {
    metrics.shouldTimeHold();
    timed += metrics.shouldTimeWait() ? 1 : 0;
  }

  assert.ok(timed > 850 && timed < 1150, `timed ${timed}`);
});

test("new ClassMetrics() refuses a sampling that is no whole number from 1", () => {
  for (const sampledEvery of [0, 1.5, -1, Number.NaN, 65_537])
    assert.throws(() => new ClassMetrics({ sampledEvery }), OptionError);
});

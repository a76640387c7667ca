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

test("new ClassMetrics() refuses a sampling that is no whole number from 1", () => {
  for (const sampledEvery of [0, 1.5, -1, Number.NaN, 65_537])
    assert.throws(() => new ClassMetrics({ sampledEvery }), OptionError);
});

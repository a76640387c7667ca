import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest.js";
import { checkUnit, formatDuration, parseDuration, parseSize } from "./units.js";

test("parseDuration() takes a number and a unit, and nothing else", () => {
  const texts = ["250ms", "10s", "5m", "2h", "1d", "1.5s"];

  assert.deepEqual(texts.map(parseDuration), [250, 10_000, 300_000, 7_200_000, 86_400_000, 1_500]);
  for (const text of ["", "10", "1x", "-1s", "0s", "1 s", "s", "1e3s", "0.0001ms"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test("formatDuration() is read back by parseDuration()", () => {
  for (const ms of [1, 250, 1_000, 90_000, 3_600_000, 86_400_000, 5_400_000]) {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
  assert.equal(formatDuration(3_600_000), "1h");
});

test("parseSize() takes bytes and binary units", () => {
  assert.deepEqual(
    ["64KiB", "64MiB", "2GiB", 512, "512B"].map(parseSize),
    [65_536, 67_108_864, 2_147_483_648, 512, 512],
  );
  for (const value of ["", "64MB", "-1", "1.5B", "x", -1, 0])
    assert.equal(parseSize(value), undefined, String(value));
});

test("checkUnit() knows units, takes words, and corrects other names of a known unit", () => {
  assert.deepEqual(checkUnit("ms"), { kind: "ok", unit: "ms" });
  assert.deepEqual(checkUnit("orders"), { kind: "ok", unit: "orders" });
  assert.deepEqual(checkUnit("usd/h"), { kind: "ok", unit: "usd/h" });
  assert.deepEqual(checkUnit("Seconds"), { kind: "other-name", unit: "s" });
  assert.deepEqual(checkUnit("MS"), { kind: "other-name", unit: "ms" });
  assert.deepEqual(checkUnit("Bytes"), { kind: "other-name", unit: "bytes" });
  assert.deepEqual(checkUnit("M"), { kind: "ok", unit: "M" });
  assert.equal(checkUnit("12").kind, "no-unit");
  assert.equal(checkUnit("").kind, "no-unit");
  assert.equal(checkUnit("constructor").kind, "ok");
});

test("nearestName() suggests what was meant, and nothing for a word that is far from all", () => {
  const names = ["report", "validate", "query", "ledger"];

  assert.equal(nearestName("reprot", names), "report");
  assert.equal(nearestName("valid", names), "validate");
  assert.equal(nearestName("banana", names), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { histograms, numbers, recentWindow } from "../../../test/kit/metrics/sample-families.js";
import { exposeFamilies } from "./exposed-families.js";

const manySeries = Array.from({ length: 10_000 }, (_, at): string[] => [`${at}`]);

test("exposeFamilies() lets others have a turn while it looks for label sets that are the same", () => {
  const labelNames = ["l"];
  const distinct = manySeries.map((labels): [string[], number] => [labels, 1]);
  const twins: [string[], number][] = [...distinct, [["\ud800"], 1], [["\udfff"], 1]];
  for (const points of [distinct, twins]) {
    const offers = [...exposeFamilies([numbers("counter", { name: "c", labelNames }, points)])];

    assert.ok(offers.filter((offer) => offer === undefined).length >= 20);
    assert.equal(offers.at(-1)?.points.length, points === twins ? 10_001 : 10_000);
  }
});

test("exposeFamilies() lets others have a turn after each window", () => {
  const points = manySeries.slice(0, 100).map((labels): [string[], number[]] => [labels, [1, 2]]);

  const offers = [...exposeFamilies([recentWindow({ name: "w", labelNames: ["l"] }, points)])];

  assert.ok(offers.filter((offer) => offer === undefined).length >= 100);
  assert.equal(offers.filter((offer) => offer !== undefined).length, 7);
});

test("exposeFamilies() knows a unit only by the end of the name", () => {
  const unitOf = (name: string, unit?: string): string | undefined => {
    const [family] = exposeFamilies([histograms(unit === undefined ? { name } : { name, unit }, [])]);
    return family?.unit;
  };

  assert.equal(unitOf("wait_seconds", "s"), "seconds");
  assert.equal(unitOf("wait.seconds", "s"), "seconds");
  for (const [name, unit] of [
    ["wait", "s"],
    ["waitseconds", "s"],
    ["wait_seconds", "ms"],
    ["wait_seconds", "1"],
    ["wait_seconds", undefined],
  ] as const)
    assert.equal(unitOf(name, unit), undefined, `${name} ${unit}`);
  const second = [
    ...exposeFamilies([1, 2].map(() => histograms({ name: "wait_seconds", unit: "s" }, []))),
  ].at(-1);
  assert.deepEqual([second?.name, second?.unit], ["wait_seconds_2", undefined]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRules } from "./compile.js";
import type { MetricRule, Rules, SourceRule } from "./rules.js";

const source: SourceRule = { name: "app", format: { kind: "json" }, time: { kind: "none" } };
const requests: MetricRule = { name: "requests", kind: "count", from: [], by: ["route"] };

function keys(...metrics: MetricRule[]): string[] {
  return compileRules({ sources: [source], metrics }).fold.map(({ key }) => key);
}

test("compileRules() gives the same rules the same keys, and a changed rule a new one", () => {
  assert.deepEqual(keys(requests), keys({ ...requests }));
  assert.notDeepEqual(keys(requests), keys({ ...requests, by: ["status"] }));
  assert.notDeepEqual(keys(requests), keys({ ...requests, where: "status > 1" }));
  assert.deepEqual(keys(requests), keys({ ...requests, windowsMs: [1000] }));
});

test("compileRules() makes new cells when the source's events are other ones", () => {
  const changed: Rules = { sources: [{ ...source, where: "a == 1" }], metrics: [requests] };

  assert.notDeepEqual(compileRules(changed).fold[0]?.key, keys(requests)[0]);
});

test("a ratio counts its part with its whole's sources, groups and condition", () => {
  const ratio: MetricRule = {
    name: "errors",
    kind: "ratio",
    of: "requests",
    where: "status >= 500",
    from: [],
    by: [],
  };
  const whole = { ...requests, where: "method == 'GET'" };

  const compiled = compileRules({ sources: [source], metrics: [whole, ratio] });

  assert.deepEqual(compiled.fold[1]?.where, ["method == 'GET'", "status >= 500"]);
  assert.deepEqual(compiled.fold[1]?.by, ["route"]);
  assert.equal(compiled.read[1]?.whole, compiled.fold[0]?.key);
});

test("compileRules() refuses names that stand for nothing, or for two things", () => {
  const unknown = { code: "RULE_REFERENCE" };

  assert.throws(() => keys({ ...requests, from: ["nope"] }), unknown);
  assert.throws(() => keys(requests, requests), unknown);
  assert.throws(
    () => keys({ name: "r", kind: "ratio", of: "nope", where: "true", from: [], by: [] }),
    unknown,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { unitWord } from "./unit-words.js";

test("unitWord() spells units out as Prometheus does", () => {
  const words = {
    s: "seconds",
    ms: "milliseconds",
    By: "bytes",
    "By/s": "bytes_per_second",
    "1/s": "per_second",
    "{request}/min": "per_minute",
    "%": "percent",
    "By{used}": "bytes",
    EUR: "EUR",
    kWh·m: "kWh_m",
  };
  for (const [unit, word] of Object.entries(words)) assert.equal(unitWord(unit), word, unit);
});

test("unitWord() has no word for what has no unit", () => {
  for (const unit of [undefined, "", "1", "{request}", "1{x}", "/", "🙂"])
    assert.equal(unitWord(unit), undefined, unit);
});

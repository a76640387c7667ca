import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import type { MetricsSnapshot } from "../metrics/index.js";
import { openRegistry } from "../metrics/index.js";
import { registerFamilies } from "./families.js";
import { frozenNumbers } from "./frozen-numbers.js";
import { settingsOf } from "./options.js";
import { RequestMeter } from "./request-meter.js";

/** What is left of a process that was killed: what was in flight there is gone with it. */
function withoutInFlight(snapshot: MetricsSnapshot): MetricsSnapshot {
  const families = snapshot.families.filter(({ kind }) => kind !== "upDownCounter");
  return { ...snapshot, families };
}

for (const names of ["prometheus", "opentelemetry"] as const)
  test(`requests_total does not fall when a process is killed with requests in flight (${names})`, () => {
    const registry = openRegistry({
      name: `frozen ${names}`,
      reserveBytes: 8 * 2 ** 20,
      hasOwnMetrics: false,
    });
    const settings = settingsOf({ names });
    const families = registerFamilies(registry, settings);
    const meter = new RequestMeter(registry, families, settings, new ManualClock(0));

    const [ended, scrape] = [meter.start("GET", "http"), meter.start("GET", "http")];
    for (let n = 0; n < 3; n += 1) meter.start("POST", "http");
    meter.end(ended, { status: 200, end: "complete" });
    meter.forget(scrape);
    const snapshot = registry.snapshot();

    assert.equal(frozenNumbers(snapshot, families).requests_total, 4);
    assert.equal(frozenNumbers(withoutInFlight(snapshot), families).requests_total, 4);
  });

import assert from "node:assert/strict";
import { openRegistry } from "../../src/metrics/index.js";
import { queryShipped, shipMetrics } from "../../src/shipping/index.js";
import { openLmdbStore } from "../../src/store/lmdb/index.js";
import { seededRandom } from "../kit/feed.js";

/**
 * A process made to be killed: it proves that what it finds in the store agrees with itself, then counts and ships for as long as it lives. Says on
 * stdout `found <events>`, then `sending <events>` before and `shipped <events>` after each shipment.
 */
async function main(path: string, seed: number): Promise<never> {
  const random = seededRandom(seed);
  const registry = openRegistry({ hasOwnMetrics: false, reserveBytes: 16 * 2 ** 20 });
  const events = registry.counter("events", { labels: ["k"] });
  const sizes = registry.histogram("sizes");
  const store = await openLmdbStore({ path, ownerWaitMs: 0 });
  const shipping = shipMetrics(registry, store, { everyMs: 3_600_000 });
  const record = (): void => {
    events.add(1, { k: String(Math.floor(random() * 5)) });
    sizes.record(0.25);
  };
  record();
  const query = queryShipped({ store, families: registry.snapshot().families });
  const total = async (metric: string): Promise<readonly [number, number]> => {
    const { all } = await query.answer({ metric });
    return [all.value ?? all.n, (all.mean ?? 0) * all.n];
  };
  const hasCells = (await store.ledger()).length > 0;
  const [found] = hasCells ? await total("events") : [0];
  if (hasCells) assert.deepEqual(await total("sizes"), [found, found / 4], "events and their sizes");
  const rows = await store.ledger();
  assert.ok(rows.every(({ unaccounted, accepted, settled }) => unaccounted === 0 && accepted === settled));
  const watermarks = await store.watermarks("metrics");
  assert.ok(watermarks.every(({ file }) => file !== shipping.instance));
  process.stdout.write(`found ${found}\n`);
  for (let recorded = 1; ; recorded = 0) {
    for (let left = Math.floor(random() * 20); left >= 0; left -= 1) {
      record();
      recorded += 1;
    }
    process.stdout.write(`sending ${recorded}\n`);
    assert.equal(await shipping.ship(), true);
    process.stdout.write(`shipped ${recorded}\n`);
  }
}

await main(process.argv[2]!, Number(process.argv[3]));

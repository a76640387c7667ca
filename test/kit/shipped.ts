import assert from "node:assert/strict";
import { ManualClock, PoundlockError } from "../../src/base/index.js";
import { openRegistry, type Registry } from "../../src/metrics/index.js";
import { queryShipped, shipMetrics } from "../../src/shipping/index.js";
import { Histogram } from "../../src/sketch/index.js";
import type { Settlement, SettleResult, Store } from "../../src/store/index.js";
import { seededRandom } from "./feed.js";
import { until } from "./until.js";

/** Of the random tests; printed by each. */
export const shipSeed: number = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
export const shipStartMs = 1_790_000_000_000;

/** A failure that leaves open whether the store has settled. */
export class LostAnswerError extends PoundlockError {
  readonly code = "TEST_LOST_ANSWER";
  override readonly retryable = true;

  constructor() {
    super("Cannot settle: the answer was lost");
  }
}

/** The store with a `settle` of the test's own. */
export function withSettle(
  store: () => Store,
  settle: (settlement: Settlement, store: Store) => Promise<SettleResult>,
): Store {
  return new Proxy({} as Store, {
    get(_, name) {
      const target = store();
      if (name === "settle") return (settlement: Settlement) => settle(settlement, target);
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

let registries = 0;

/** A registry of its own. */
export function newRegistry(clock: ManualClock): Registry {
  registries += 1;
  return openRegistry(
    { name: `shipping-${registries}`, hasOwnMetrics: false, reserveBytes: 16 * 2 ** 20 },
    clock,
  );
}

/** Counts requests by route with their durations, and knows what must be found again. */
export class Recorded {
  readonly registry: Registry;
  readonly #requests;
  readonly #bytes;
  readonly #durations;
  readonly #depth;
  readonly expected: { requests: Map<string, number>; durations: Histogram; depth: number } = {
    requests: new Map(),
    durations: new Histogram(),
    depth: 0,
  };

  constructor(clock: ManualClock) {
    this.registry = newRegistry(clock);
    this.#requests = this.registry.counter("requests", { labels: ["route"] });
    this.#bytes = this.registry.counter("bytes", { unit: "By" });
    this.#durations = this.registry.histogram("durations", { unit: "s" });
    this.#depth = this.registry.gauge("depth");
  }

  some(random: () => number): void {
    for (let left = Math.floor(random() * 20); left > 0; left -= 1) {
      const route = `/${Math.floor(random() * 5)}`;
      const duration = Math.exp(4 * random() - 2);
      this.#requests.add(1, { route });
      this.#bytes.add(duration / 3);
      this.#durations.record(duration);
      const { requests, durations } = this.expected;
      requests.set(route, (requests.get(route) ?? 0) + 1);
      durations.record(duration);
    }
    this.expected.depth = Math.floor(random() * 100);
    this.#depth.set(this.expected.depth);
  }
}

/** That the store's totals, or a window that has them all, are what was recorded. */
async function checkStore(
  store: Store,
  { registry, expected }: Recorded,
  options: { readonly clock: ManualClock; readonly windowMs?: number },
): Promise<void> {
  const { families } = registry.snapshot();
  const { windowMs } = options;
  const query = queryShipped({ store, families, clock: options.clock });
  const span = windowMs === undefined ? {} : { windowMs };
  const requests = await query.answer({ metric: "requests", ...span });
  const found = requests.groups.map(({ by, value }) => [by.route, value] as const);
  assert.deepEqual(found.sort(), [...expected.requests].sort());
  const bytes = await query.answer({ metric: "bytes", ...span });
  const counted = families.find(({ name }) => name === "bytes")?.points[0];
  assert.ok(counted !== undefined && "value" in counted);
  assert.equal(bytes.all.value, counted.value);
  const { all } = await query.answer({ metric: "durations", ...span });
  const { durations } = expected;
  assert.equal(all.n, durations.count);
  assert.deepEqual(
    [all.p50, all.p90, all.p99],
    [durations.quantile(0.5), durations.quantile(0.9), durations.quantile(0.99)],
  );
  if (windowMs === undefined) assert.deepEqual([all.min, all.max], [durations.min, durations.max]);
  assert.equal((await query.answer({ metric: "depth", ...span })).all.value, expected.depth);
  for (const row of await store.ledger()) {
    assert.equal(row.unaccounted, 0);
    assert.equal(row.accepted, row.settled);
  }
}

/**
 * Ships to a store whose `settle` throws at random before or after it has settled, and proves that the store has what was recorded: each group's
 * total and window, percentiles, sums of fractions to the last digit, the newest gauge; and a ledger that balances.
 */
export async function shipWhileFailing(open: (clock: ManualClock) => Promise<Store>): Promise<void> {
  const random = seededRandom(shipSeed);
  const clock = new ManualClock(shipStartMs);
  const store = await open(clock);
  let lost = 0;
  const failing = withSettle(
    () => store,
    async (settlement, target) => {
      if (random() < 0.2) throw new LostAnswerError();
      const result = await target.settle(settlement);
      if (random() < 0.2) {
        lost += 1;
        throw new LostAnswerError();
      }
      return result;
    },
  );
  const recorded = new Recorded(clock);
  const shipping = shipMetrics(recorded.registry, failing, { clock, seriesMax: 3 });
  let failures = 0;
  for (let round = 0; round < 60; round += 1) {
    recorded.some(random);
    clock.setWall(shipStartMs + round * 1_000);
    if (!(await shipping.ship())) failures += 1;
  }
  await until("all is shipped", () => shipping.ship());
  await shipping.close();

  await checkStore(store, recorded, { clock });
  await checkStore(store, recorded, { clock, windowMs: 120_000 });
  assert.ok(failures > 5 && lost > 3, `only ${failures} failures, ${lost} of them after settling`);
  assert.equal(shipping.status.failures >= failures, true);
  recorded.registry.close();
  await store[Symbol.asyncDispose]();
}

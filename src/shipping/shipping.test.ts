import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../test/kit/feed.js";
import {
  LostAnswerError,
  newRegistry,
  Recorded,
  shipSeed as seed,
  shipWhileFailing,
  shipStartMs as startMs,
  withSettle,
} from "../../test/kit/shipped.js";
import { until } from "../../test/kit/until.js";
import { ManualClock, type Notice } from "../base/index.js";
import { openMemoryStore, type Settlement, type Store } from "../store/index.js";
import { queryShipped, shipMetrics } from "./index.js";

test(`shipMetrics() makes windows, percentiles and totals equal to what was recorded, while the store fails before and after it has settled (POUNDLOCK_SEED=${seed})`, async () => {
  await shipWhileFailing(async (clock) => openMemoryStore({ clock }));
});

test(`shipMetrics() sends nothing twice over changes of generation: all stores together have what was recorded (POUNDLOCK_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const clock = new ManualClock(startMs);
  let current = openMemoryStore({ clock });
  const former: Store[] = [];
  const store = withSettle(
    () => current,
    async (settlement) => {
      if (random() < 0.15) {
        former.push(current);
        current = openMemoryStore({ clock });
      }
      return current.settle(settlement);
    },
  );
  const recorded = new Recorded(clock);
  const shipping = shipMetrics(recorded.registry, store, { clock, seriesMax: 3 });
  for (let round = 0; round < 40; round += 1) {
    recorded.some(random);
    await shipping.ship();
  }
  await until("all is shipped", () => shipping.ship());

  const { families } = recorded.registry.snapshot();
  const counted = new Map<string, number>();
  let observed = 0;
  for (const one of [...former, current]) {
    const query = queryShipped({ store: one, families, clock });
    if ((await one.ledger()).length === 0) continue;
    for (const metric of ["requests", "durations"]) {
      const answer = await query.answer({ metric }).catch(() => undefined);
      for (const { by, value, n } of answer?.groups ?? [])
        if (metric === "durations") observed += n;
        else counted.set(by.route!, (counted.get(by.route!) ?? 0) + value!);
    }
  }
  assert.ok(former.length > 3);
  assert.deepEqual([...counted].sort(), [...recorded.expected.requests].sort());
  assert.equal(observed, recorded.expected.durations.count);
  recorded.registry.close();
});

test("shipMetrics() ships on its clock, and the rest when it is closed", async () => {
  const clock = new ManualClock(startMs);
  const store = openMemoryStore({ clock });
  const registry = newRegistry(clock);
  const events = registry.counter("events");
  const shipping = shipMetrics(registry, store, { clock, everyMs: 1_000 });
  const total = async (): Promise<number | null | undefined> => {
    const { families } = registry.snapshot();
    return (await queryShipped({ store, families, clock }).answer({ metric: "events" })).all.value;
  };
  events.add(5);
  clock.advance(1_000);
  await until("the first shipment is there", () => shipping.status.settlements === 1);
  assert.equal(await total(), 5);

  events.add(2);
  assert.equal(await shipping.close(), true);

  assert.equal(await total(), 7);
  events.add(1);
  clock.advance(10_000);
  assert.equal(await shipping.close(), true);
  assert.equal(await total(), 7);
  registry.close();
});

test("shipMetrics() keeps counts while the store is gone, with no more memory than one settlement, and close() does not wait for ever", async () => {
  const clock = new ManualClock(startMs);
  const registry = newRegistry(clock);
  const events = registry.counter("events");
  const sent = new Set<Settlement>();
  const kept = openMemoryStore({ clock });
  let isGone = true;
  const notices: Notice[] = [];
  const store = withSettle(
    () => kept,
    async (settlement, target) => {
      if (!isGone) return target.settle(settlement);
      sent.add(settlement);
      throw new LostAnswerError();
    },
  );
  const shipping = shipMetrics(registry, store, { clock, notices: (notice) => notices.push(notice) });
  for (let i = 0; i < 50; i += 1) {
    events.add(1);
    assert.equal(await shipping.ship(), false);
  }
  assert.equal(sent.size, 1);
  assert.equal(notices.length, 50);
  isGone = false;
  assert.equal(await shipping.ship(), true);

  const { families } = registry.snapshot();
  const answer = await queryShipped({ store: kept, families, clock }).answer({ metric: "events" });
  assert.equal(answer.all.value, 50);

  const hanging = withSettle(
    () => kept,
    () => new Promise<never>(() => {}),
  );
  const stuck = shipMetrics(registry, hanging, { clock });
  const closing = stuck.close(300);
  await until("it hangs", () => {
    clock.advance(100);
    return clock.now() > startMs + 1_000;
  });
  assert.equal(await closing, false);
  registry.close();
});

test("shipMetrics() leaves out numbers that are not finite, and the overflow series goes to a group of nulls", async () => {
  const clock = new ManualClock(startMs);
  const store = openMemoryStore({ clock });
  const head = { help: "", labelNames: ["k"] };
  const point = (label: string, value: number) => ({ labels: [label], startedMs: 0, value });
  const family = {
    ...head,
    kind: "counter" as const,
    name: "c",
    points: [point("a", 3), point("b", Number.POSITIVE_INFINITY), { ...point("", 4), isOverflow: true }],
  };
  const snapshot = { atMs: startMs, isExact: true, families: [family] };
  const shipping = shipMetrics({ snapshot: () => snapshot }, store, { clock });

  assert.equal(await shipping.ship(), true);

  const { groups } = await queryShipped({ store, families: [family], clock }).answer({ metric: "c" });
  assert.deepEqual(
    groups.map(({ by, value }) => [by.k, value]),
    [
      [null, 4],
      ["a", 3],
    ],
  );
  assert.equal(shipping.status.dropped, 1);
});

test("shipMetrics() counts a registry once in a store: not twice at a time, and after close() from there", async () => {
  const clock = new ManualClock(startMs);
  const registry = newRegistry(clock);
  const events = registry.counter("events");
  const store = openMemoryStore({ clock });
  const total = async (): Promise<number | null | undefined> => {
    const { families } = registry.snapshot();
    return (await queryShipped({ store, families, clock }).answer({ metric: "events" })).all.value;
  };
  const first = shipMetrics(registry, store, { clock });
  events.add(3);

  assert.throws(() => shipMetrics(registry, store, { clock, source: "another" }), { code: "OPTION_INVALID" });
  assert.equal(await first.close(), true);
  events.add(4);
  const second = shipMetrics(registry, store, { clock, source: "another" });
  assert.equal(await second.close(), true);
  events.add(5);
  const third = shipMetrics(registry, store, { clock });
  assert.equal(await third.close(), true);

  assert.equal(await total(), 12);
  registry.close();
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultLevels } from "../../../src/store/index.js";
import {
  amountOf,
  counted,
  dayMs,
  type Event,
  failure,
  groupsOf,
  hourMs,
  Lab,
  minuteMs,
  type OpenStore,
  secondMs,
  seed,
  startMs,
} from "./lab.js";

type Step =
  | {
      readonly kind: "settle";
      readonly file: number;
      readonly events: readonly Draw[];
      readonly failures: number;
    }
  | { readonly kind: "repeat" }
  | { readonly kind: "advance"; readonly byMs: number };

interface Draw {
  readonly metric: "count" | "sum" | "capped";
  readonly group: string | null;
  /** Before the store's clock, in milliseconds; undefined for no time. */
  readonly ageMs: number | undefined;
  readonly value: number;
}

const ageMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 10 * minuteMs }) },
  { weight: 3, arbitrary: fc.integer({ min: -10 * minuteMs, max: 3 * hourMs }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 95 * dayMs }) },
);

const draw: fc.Arbitrary<Draw> = fc.record({
  metric: fc.constantFrom("count", "sum", "capped"),
  group: fc.constantFrom("a", "b", "", "c", "d", "e", null),
  ageMs: fc.option(ageMs, { nil: undefined, freq: 12 }),
  value: fc.integer({ min: -1_000, max: 1_000 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      file: fc.nat(2),
      events: fc.array(draw, { maxLength: 12 }),
      failures: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "repeat" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      byMs: fc.oneof(fc.nat(2 * minuteMs), fc.nat(5 * hourMs), fc.nat(40 * dayMs)),
    }),
  },
);

interface Kept {
  readonly group: string | null | "overflow of capped";
  readonly metric: string;
  readonly value: number;
  /** Undefined when it made no slot. */
  readonly atMs: number | undefined;
}

/** Keeps every event, and answers by looking at all of them. */
class Model {
  readonly kept: Kept[] = [];
  clockMs = Number.NEGATIVE_INFINITY;
  accepted = 0;
  dead = 0;
  late = 0;
  future = 0;
  untimed = 0;
  readonly #capped = new Set<string | null>();

  settle(events: readonly Event[], failures: number, nowMs: number): void {
    this.accepted += events.length + failures;
    this.dead += failures;
    const limitMs = nowMs + 5 * minuteMs;
    const times = events.flatMap(({ atMs }) => atMs ?? []);
    const usable = times.every((atMs) => atMs <= limitMs)
      ? times
      : times.map(endOfSecond).map((atMs) => Math.min(atMs, limitMs));
    const newest = times.every((atMs) => atMs <= limitMs)
      ? usable
      : usable.filter((_, index) => floorTo(times[index]!, secondMs) <= limitMs);
    this.clockMs = Math.max(Math.min(this.clockMs, limitMs), ...newest);
    for (const event of events) this.#keep(event, limitMs);
  }

  #keep({ metric, group, atMs, value }: Event, limitMs: number): void {
    const isCapped = metric === "capped" && !this.#capped.has(group) && this.#capped.size >= 3;
    if (metric === "capped" && !isCapped) this.#capped.add(group);
    const secondOf = atMs === undefined ? undefined : floorTo(atMs, secondMs);
    const isUntimed = secondOf === undefined;
    const isFuture = secondOf !== undefined && secondOf > limitMs;
    const isLate = secondOf !== undefined && !isFuture && this.slotOf(secondOf) === undefined;
    this.untimed += Number(isUntimed);
    this.future += Number(isFuture);
    this.late += Number(isLate);
    this.kept.push({
      metric,
      group: isCapped ? "overflow of capped" : group,
      value: metric === "sum" ? value : 1,
      atMs: isUntimed || isFuture || isLate ? undefined : secondOf,
    });
  }

  /** Level by level: the first one whose keeping, rounded down to the next one's grid, still has the time. */
  slotOf(atMs: number): readonly [number, number] | undefined {
    for (const [index, { widthMs, keepMs }] of defaultLevels.entries()) {
      const gridMs = defaultLevels[index + 1]?.widthMs ?? widthMs;
      if (atMs >= floorTo(this.clockMs - keepMs, gridMs)) return [floorTo(atMs, widthMs), widthMs];
    }
    return undefined;
  }

  totals(): ReadonlyMap<string, number> {
    return this.#sums((kept) => `${kept.metric} ${kept.group}`);
  }

  slots(): ReadonlyMap<string, number> {
    return this.#sums((kept) => {
      const slot = kept.atMs === undefined ? undefined : this.slotOf(kept.atMs);
      return slot === undefined ? undefined : `${kept.metric} ${kept.group} ${slot.join("+")}`;
    });
  }

  #sums(keyOf: (kept: Kept) => string | undefined): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const kept of this.kept) {
      const key = keyOf(kept);
      if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) + kept.value);
    }
    return sums;
  }
}

/** Random histories against a model that keeps every event. */
export function model(name: string, open: OpenStore): void {
  test(`${name}: any history reads as its events do (POUNDLOCK_SEED=${seed})`, async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.nat(20),
      async (steps, foldCells) => {
        const lab = await Lab.open(undefined, open, { foldCellsMax: foldCells + 1 });
        try {
          const model = new Model();
          for (const step of steps) await take(step, lab, model);
          await compare(lab, model);
        } finally {
          await lab.store[Symbol.asyncDispose]();
        }
      },
    );
    await fc.assert(property, { seed, numRuns: 120 });
  });

  test(`${name}: settlements of different files in any order read the same (POUNDLOCK_SEED=${seed})`, async () => {
    const files = fc.array(fc.array(draw, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 });
    const property = fc.asyncProperty(files, fc.infiniteStream(fc.nat()), async (files, numbers) => {
      // One time for all, inside the slots, or lateness would depend on what came before.
      const settlements = files.map((draws, file) => ({
        file: `${file}.log`,
        events: draws
          .filter(({ metric }) => metric !== "capped")
          .map((drawn) => eventOf({ ...drawn, ageMs: Math.abs(drawn.ageMs ?? 0) % (80 * dayMs) }, startMs)),
      }));
      const shuffled = settlements
        .map((settlement) => ({ settlement, rank: numbers.next().value ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ settlement }) => settlement);
      assert.equal(await readAfter(open, settlements), await readAfter(open, shuffled));
    });
    await fc.assert(property, { seed, numRuns: 40 });
  });

  test(`${name}: a settlement of 6,000 cells is one step`, async (t) => {
    const lab = await Lab.open(t, open);
    const events = Array.from({ length: 6_000 }, (_, n) =>
      counted(`g${n % 600}`, startMs - Math.floor(n / 600) * secondMs),
    );

    const version = await lab.settle({ events });

    assert.equal(version, 1);
    const groups = (await groupsOf(lab.store, "count", { fromMs: 0, toMs: 8e15 }, 1_000)) as unknown[][];
    assert.equal(groups.length, 600);
    assert.ok(groups.every(([, , cells]) => (cells as unknown[]).length === 10));
  });
}

async function take(step: Step, lab: Lab, model: Model): Promise<void> {
  if (step.kind === "advance") {
    lab.clock.advance(step.byMs);
  } else if (step.kind === "settle") {
    const events = step.events.map((drawn) => eventOf(drawn, lab.clock.now()));
    const failures = Array.from({ length: step.failures }, (_, n) => failure(n));
    await lab.settle({ file: `${step.file}.log`, events, failures });
    model.settle(events, step.failures, lab.clock.now());
  } else {
    const again = lab.next({ events: [counted("a", lab.clock.now())], file: "repeated.log" });
    const repeated = { ...again, delta: again.delta.slice() };
    if ((await lab.store.settle(again)).kind === "settled")
      model.settle([counted("a", lab.clock.now())], 0, lab.clock.now());
    assert.equal((await lab.store.settle(repeated)).kind, "foreign");
  }
}

async function compare(lab: Lab, model: Model): Promise<void> {
  const row = await lab.ledgerOf();
  if (model.accepted > 0)
    assert.deepEqual([row.accepted, row.dead, row.unaccounted], [model.accepted, model.dead, 0]);
  const counters = { late: 0, future: 0, untimed: 0 };
  const totals = new Map<string, number>();
  const slots = new Map<string, number>();
  for (const metric of ["count", "sum", "capped"]) {
    const page = await lab.store.read({ metric, span: "total" });
    for (const name of ["late", "future", "untimed"] as const) counters[name] += page[name];
    for (const { group, isOverflow, cells } of page.groups)
      totals.set(`${metric} ${isOverflow ? "overflow of capped" : group[0]}`, amountOf(cells[0]?.cell));
    const { groups } = await lab.store.read({ metric, span: { fromMs: -8e15, toMs: 8e15 } });
    for (const { group, isOverflow, cells } of groups)
      for (const { startMs, widthMs, cell } of cells)
        slots.set(
          `${metric} ${isOverflow ? "overflow of capped" : group[0]} ${startMs}+${widthMs}`,
          amountOf(cell),
        );
  }
  assert.deepEqual(sorted(totals), sorted(model.totals()));
  assert.deepEqual(sorted(slots), sorted(model.slots()));
  assert.deepEqual(counters, { late: model.late, future: model.future, untimed: model.untimed });
}

async function readAfter(
  open: OpenStore,
  settlements: readonly { readonly file: string; readonly events: readonly Event[] }[],
): Promise<string> {
  const lab = await Lab.open(undefined, open, { foldCellsMax: 2 });
  for (const settlement of settlements) await lab.settle(settlement);
  const reads: unknown[] = [await lab.store.ledger(), (await lab.store.info()).dataClockMs];
  for (const metric of ["count", "sum"])
    for (const span of ["total", { fromMs: -8e15, toMs: 8e15 }] as const)
      reads.push(await groupsOf(lab.store, metric, span));
  await lab.store[Symbol.asyncDispose]();
  return JSON.stringify(reads);
}

function eventOf({ metric, group, ageMs, value }: Draw, nowMs: number): Event {
  return { metric, group, value, atMs: ageMs === undefined ? undefined : nowMs - ageMs };
}

function sorted(sums: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

function floorTo(timeMs: number, widthMs: number): number {
  return Math.floor(timeMs / widthMs) * widthMs;
}

function endOfSecond(timeMs: number): number {
  return floorTo(timeMs, secondMs) + secondMs - 1;
}

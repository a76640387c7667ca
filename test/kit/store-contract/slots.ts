import assert from "node:assert/strict";
import { test } from "node:test";
import {
  amountOf,
  counted,
  dayMs,
  groupsOf,
  hourMs,
  Lab,
  minuteMs,
  type OpenStore,
  secondMs,
  startMs,
} from "./lab.js";

/** Where events land, how slots age, and what the limits on groups and bytes do. */
export function slots(name: string, open: OpenStore): void {
  test(`${name}: an event lands in the finest slot that its age allows`, async (t) => {
    const lab = await Lab.open(t, open);
    const at = (ageMs: number): number => startMs - ageMs;

    await lab.settle({
      events: [0, 2 * minuteMs, 30 * minuteMs, 5 * hourMs, 10 * dayMs].map((age) => counted("x", at(age))),
    });

    assert.deepEqual(await lab.slots("count", "x"), [
      [at(10 * dayMs), hourMs, 1],
      [at(5 * hourMs), minuteMs, 1],
      [at(30 * minuteMs), 10 * secondMs, 1],
      [at(2 * minuteMs), secondMs, 1],
      [startMs, secondMs, 1],
    ]);
  });

  test(`${name}: a level reaches back to its boundary, and that is on the next level's grid`, async (t) => {
    const lab = await Lab.open(t, open);
    const clockMs = startMs + 7 * secondMs;
    const boundaryMs = startMs - 5 * minuteMs;

    const times = [clockMs, boundaryMs, boundaryMs - 1];
    await lab.settle({ events: times.map((atMs) => counted("x", atMs)) });

    assert.deepEqual(await lab.slots("count", "x"), [
      [boundaryMs - 10 * secondMs, 10 * secondMs, 1],
      [boundaryMs, secondMs, 1],
      [clockMs, secondMs, 1],
    ]);
  });

  test(`${name}: ageing slots are folded upwards, and no window of the coarser width changes its sum`, async (t) => {
    const lab = await Lab.open(t, open, { foldCellsMax: 3 });
    const times = Array.from({ length: 40 }, (_, n) => startMs + n * 1_700);
    await lab.settle({ events: times.map((atMs) => ({ metric: "sum", group: "x", atMs, value: 0.1 })) });
    const sumsBefore = sumsBy(await lab.slots("sum", "x"), hourMs);

    for (const ageMs of [8 * minuteMs, 2 * hourMs, 2 * dayMs, 20 * dayMs]) {
      lab.clock.advance(ageMs);
      await lab.settle({ events: [counted("clock", lab.clock.now())] });
      const now = await lab.slots("sum", "x");
      assert.deepEqual(sumsBy(now, hourMs), sumsBefore);
      const widths = new Set(now.map(([, widthMs]) => widthMs));
      assert.equal(widths.size, 1, "laziness of folding is not visible");
    }
    assert.deepEqual(
      (await lab.slots("sum", "x")).map(([, widthMs]) => widthMs),
      [hourMs],
    );
  });

  test(`${name}: a slot that outgrows the last level leaves the slots and stays in the total`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ events: [counted("x")] });

    lab.clock.advance(91 * dayMs);
    await lab.settle({ events: [counted("y", lab.clock.now())] });

    assert.deepEqual(await lab.slots("count", "x"), []);
    assert.equal(await lab.total("count", "x"), 1);
  });

  test(`${name}: late, future and untimed events are in the totals, counted, and make no slot`, async (t) => {
    const lab = await Lab.open(t, open);

    await lab.settle({
      events: [
        counted("x", startMs),
        counted("x", startMs - 100 * dayMs),
        counted("x", startMs + hourMs),
        { ...counted("x"), atMs: undefined },
      ],
    });

    const page = await lab.store.read({ metric: "count", span: "total" });
    assert.deepEqual([page.late, page.future, page.untimed], [1, 1, 1]);
    assert.equal(await lab.total("count", "x"), 4);
    assert.deepEqual(await lab.slots("count", "x"), [[startMs, secondMs, 1]]);
  });

  test(`${name}: the data clock is the newest event time and never 5 min ahead of the store's`, async (t) => {
    const lab = await Lab.open(t, open);
    assert.equal((await lab.store.info()).dataClockMs, undefined);

    await lab.settle({ events: [counted("x", startMs - hourMs)] });
    assert.equal((await lab.store.info()).dataClockMs, startMs - hourMs);

    await lab.settle({ events: [counted("x", startMs + 4 * minuteMs), counted("x", startMs - dayMs)] });
    assert.equal((await lab.store.info()).dataClockMs, startMs + 4 * minuteMs);

    await lab.settle({ events: [counted("x", startMs + 10 * dayMs)] });
    assert.equal((await lab.store.info()).dataClockMs, startMs + 4 * minuteMs);

    lab.clock.setWall(startMs - dayMs);
    assert.equal((await lab.store.info()).dataClockMs, startMs - dayMs + 5 * minuteMs);
  });

  test(`${name}: a metric without slots keeps totals only`, async (t) => {
    const lab = await Lab.open(t, open);

    await lab.settle({
      events: [counted("x", startMs, "flat"), counted("x", startMs - 100 * dayMs, "flat")],
    });

    assert.deepEqual(await lab.slots("flat", "x"), []);
    assert.equal(await lab.total("flat", "x"), 2);
    assert.equal((await lab.store.read({ metric: "flat", span: "total" })).late, 0);
  });

  test(`${name}: groups beyond the cap go to the overflow group, never mixed up with a group of nulls`, async (t) => {
    const lab = await Lab.open(t, open);
    const names = [null, "b", "a", "d", "c", "a"];

    for (const group of names) await lab.settle({ events: [counted(group, startMs, "capped")] });

    const { groups } = await lab.store.read({ metric: "capped", span: "total" });
    const seen = groups.map(({ group, isOverflow, cells }) => [
      group[0],
      isOverflow,
      amountOf(cells[0]?.cell),
    ]);
    assert.deepEqual(seen, [
      [null, false, 1],
      ["a", false, 2],
      ["b", false, 1],
      [null, true, 2],
    ]);
    const asked = await lab.store.read({ metric: "capped", span: "total", group: [null] });
    assert.deepEqual(
      asked.groups.map(({ isOverflow }) => isOverflow),
      [false, true],
    );
  });

  test(`${name}: pages give every group once, whole, in order of bytes`, async (t) => {
    const lab = await Lab.open(t, open);
    const names = ["b", "", "é", "z", "a", "\u{1f600}", "\uffff", null, "aa"];
    for (const second of [0, 1, 2])
      await lab.settle({ events: names.map((group) => counted(group, startMs + second * secondMs)) });
    const span = { fromMs: startMs, toMs: startMs + 10 * secondMs };

    const paged = (await groupsOf(lab.store, "count", span, 4)) as [string[], boolean, unknown[]][];

    assert.deepEqual(paged, await groupsOf(lab.store, "count", span));
    assert.deepEqual(
      paged.map(([[group]]) => group),
      [null, "", "a", "aa", "b", "z", "é", "\uffff", "\u{1f600}"],
    );
    assert.ok(paged.every(([, , cells]) => cells.length === 3));
    await assert.rejects(lab.store.read({ metric: "count", span, after: "{}" }), { code: "OPTION_INVALID" });
    await assert.rejects(lab.store.read({ metric: "count", span, cellsMax: 0 }), { code: "OPTION_INVALID" });
  });

  test(`${name}: a window takes the slots that touch it, whole`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ events: [0, 1, 2, 3].map((n) => counted("x", startMs + n * secondMs)) });

    const span = { fromMs: startMs + 1_500, toMs: startMs + 3_000 };
    const { groups } = await lab.store.read({ metric: "count", span });

    assert.deepEqual(
      groups[0]?.cells.map((cell) => cell.startMs),
      [startMs + 1_000, startMs + 2_000],
    );
  });

  test(`${name}: cells that were read are the reader's own`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ events: [counted("x")] });

    const { groups } = await lab.store.read({ metric: "count", span: "total" });
    (groups[0]!.cells[0]!.cell as { n: number }).n = 77;

    assert.equal(await lab.total("count", "x"), 1);
  });

  test(`${name}: beyond the byte budget the finest slots are folded early, then the oldest dropped, totals never`, async (t) => {
    const lab = await Lab.open(t, open, { stateBytesMax: 150_000 });
    const settled = 300;

    for (let n = 0; n < settled; n += 1) {
      lab.clock.advance(7_000);
      const atMs = lab.clock.now();
      await lab.settle({
        events: Array.from({ length: 20 }, (_, i) => counted(`g${i}`, atMs - (n % 7) * hourMs)),
      });
    }

    const info = await lab.store.info();
    assert.ok(info.stateBytes < 200_000, `${info.stateBytes} bytes`);
    assert.equal(await lab.total("count", "g0"), settled);
    const kept = await lab.slots("count", "g0");
    const page = await lab.store.read({ metric: "count", span: "total" });
    const inSlots = kept.reduce((sum, [, , amount]) => sum + amount, 0);
    assert.ok(inSlots <= settled);
    if (inSlots + page.late / 20 < settled) assert.notEqual(page.completeFromMs, undefined);
    assert.ok(kept.every(([slotMs]) => slotMs >= (page.completeFromMs ?? 0)));
  });

  test(`${name}: a budget below the totals drops every slot, says so, and goes on counting`, async (t) => {
    const lab = await Lab.open(t, open, { stateBytesMax: 1 });
    const old = startMs - 10 * dayMs;

    for (let n = 0; n < 6; n += 1) await lab.settle({ events: [counted("x", old + n * hourMs)] });

    const page = await lab.store.read({ metric: "count", span: "total" });
    assert.equal(await lab.total("count", "x"), 6);
    assert.notEqual(page.completeFromMs, undefined);
  });
}

function sumsBy(
  cells: readonly (readonly [number, number, number])[],
  widthMs: number,
): readonly [number, string][] {
  const sums = new Map<number, number>();
  for (const [slotMs, , amount] of cells) {
    const startMs = Math.floor(slotMs / widthMs) * widthMs;
    sums.set(startMs, (sums.get(startMs) ?? 0) + amount);
  }
  // Each cell's sum is exact; adding them here is not.
  return [...sums].map(([startMs, sum]) => [startMs, sum.toFixed(9)]);
}

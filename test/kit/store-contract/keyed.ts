import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyedChange } from "../../../src/store/index.js";
import { dayMs, hourMs, Lab, minuteMs, type OpenStore, secondMs, startMs } from "./lab.js";

/** Rows with an owner: pairs, upserts with retraction, timeouts. */
export function keyed(name: string, open: OpenStore): void {
  for (const order of ["first, second", "second, first"] as const)
    test(`${name}: two halves make one observation (${order})`, async (t) => {
      const lab = await Lab.open(t, open);
      const halves = [half("first", startMs), half("second", startMs + 250)];
      if (order === "second, first") halves.reverse();

      for (const change of halves) await lab.settle({ delta: { keyed: [change], newestMs: startMs } });

      assert.equal(await lab.total("times", "x"), 250);
      assert.deepEqual(await lab.slots("times", "x"), [[startMs, secondMs, 250]]);
      lab.clock.advance(hourMs);
      assert.equal(await lab.store.runDue(10), 0);
      assert.equal(await unpaired(lab), 0);
    });

  test(`${name}: the same half again counts if it is later`, async (t) => {
    const lab = await Lab.open(t, open);

    await lab.settle({ delta: { keyed: [half("first", startMs), half("first", startMs + 100)] } });
    await lab.settle({ delta: { keyed: [half("first", startMs + 50), half("second", startMs + 150)] } });

    assert.equal(await lab.total("times", "x"), 50);
  });

  test(`${name}: a half is given up when due, once, in bounded steps; a late half waits and is given up in turn`, async (t) => {
    const lab = await Lab.open(t, open);
    const waiting = ["a", "b", "c"].map((key) => half("first", startMs, key));
    await lab.settle({ delta: { keyed: waiting } });

    lab.clock.advance(minuteMs - 1);
    assert.equal(await lab.store.runDue(10), 0);
    assert.equal(await unpaired(lab), 0);
    lab.clock.advance(1);
    const version = (await lab.store.info()).version;
    assert.deepEqual(
      [await lab.store.runDue(2), await lab.store.runDue(2), await lab.store.runDue(2)],
      [1, 0, 0],
    );
    assert.equal((await lab.store.info()).version, version + 2);
    assert.equal(await unpaired(lab), 3);

    await lab.settle({ delta: { keyed: [half("second", startMs + 100, "a")] } });
    assert.equal(await lab.total("times", "x"), 0);
    lab.clock.advance(hourMs);
    await lab.store.runDue(10);
    assert.equal(await unpaired(lab), 4);
  });

  test(`${name}: halves of old files have their whole time too`, async (t) => {
    const lab = await Lab.open(t, open);
    const oldMs = startMs - dayMs;
    await lab.settle({ delta: { keyed: [half("first", oldMs)], newestMs: oldMs } });

    lab.clock.advance(minuteMs - 1);
    await lab.store.runDue(10);
    await lab.settle({ delta: { keyed: [half("second", oldMs + 10)], newestMs: oldMs + 10 } });

    assert.equal(await lab.total("times", "x"), 10);
  });

  test(`${name}: an upsert takes the earlier effect back; an older or equal order does nothing`, async (t) => {
    const lab = await Lab.open(t, open);

    await lab.settle({ delta: { keyed: [usage(1, 10)], newestMs: startMs } });
    await lab.settle({ delta: { keyed: [usage(3, 0.1)] } });
    await lab.settle({ delta: { keyed: [usage(3, 99), usage(2, 77)] } });

    assert.equal(await lab.total("sum", "x"), 0.1);
    assert.deepEqual(await lab.slots("sum", "x"), [[startMs, secondMs, 0.1]]);
  });

  test(`${name}: an upsert is taken back exactly although its slot was folded`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ delta: { keyed: [usage(1, 10)], newestMs: startMs } });
    lab.clock.advance(2 * hourMs);
    await lab.settle({ delta: { newestMs: lab.clock.now() } });

    await lab.settle({ delta: { keyed: [usage(2, 4)] } });

    assert.deepEqual(await lab.slots("sum", "x"), [[startMs, minuteMs, 4]]);
    assert.equal(await lab.total("sum", "x"), 4);
  });

  test(`${name}: rows stay within their bound: the one due first is given up`, async (t) => {
    const lab = await Lab.open(t, open, { rowsMax: 2 });

    await lab.settle({ delta: { keyed: ["a", "b", "c"].map((key, n) => half("first", startMs + n, key)) } });
    await lab.settle({
      delta: { keyed: [half("second", startMs + 10, "a"), half("second", startMs + 10, "c")] },
    });

    assert.equal(await lab.total("times", "x"), 8);
    assert.ok((await unpaired(lab)) >= 1);
  });

  test(`${name}: what can't be taken back is refused`, async (t) => {
    const lab = await Lab.open(t, open);
    const effects = [{ metric: "gauge", group: ["x"], slot: undefined, value: 1 }];
    const change: KeyedChange = { kind: "upsert", table: "usage", key: "m", order: 1, effects };

    await assert.rejects(lab.settle({ delta: { keyed: [change] } }), { code: "SETTLEMENT_INVALID" });
  });
}

function half(which: "first" | "second", atMs: number, key = "call"): KeyedChange {
  const dueMs = atMs + minuteMs;
  return { kind: "pair", table: "calls", key, half: which, atMs, dueMs, metric: "times", group: ["x"] };
}

function usage(order: number, value: number): KeyedChange {
  const slot = { startMs, widthMs: secondMs };
  return {
    kind: "upsert",
    table: "usage",
    key: "message",
    order,
    effects: [{ metric: "sum", group: ["x"], slot, value }],
  };
}

async function unpaired(lab: Lab): Promise<number> {
  return (await lab.store.read({ metric: "times", span: "total" })).unpaired ?? 0;
}

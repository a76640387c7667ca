import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyDelta, encodeDelta, type Settlement } from "../../../src/store/index.js";
import { counted, failure, fileTake, Lab, type OpenStore, posting, startMs, versionOf } from "./lab.js";

/** A settlement counts once: file ranges, generations, and what is refused before anything happens. */
export function gates(name: string, open: OpenStore): void {
  test(`${name}: a file range that is repeated, leaves a gap or starts too early changes nothing`, async (t) => {
    const lab = await Lab.open(t, open);
    const first = lab.next({ events: [counted("x")] });
    versionOf(await lab.store.settle(first));
    const before = await lab.picture();

    const repeated = await lab.store.settle(first);
    const gap = await lab.store.settle({ ...first, take: fileTake("a.log", 101, 200) });
    const early = await lab.store.settle({ ...first, take: fileTake("a.log", 50, 200) });

    for (const result of [repeated, gap, early])
      assert.deepEqual(result, { kind: "foreign", positions: [], watermark: 100 });
    assert.equal(await lab.picture(), before);
    assert.equal(await lab.total("count", "x"), 1);
  });

  test(`${name}: a settlement that was refused is sent again and counts`, async (t) => {
    const lab = await Lab.open(t, open);
    const right = lab.next({ events: [counted("x")], failures: [] });
    await lab.store.settle({ ...right, take: fileTake("a.log", 50, 200) });

    versionOf(await lab.store.settle(right));

    assert.equal(await lab.total("count", "x"), 1);
  });

  test(`${name}: a range of a file never settled must start at 0`, async (t) => {
    const lab = await Lab.open(t, open);

    const result = await lab.store.settle({ ...lab.next({}), take: fileTake("new.log", 10, 20) });

    assert.deepEqual(result, { kind: "foreign", positions: [], watermark: 0 });
  });

  test(`${name}: an empty range at the watermark updates the identity alone`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ events: [counted("x")] });
    const take = fileTake("a.log", 100, 100);

    const moved = {
      ...take,
      identity: { ...(take as { identity: object }).identity, path: "/logs/a.log.1" },
    };
    await lab.store.settle({ ...lab.next({}), take: moved as Settlement["take"], ledger: [] });

    const [watermark] = await lab.store.watermarks("s");
    assert.equal(watermark?.identity.path, "/logs/a.log.1");
    assert.equal(watermark?.offset, 100);
  });

  test(`${name}: another generation's settlement changes nothing and is told the generation`, async (t) => {
    const lab = await Lab.open(t, open);
    const before = await lab.picture();

    const result = await lab.store.settle(lab.next({ events: [counted("x")], generation: "an earlier one" }));

    assert.deepEqual(result, { kind: "generation", generation: lab.generation });
    assert.equal(await lab.picture(), before);
  });

  const refused: readonly [string, string, (lab: Lab) => Settlement][] = [
    [
      "a metric that was never defined",
      "SETTLEMENT_UNKNOWN_METRIC",
      (lab) => lab.next({ delta: { add: [{ metric: "nobody", kind: "count", changes: [] }] } }),
    ],
    [
      "another kind of cell than the metric has",
      "SETTLEMENT_INVALID",
      (lab) => lab.next({ delta: { add: [{ metric: "count", kind: "gauge", changes: [] }] } }),
    ],
    [
      "another number of group values than the metric has",
      "SETTLEMENT_INVALID",
      (lab) => {
        const change = { group: ["x", "y"], slot: undefined, cell: { kind: "count", n: 1 } } as const;
        return lab.next({ delta: { add: [{ metric: "count", kind: "count", changes: [change] }] } });
      },
    ],
    [
      "a range that ends before it starts",
      "SETTLEMENT_INVALID",
      (lab) => ({ ...lab.next({}), take: fileTake("a.log", 100, 0) }),
    ],
    ["a negative figure", "SETTLEMENT_INVALID", (lab) => lab.next({ posting: { accepted: -1 } })],
    [
      "a figure that is no number",
      "SETTLEMENT_INVALID",
      (lab) => lab.next({ posting: { lost: { cut: Number.NaN } } }),
    ],
    [
      "an effect that takes nothing",
      "SETTLEMENT_INVALID",
      (lab) => ({ ...lab.next({ events: [counted("x")] }), take: fileTake("a.log", 0, 0) }),
    ],
    [
      "a delta that was cut",
      "SETTLEMENT_INVALID",
      (lab) => ({ ...lab.next({}), delta: encodeDelta(emptyDelta).slice(0, 4) }),
    ],
    [
      "failures that are not posted",
      "SETTLEMENT_INCONSISTENT",
      (lab) => lab.next({ failures: [failure(0)], posting: { dead: 0 } }),
    ],
    [
      "posted failures that are not there",
      "SETTLEMENT_INCONSISTENT",
      (lab) => lab.next({ posting: { retrying: 2 } }),
    ],
    [
      "failures of another source than posted",
      "SETTLEMENT_INCONSISTENT",
      (lab) => ({
        ...lab.next({ failures: [failure(0, { source: "other" })] }),
        ledger: [posting({ accepted: 1, dead: 1 })],
      }),
    ],
  ];
  for (const [what, code, make] of refused)
    test(`${name}: a settlement with ${what} is refused with ${code} and changes nothing`, async (t) => {
      const lab = await Lab.open(t, open);
      await lab.settle({ events: [counted("x")], file: "other.log" });
      const before = await lab.picture();

      await assert.rejects(lab.store.settle(make(lab)), { code });

      assert.equal(await lab.picture(), before);
    });

  test(`${name}: define() twice is define() once; a key can't change its cells`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ events: [counted("x")] });

    await lab.store.define([{ key: "count", name: "renamed", kind: "count", by: ["by"] }]);

    assert.equal(await lab.total("count", "x"), 1);
    const other = { key: "count", name: "count", kind: "sum", by: ["by"] } as const;
    await assert.rejects(lab.store.define([other]), { code: "METRIC_REDEFINED" });
    await assert.rejects(lab.store.read({ metric: "nobody", span: "total" }), {
      code: "QUERY_UNKNOWN_METRIC",
    });
  });

  test(`${name}: a metric is there since its first cell, and since its definition before that`, async (t) => {
    const lab = await Lab.open(t, open);
    const sinceMs = async (): Promise<number> =>
      (await lab.store.read({ metric: "count", span: "total" })).sinceMs - startMs;

    lab.clock.advance(5);
    const times = [await sinceMs()];
    await lab.settle({ events: [counted("x")] });
    lab.clock.advance(5);
    await lab.settle({ events: [counted("x")] });
    times.push(await sinceMs());

    assert.deepEqual(times, [0, 5]);
  });
}

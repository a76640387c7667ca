import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeItem } from "../../../src/store/index.js";
import { counted, failure, Lab, type OpenStore } from "./lab.js";

/** What readers are told. */
export function changes(name: string, open: OpenStore): void {
  test(`${name}: a settlement's change names its metrics, groups, sources and dead letters`, async (t) => {
    const lab = await Lab.open(t, open);
    const reader = read(lab, 0);

    const version = await lab.settle({ events: [counted("x"), counted(null)], failures: [failure(1)] });

    assert.deepEqual(await reader.next(), {
      generation: lab.generation,
      version,
      metrics: [{ metric: "count", groups: [["x"], [null]] }],
      sources: ["s"],
      deadLetters: 1,
    });
    await reader.stop();
  });

  test(`${name}: versions rise by one with each settlement, and a foreign one has none`, async (t) => {
    const lab = await Lab.open(t, open);
    const settlement = lab.next({ events: [counted("x")] });
    const versions = [
      await lab.settle({ events: [counted("x")] }),
      await lab.settle({ events: [counted("y")] }),
    ];

    await lab.store.settle(settlement);

    assert.deepEqual(versions, [1, 2]);
    assert.equal((await lab.store.info()).version, 2);
  });

  test(`${name}: a reader that is behind gets one change with all that it missed`, async (t) => {
    const lab = await Lab.open(t, open);
    for (const group of ["a", "b", "a", "c"]) await lab.settle({ events: [counted(group)] });
    const reader = read(lab, 1);

    const change = (await reader.next()) as Change;

    assert.equal(change.version, 4);
    assert.deepEqual(change.metrics, [{ metric: "count", groups: [["b"], ["a"], ["c"]] }]);
    await reader.stop();
  });

  test(`${name}: a reader beyond what is kept, or from another life, needs a snapshot and then goes on`, async (t) => {
    const lab = await Lab.open(t, open, { changesMax: 3 });
    for (let n = 0; n < 5; n += 1) await lab.settle({ events: [counted("x")] });

    for (const since of [1, 77]) {
      const reader = read(lab, since);
      const { version } = await lab.store.info();
      const item = await reader.next();
      assert.deepEqual(item, { kind: "snapshot-needed", generation: lab.generation, version });
      const next = await lab.settle({ events: [counted("y")] });
      assert.equal((await reader.next()).version, next);
      await reader.stop();
    }
    const kept = read(lab, (await lab.store.info()).version - 3);
    assert.equal("kind" in (await kept.next()), false);
    await kept.stop();
  });

  test(`${name}: a change of more than 1,000 groups names the metric alone`, async (t) => {
    const lab = await Lab.open(t, open);
    const reader = read(lab, 0);

    await lab.settle({ events: Array.from({ length: 1_001 }, (_, n) => counted(`g${n}`)) });

    assert.deepEqual(((await reader.next()) as Change).metrics, [{ metric: "count", groups: undefined }]);
    await reader.stop();
  });

  test(`${name}: replay and discard are changes too`, async (t) => {
    const lab = await Lab.open(t, open);
    const version = await lab.settle({ failures: [failure(1), failure(2)] });
    const reader = read(lab, version);

    await lab.store.replay({ ids: [1] });

    assert.deepEqual(await reader.next(), {
      generation: lab.generation,
      version: version + 1,
      metrics: [],
      sources: ["s"],
      deadLetters: 1,
    });
    await lab.store.discard({});
    assert.equal((await reader.next()).version, version + 2);
    await reader.stop();
  });

  test(`${name}: closing ends readers and refuses calls`, async (t) => {
    const lab = await Lab.open(t, open);
    const reader = read(lab, 0);

    await lab.store[Symbol.asyncDispose]();
    await lab.store[Symbol.asyncDispose]();

    await reader.ended;
    await assert.rejects(lab.store.settle(lab.next({})), { code: "STORE_CLOSED" });
    await assert.rejects(lab.store.info(), { code: "STORE_CLOSED" });
  });
}

function read(
  lab: Lab,
  since: number,
): { next(): Promise<ChangeItem>; stop(): Promise<void>; readonly ended: Promise<void> } {
  const stop = new AbortController();
  const iterator = lab.store.changes(since, stop.signal)[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<ChangeItem>> | undefined = iterator.next();
  return {
    async next() {
      const result = await (pending ?? iterator.next());
      pending = undefined;
      assert.notEqual(result.done, true);
      return result.value as ChangeItem;
    },
    async stop() {
      stop.abort();
      await pending;
      assert.equal((await iterator.next()).done, true);
    },
    ended: pending.then(() => {}),
  };
}

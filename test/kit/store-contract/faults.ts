import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeItem, Store } from "../../../src/store/index.js";
import { type counted, failure, Lab, minuteMs, type OpenStore, secondMs, startMs } from "./lab.js";

/** A fault at any of a step's writes leaves nothing of it. */
export function faults(name: string, open: OpenStore): void {
  test(`${name}: a step that fails at its n-th write has not happened, whatever n`, async (t) => {
    let failAt = Number.POSITIVE_INFINITY;
    const onWrite = (index: number): void => {
      if (index >= failAt) throw new Error(`fault at write ${index}`);
    };
    const lab = await Lab.open(t, open, { onWrite });
    await lab.settle({ events: mixed(0), failures: [failure(1), failure(2, { disposition: "attempt" })] });
    // Far enough on for the second step to fold the first one's cells.
    lab.clock.advance(20 * minuteMs);
    const steps: readonly ((store: Store) => Promise<unknown>)[] = [
      (store) => store.settle(lab.next({ events: mixed(20 * minuteMs), failures: [failure(9)] })),
      (store) => store.replay({ ids: [1] }),
      (store) => store.discard({ reason: "parse" }),
      (store) => store.define([{ key: "new", name: "new", kind: "count", by: [] }]),
    ];
    for (const [index, step] of steps.entries()) {
      const before = await lab.picture();
      const { version } = await lab.store.info();
      let faultsSeen = 0;
      for (failAt = 0; ; failAt += 1) {
        const outcome = await step(lab.store).then(
          () => "done",
          (error: Error) => error.message,
        );
        if (outcome === "done") break;
        assert.match(outcome, /fault at write/);
        faultsSeen += 1;
        assert.equal(await lab.picture(), before, `step ${index}, fault ${failAt}`);
        assert.equal(await hasNews(lab.store, version), false);
      }
      failAt = Number.POSITIVE_INFINITY;
      assert.ok(faultsSeen > 0);
      if (index < 3) assert.notEqual(await lab.picture(), before);
    }
  });
}

function mixed(offsetMs: number): ReturnType<typeof counted>[] {
  return [0, 1, 2, 3].flatMap((n) =>
    ["count", "sum", "gauge", "times", "capped"].map((metric) => ({
      metric,
      // Two of each group, so that folding brings two cells together.
      group: `g${n % 2}`,
      atMs: startMs + offsetMs + n * secondMs,
      value: n,
    })),
  );
}

async function hasNews(store: Store, since: number): Promise<boolean> {
  const stop = new AbortController();
  const news: ChangeItem[] = [];
  const reading = (async () => {
    for await (const item of store.changes(since, stop.signal)) news.push(item);
  })();
  // What is there already is delivered before a reader waits; an answered call lets that happen.
  await store.info();
  await store.info();
  stop.abort();
  await reading;
  return news.length > 0;
}

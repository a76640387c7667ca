import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../../../src/store/index.js";
import { counted, dayMs, failure, Lab, type OpenStore, posting, startMs } from "./lab.js";

/** Dead letters and the ledger. */
export function failures(name: string, open: OpenStore): void {
  test(`${name}: a dead letter keeps bytes, place, reason and time, and the ledger balances`, async (t) => {
    const lab = await Lab.open(t, open);

    await lab.settle({
      events: [counted("x")],
      failures: [failure(7, { rule: "count", message: "no brace" })],
    });

    const { items, total, reasons, evicted } = await lab.store.deadLetters({});
    assert.deepEqual([total, evicted], [1, 0]);
    const { bytes, ...letter } = items[0]!;
    assert.equal(Buffer.from(bytes).toString(), "oops");
    assert.deepEqual(letter, {
      id: 1,
      source: "s",
      at: failure(7).at,
      length: 4,
      reason: "parse",
      attempts: 1,
      firstError: "no brace",
      newestError: "no brace",
      firstMs: startMs,
      newestMs: startMs,
      rule: "count",
    });
    assert.deepEqual(reasons, [
      { reason: "parse", source: "s", count: 1, newestMs: startMs, newestId: 1, newestError: "no brace" },
    ]);
    assert.deepEqual(await figures(lab), { accepted: 2, settled: 1, dead: 1, retrying: 0, unaccounted: 0 });
    assert.deepEqual(await lab.store.deadLetter(1), items[0]);
    assert.equal(await lab.store.deadLetter(2), undefined);
  });

  test(`${name}: what is kept of a failure is no view on its sender's memory`, async (t) => {
    const lab = await Lab.open(t, open);
    const bytes = Buffer.from("oops");
    await lab.settle({ failures: [failure(1, { bytes })] });

    bytes.fill(0);

    const letter = await lab.store.deadLetter(1);
    assert.equal(Buffer.from(letter!.bytes).toString(), "oops");
    assert.equal(letter!.bytes.buffer.byteLength, 4);
  });

  test(`${name}: postings of one source merge, and what they leave out is unaccounted`, async (t) => {
    const lab = await Lab.open(t, open);
    const settlement = lab.next({});

    await lab.store.settle({
      ...settlement,
      ledger: [
        posting({
          accepted: 10,
          settled: 4,
          dropped: 2,
          lost: { cut: 1, __proto__: 0 },
          absent: { rule: 3 },
        }),
        posting({ duplicate: 1, lost: { cut: 1 }, absent: { rule: 1 } }),
      ],
    });

    const row = await lab.ledgerOf();
    assert.deepEqual([row.lost, row.absent, row.dropped, row.duplicate], [{ cut: 2 }, { rule: 4 }, 2, 1]);
    assert.equal(row.unaccounted, 1);
  });

  test(`${name}: dead letters page from the newest, by filter`, async (t) => {
    const lab = await Lab.open(t, open);
    const many = [0, 1, 2, 3, 4, 5].map((n) => failure(n, { reason: n % 2 === 0 ? "parse" : "value" }));
    await lab.settle({ failures: many });

    const first = await lab.store.deadLetters({ limit: 2, reason: "parse" });
    const second = await lab.store.deadLetters({ limit: 2, reason: "parse", before: first.next! });

    assert.deepEqual([first.items.map(({ id }) => id), first.total, first.next], [[5, 3], 3, 3]);
    assert.deepEqual([second.items.map(({ id }) => id), second.next], [[1], undefined]);
    const byId = await lab.store.deadLetters({ ids: [2, 4, 99] });
    assert.deepEqual(
      byId.items.map(({ id }) => id),
      [4, 2],
    );
  });

  test(`${name}: dead letters stay within count, bytes and age; the oldest go and stay counted as dead`, async (t) => {
    const big = (n: number): Failure => failure(n, { bytes: Buffer.alloc(100, n), length: 5_000 });
    const limits = { deadLettersMax: 5, deadLettersBytesMax: 260, deadLetterBytesMax: 60 };
    const lab = await Lab.open(t, open, { ...limits, deadLetterAgeMsMax: dayMs });

    await lab.settle({ failures: [0, 1, 2].map((n) => failure(n)) });
    await lab.settle({ failures: [3, 4, 5].map((n) => failure(n)) });
    const byCount = await lab.store.deadLetters({});
    await lab.settle({ failures: [6, 7, 8, 9].map(big) });
    const byBytes = await lab.store.deadLetters({});
    lab.clock.advance(2 * dayMs);
    await lab.settle({ failures: [failure(10)] });
    const byAge = await lab.store.deadLetters({});

    assert.deepEqual([byCount.items.map(({ id }) => id), byCount.evicted], [[6, 5, 4, 3, 2], 1]);
    assert.deepEqual([byBytes.items.map(({ id }) => id), byBytes.evicted], [[10, 9, 8, 7, 6], 5]);
    assert.deepEqual([byBytes.items[0]?.bytes.length, byBytes.items[0]?.length], [60, 5_000]);
    assert.deepEqual([byAge.items.map(({ id }) => id), byAge.evicted], [[11], 10]);
    assert.deepEqual(
      byAge.reasons.map(({ count }) => count),
      [1],
    );
    assert.deepEqual(await figures(lab), { accepted: 11, settled: 0, dead: 11, retrying: 0, unaccounted: 0 });
  });

  test(`${name}: more failures at once than may be kept leave the newest`, async (t) => {
    const lab = await Lab.open(t, open, { deadLettersMax: 3 });

    await lab.settle({ failures: [0, 1, 2, 3, 4, 5, 6].map((n) => failure(n)) });

    const { items, evicted } = await lab.store.deadLetters({});
    assert.deepEqual([items.map(({ id }) => id), evicted], [[7, 6, 5], 4]);
  });

  test(`${name}: replay moves each dead letter once, and a cut one without its file not at all`, async (t) => {
    const lab = await Lab.open(t, open);
    const cut = failure(2, { at: { kind: "stream", position: "0-9", index: 0 }, length: 1_000 });
    await lab.settle({ failures: [failure(1), cut, failure(3, { reason: "value" })] });

    const moved = await lab.store.replay({ reason: "parse" });
    const again = await lab.store.replay({ reason: "parse" });

    assert.deepEqual([moved, again], [1, 0]);
    assert.deepEqual(await figures(lab), { accepted: 3, settled: 0, dead: 2, retrying: 1, unaccounted: 0 });
    assert.deepEqual(
      (await lab.store.deadLetters({})).items.map(({ id }) => id),
      [3, 2],
    );
  });

  test(`${name}: two replays at once move an event once`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ failures: [failure(1), failure(2)] });

    const moved = await Promise.all([lab.store.replay({}), lab.store.replay({})]);

    assert.deepEqual(moved.sort(), [0, 2]);
  });

  test(`${name}: discard moves dead letters to lost, by name`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ failures: [failure(1), failure(2)] });

    assert.deepEqual([await lab.store.discard({ ids: [1] }), await lab.store.discard({ ids: [1] })], [1, 0]);

    assert.deepEqual(await figures(lab), { accepted: 2, settled: 0, dead: 1, retrying: 0, unaccounted: 0 });
    assert.deepEqual((await lab.ledgerOf()).lost, { discarded: 1 });
  });
}

async function figures(lab: Lab): Promise<Record<string, unknown>> {
  const { accepted, settled, dead, retrying, unaccounted } = await lab.ledgerOf();
  return { accepted, settled, dead, retrying, unaccounted };
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../base/index.js";
import { writeYielding } from "./write-yielding.js";

/** Pieces that each take their time to make. */
function* slowPieces(clock: ManualClock, count: number, eachMs: number): Generator<string> {
  for (let at = 0; at < count; at += 1) {
    clock.advance(eachMs);
    yield `${at}`;
  }
}

async function joined(pieces: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

/** Counts turns of the event loop until it is stopped. */
function countTurns(): { readonly turns: () => number; stop(): void } {
  let turns = 0;
  let immediate = setImmediate(function again() {
    turns += 1;
    immediate = setImmediate(again);
  });
  return { turns: () => turns, stop: () => clearImmediate(immediate) };
}

test("writeYielding() hands on every piece and lets others have a turn every 2 ms", async () => {
  const clock = new ManualClock(0);
  const loop = countTurns();

  const text = await joined(writeYielding(slowPieces(clock, 100, 1), undefined, clock));

  const turns = loop.turns();
  loop.stop();
  assert.equal(text, Array.from({ length: 100 }, (_, at) => at).join(""));
  assert.ok(turns >= 50 && turns <= 54, `${turns} turns`);
});

test("writeYielding() goes on with one of many in each turn", async () => {
  const clock = new ManualClock(0);
  const order: number[] = [];
  const write = async (who: number): Promise<void> => {
    for await (const _ of writeYielding(slowPieces(clock, 3, 4), undefined, clock)) order.push(who);
  };
  const loop = countTurns();

  await Promise.all([write(0), write(1), write(2)]);

  const turns = loop.turns();
  loop.stop();
  assert.deepEqual(order, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
  assert.ok(turns >= 8, `${turns} turns`);
});

test("writeYielding() leaves out empty pieces, but lets others have their turn there", async () => {
  const clock = new ManualClock(0);
  function* pieces(): Generator<string | Uint8Array> {
    yield "";
    clock.advance(6);
    yield new Uint8Array(0);
    yield "a";
  }
  const loop = countTurns();
  const seen: unknown[] = [];

  for await (const piece of writeYielding(pieces(), undefined, clock)) seen.push(piece);

  const turns = loop.turns();
  loop.stop();
  assert.deepEqual(seen, ["a"]);
  assert.ok(turns >= 1, `${turns} turns`);
});

test("writeYielding() stops with the signal's reason and closes the pieces", async () => {
  const clock = new ManualClock(0);
  const stop = new AbortController();
  let isClosed = false;
  function* pieces(): Generator<string> {
    try {
      for (;;) yield "x";
    } finally {
      isClosed = true;
    }
  }
  const writing = (async () => {
    for await (const _ of writeYielding(pieces(), stop.signal, clock)) stop.abort(new Error("client gone"));
  })();

  await assert.rejects(writing, /client gone/);
  assert.ok(isClosed);
  await assert.rejects(writeYielding(pieces(), stop.signal, clock).next(), /client gone/);
});

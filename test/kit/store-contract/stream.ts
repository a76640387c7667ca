import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, Failure, Settlement, SettleResult } from "../../../src/store/index.js";
import { emptyDelta, encodeDelta } from "../../../src/store/index.js";
import { counted, deltaOf, failure, frame, Lab, minuteMs, type OpenStore, posting, secondMs } from "./lab.js";

const limits = { framesMax: 10, bytesMax: 1_000_000, leaseMs: 5 * secondMs };
const never = new AbortController().signal;

/** Frames: the append gate, leases, redelivery, retries. */
export function stream(name: string, open: OpenStore): void {
  test(`${name}: append() takes each sequence of a producer's epoch once and in order`, async (t) => {
    const lab = await Lab.open(t, open);

    const first = await lab.store.append([frame(1), frame(2), frame(2), frame(4)]);
    const second = await lab.store.append([
      frame(1),
      frame(3),
      frame(1, { epoch: "new" }),
      frame(5, { producer: "q" }),
    ]);

    assert.deepEqual(first.outcomes, [
      { kind: "appended", position: "0-1" },
      { kind: "appended", position: "0-2" },
      { kind: "duplicate" },
      { kind: "gap", expected: 3 },
    ]);
    assert.deepEqual(
      second.outcomes.map(({ kind }) => kind),
      ["duplicate", "appended", "appended", "gap"],
    );
    const { accepted, waiting, duplicate, unaccounted } = await lab.ledgerOf("web");
    assert.deepEqual(
      { accepted, waiting, duplicate, unaccounted },
      { accepted: 6, waiting: 4, duplicate: 2, unaccounted: 0 },
    );
  });

  test(`${name}: append() refuses a full stream and a frame beyond its bounds, whole`, async (t) => {
    const lab = await Lab.open(t, open, { streamBytesMax: 100 });
    const big = Buffer.alloc(60);

    await lab.store.append([frame(1, { payload: big })]);

    await assert.rejects(lab.store.append([frame(2), frame(3, { payload: big })]), {
      code: "STREAM_FULL",
      retryable: true,
    });
    await assert.rejects(lab.store.append([frame(2, { events: 1_001 })]), { code: "FRAME_INVALID" });
    assert.deepEqual(
      (await lab.store.append([frame(2)])).outcomes.map(({ kind }) => kind),
      ["appended"],
    );
  });

  test(`${name}: frames are leased in order, within the limits, and to one worker`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([1, 2, 3, 4].map((n) => frame(n)));

    const a = await lab.store.lease("a", { ...limits, framesMax: 2 }, never);
    const b = await lab.store.lease("b", { ...limits, bytesMax: 1 }, never);
    const c = await lab.store.lease("c", limits, never);

    assert.deepEqual([positions(a), positions(b), positions(c)], [["0-1", "0-2"], ["0-3"], ["0-4"]]);
    assert.equal(await lab.store.lease("d", limits, never), undefined);
    const { waiting, leased, unaccounted } = await lab.ledgerOf("web");
    assert.deepEqual({ waiting, leased, unaccounted }, { waiting: 0, leased: 4, unaccounted: 0 });
  });

  test(`${name}: a leased batch settles once; the second time its frames are foreign`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([frame(1), frame(2)]);
    const batch = (await lab.store.lease("a", limits, never))!;

    const first = await lab.store.settle(settlementOf(batch));
    const before = await lab.picture();
    const second = await lab.store.settle(settlementOf(batch));

    assert.equal(first.kind, "settled");
    assert.deepEqual(second, { kind: "foreign", positions: ["0-1", "0-2"] });
    assert.equal(await lab.picture(), before);
    assert.equal(await lab.total("count", "x"), 2);
    const { settled, leased, unaccounted } = await lab.ledgerOf("web");
    assert.deepEqual({ settled, leased, unaccounted }, { settled: 2, leased: 0, unaccounted: 0 });
  });

  test(`${name}: when a lease has ended another worker takes over, and of the two the first to settle counts`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([frame(1), frame(2)]);
    const slow = (await lab.store.lease("slow", limits, never))!;
    lab.clock.advance(limits.leaseMs);
    const quick = (await lab.store.lease("quick", { ...limits, framesMax: 1 }, never))!;
    const before = await lab.picture();

    const zombie = await lab.store.settle(settlementOf(slow));

    assert.deepEqual(zombie, { kind: "foreign", positions: ["0-1"] });
    assert.equal(
      await lab.picture(),
      before,
      "all or nothing: the frame that is still its own is not settled alone",
    );
    assert.equal(quick.frames[0]?.deliveries, 2);
    assert.equal((await lab.store.settle(settlementOf(quick))).kind, "settled");
    const rest = { ...slow, frames: slow.frames.slice(1) };
    assert.equal((await lab.store.settle(settlementOf(rest))).kind, "settled");
    assert.equal(await lab.total("count", "x"), 2);
  });

  test(`${name}: renew() holds a lease and names what was lost`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([frame(1), frame(2)]);
    await lab.store.lease("a", { ...limits, framesMax: 1 }, never);
    await lab.store.lease("b", limits, never);

    const lost = await lab.store.renew("a", ["0-1", "0-2", "0-99"], minuteMs);
    lab.clock.advance(limits.leaseMs);

    assert.deepEqual(lost, ["0-2", "0-99"]);
    assert.deepEqual(positions(await lab.store.lease("c", limits, never)), ["0-2"]);
  });

  test(`${name}: lease() waits for a frame, for the end of its time, or for its signal`, async (t) => {
    const lab = await Lab.open(t, open);
    const waiting = lab.store.lease("a", { ...limits, waitMs: minuteMs }, never);
    await settled();
    await lab.store.append([frame(1)]);
    assert.deepEqual(positions(await waiting), ["0-1"]);

    const timed = lab.store.lease("b", { ...limits, waitMs: secondMs }, never);
    await settled();
    lab.clock.advance(secondMs);
    assert.equal(await timed, undefined);

    const stop = new AbortController();
    const stopped = lab.store.lease("c", { ...limits, waitMs: minuteMs }, stop.signal);
    await settled();
    stop.abort(new Error("stopped"));
    await assert.rejects(stopped, /stopped/);
  });

  test(`${name}: a failed attempt comes back after 1 s, then 2 s, never before, and is dead after the third`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([frame(1)]);
    const batch = (await lab.store.lease("a", limits, never))!;
    const attempt = failureOf("handler says no");
    await lab.store.settle(settlementOf(batch, { failures: [attempt] }));

    for (const pauseMs of [secondMs, 2 * secondMs]) {
      lab.clock.advance(pauseMs - 1);
      assert.equal(await lab.store.lease("a", limits, never), undefined);
      lab.clock.advance(1);
      const retry = (await lab.store.lease("a", limits, never))!;
      assert.equal(retry.retries.length, 1);
      assert.equal(await lab.store.lease("b", limits, never), undefined, "leased to one worker");
      assert.equal((await lab.store.settle(settlementOf(retry, { failures: [attempt] }))).kind, "settled");
    }

    const { items } = await lab.store.deadLetters({});
    assert.deepEqual([items[0]?.attempts, items[0]?.firstError], [3, "handler says no"]);
    const { retrying, dead, unaccounted } = await lab.ledgerOf("web");
    assert.deepEqual({ retrying, dead, unaccounted }, { retrying: 0, dead: 1, unaccounted: 0 });
  });

  test(`${name}: a retry that succeeds is settled; a second settlement of it is foreign`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.settle({ failures: [failure(5)] });
    await lab.store.replay({});
    const batch = (await lab.store.lease("a", limits, never))!;

    const settlement = settlementOf(batch, { source: "s" });
    const results = [
      await lab.store.settle({ ...settlement, delta: settlement.delta.slice() }),
      await lab.store.settle(settlement),
    ];

    assert.deepEqual(
      results.map(({ kind }: SettleResult) => kind),
      ["settled", "foreign"],
    );
    assert.deepEqual(batch.retries[0]?.at, failure(5).at, "a replayed event keeps its identity");
    const { accepted, settled: done, dead, retrying, unaccounted } = await lab.ledgerOf();
    assert.deepEqual(
      { accepted, done, dead, retrying, unaccounted },
      { accepted: 1, done: 1, dead: 0, retrying: 0, unaccounted: 0 },
    );
  });

  test(`${name}: retries stay within their bound: beyond it a failed event is dead at once`, async (t) => {
    const lab = await Lab.open(t, open, { retriesMax: 2 });

    await lab.settle({ failures: [1, 2, 3].map((n) => failure(n, { disposition: "attempt" })) });

    const { retrying, dead, unaccounted } = await lab.ledgerOf();
    assert.deepEqual({ retrying, dead, unaccounted }, { retrying: 2, dead: 1, unaccounted: 0 });
  });

  test(`${name}: frames may not post accepted events a second time, nor be taken twice`, async (t) => {
    const lab = await Lab.open(t, open);
    await lab.store.append([frame(1)]);
    const batch = (await lab.store.lease("a", limits, never))!;
    const settlement = settlementOf(batch);

    const twice = { ...settlement.take, positions: ["0-1", "0-1"] } as Settlement["take"];
    const delta = settlement.delta.slice();
    await assert.rejects(lab.store.settle({ ...settlement, delta, take: twice }), {
      code: "SETTLEMENT_INVALID",
    });
    const accepting = [posting({ source: "web", accepted: 1, settled: 1 })];
    await assert.rejects(lab.store.settle({ ...settlement, ledger: accepting }), {
      code: "SETTLEMENT_INCONSISTENT",
    });
  });
}

function positions(batch: Batch | undefined): readonly string[] {
  return (batch?.frames ?? []).map(({ position }) => position);
}

/** Counts one event for each frame and retry, or fails them. */
function settlementOf(
  batch: Batch,
  parts: { readonly failures?: readonly Failure[]; readonly source?: string } = {},
): Settlement {
  const failures = parts.failures ?? [];
  const events = failures.length > 0 ? [] : [...batch.frames, ...batch.retries].map(() => counted("x"));
  const outcome = { settled: events.length, retrying: failures.length };
  return {
    generation: batch.generation,
    take: {
      kind: "frames",
      worker: batch.worker,
      positions: positions(batch),
      retries: batch.retries.map(({ id }) => id),
    },
    delta: encodeDelta(events.length === 0 ? emptyDelta : deltaOf(events)),
    failures,
    ledger: [posting({ source: parts.source ?? "web", ...outcome })],
  };
}

function failureOf(message: string): Failure {
  const at = { kind: "stream", position: "0-1", index: 0 } as const;
  return failure(0, { source: "web", at, message, reason: "handler", disposition: "attempt" });
}

/** Lets calls that are under way come to where they wait. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

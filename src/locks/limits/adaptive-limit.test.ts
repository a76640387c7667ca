import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, OptionError } from "../../base/index.js";
import { AdaptiveLimit, type AdaptiveLimitOptions } from "./adaptive-limit.js";
import type { LimitExplanation } from "./limit-explanation.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const parameters = { seed, numRuns: 200 };
const emptyQueue = { queueAhead: 0, residualHoldMs: 0 };
/** Buckets between 8 ms and 60 s are this far apart, and a finite sample's q99 is off by some more. */
const tolerance = 1.25;

console.error(`adaptive-limit.test: POUNDLOCK_SEED=${seed}`);

/** Numbers in 0..1 that come again with the same seed (Vigna 2015, splitmix64 cut to 32 bits). */
function randomFrom(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

function limitWith(options: Partial<AdaptiveLimitOptions> = {}): {
  readonly limit: AdaptiveLimit;
  readonly clock: ManualClock;
} {
  const clock = new ManualClock(0);
  const limit = new AdaptiveLimit({ floorMs: 50, ceilingMs: 30_000, jitter: 0, clock, ...options });
  return { limit, clock };
}

/** Lets `waits` waits happen, `gapMs` apart, each given up at the limit in force. */
function live(
  { limit, clock }: { limit: AdaptiveLimit; clock: ManualClock },
  { waits, gapMs, next }: { waits: number; gapMs: number; next: () => number },
): void {
  for (let i = 0; i < waits; i += 1) {
    clock.advance(gapMs);
    const limitMs = limit.limitFor(emptyQueue);
    const waitMs = next();
    if (waitMs > limitMs) limit.observeTimeout(limitMs);
    else limit.observeWait(waitMs);
  }
}

const exponential = (random: () => number, meanMs: number) => (): number => -Math.log(1 - random()) * meanMs;
const q99OfExponential = (meanMs: number): number => -Math.log(0.01) * meanMs;

function assertAbout(actual: number, expected: number, what: string): void {
  const isAbout = actual < expected * tolerance && actual > expected / tolerance;
  assert.ok(isAbout, `${what}: ${actual} is not about ${expected}`);
}

test("AdaptiveLimit.limitFor() is the initial limit below 100 samples, without jitter", () => {
  const { limit } = limitWith({ initialMs: 20_000, jitter: 0.5 });

  for (let i = 0; i < 99; i += 1) {
    limit.observeWait(100);
    assert.equal(limit.limitFor({ queueAhead: 5, residualHoldMs: 1000 }), 20_000);
  }
  limit.observeWait(100);

  assert.ok(limit.limitFor(emptyQueue) < 600);
  assert.equal(limit.explain().by, "history");
});

test("AdaptiveLimit.limitFor() never leaves floor and ceiling, whatever was observed", () => {
  const step = fc.record({
    kind: fc.constantFrom("wait", "timeout", "hold"),
    ms: fc.double({ min: 0, max: 1e7, noNaN: true }),
    gapMs: fc.integer({ min: 0, max: 5_000_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300 }),
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 0, max: 1000 }),
      (steps, floorMs, moreMs, queueAhead) => {
        const ceilingMs = floorMs + moreMs;
        const { limit, clock } = limitWith({ floorMs, ceilingMs, jitter: 0.3, samplesMin: 10 });
        for (const { kind, ms, gapMs } of steps) {
          clock.advance(gapMs);
          if (kind === "wait") limit.observeWait(ms);
          else if (kind === "timeout") limit.observeTimeout(ms);
          else limit.observeHold(ms);
          const limitMs = limit.limitFor({ queueAhead, residualHoldMs: ms });
          assert.ok(limitMs >= floorMs && limitMs <= ceilingMs, `${limitMs} in ${floorMs}..${ceilingMs}`);
        }
      },
    ),
    parameters,
  );
});

test("AdaptiveLimit converges to margin × q99 of stationary waits", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 20, max: 9000 }),
      fc.integer({ min: 1, max: 8 }),
      (start, longestMs, skew) => {
        const random = randomFrom(start);
        const subject = limitWith({ margin: 3 });

        live(subject, { waits: 4000, gapMs: 50, next: () => longestMs * random() ** skew });

        const expectedMs = Math.max(50, 3 * longestMs * 0.99 ** skew);
        assertAbout(subject.limit.limitFor(emptyQueue), expectedMs, `longest ${longestMs}, skew ${skew}`);
      },
    ),
    { ...parameters, numRuns: 30 },
  );
});

test("AdaptiveLimit does not creep down when the limit itself cuts the waits off", () => {
  fc.assert(
    fc.property(fc.integer(), (start) => {
      // 10 in 100 waits are far longer than the rest; a limit learnt from those that ended would cut them off for ever.
      const random = randomFrom(start);
      const next = (): number => (random() < 0.1 ? 5000 + 1000 * random() : 10 * random());
      const subject = limitWith({ margin: 1, initialMs: 200, halfLifeMs: 60_000 });

      live(subject, { waits: 4000, gapMs: 50, next });

      assert.ok(subject.limit.limitFor(emptyQueue) >= 5000, `${subject.limit.explain().sentence}`);
    }),
    { ...parameters, numRuns: 30 },
  );
});

test("AdaptiveLimit doubles after a wait that timed out, and forgets it by half each half-life", () => {
  const subject = limitWith({ margin: 2, halfLifeMs: 600_000 });
  const { limit, clock } = subject;
  for (let i = 0; i < 1000; i += 1) limit.observeWait(100);
  const before = limit.limitFor(emptyQueue);

  limit.observeTimeout(1000);
  const doubled = limit.limitFor(emptyQueue);
  const { sentence } = limit.explain();
  clock.advance(600_000);
  const later = limit.limitFor(emptyQueue);

  assertAbout(before, 200, "before");
  assert.equal(doubled, 2000);
  assert.match(sentence, /twice the limit that ran out/);
  assert.equal(later, 1000);
});

test("AdaptiveLimit takes a short limit of a caller's own as no news about the waits' end", () => {
  const { limit } = limitWith({ margin: 1 });
  for (let i = 0; i < 200; i += 1) limit.observeWait(4000);

  // More than 99 in 100 are given up at once by callers in a hurry.
  for (let i = 0; i < 30_000; i += 1) limit.observeTimeout(20);

  assertAbout(limit.limitFor(emptyQueue), 4000, "limit");
});

test("AdaptiveLimit follows longer waits within a half-life, and shorter ones within eight", () => {
  fc.assert(
    fc.property(fc.integer(), (start) => {
      const random = randomFrom(start);
      const halfLifeMs = 60_000;
      // With this margin one wait in a million times out.
      const subject = limitWith({ margin: 3, halfLifeMs });
      live(subject, { waits: 4800, gapMs: 50, next: exponential(random, 100) });

      live(subject, { waits: 1200, gapMs: 50, next: exponential(random, 1000) });
      const afterLonger = subject.limit.limitFor(emptyQueue);
      live(subject, { waits: 8 * 1200, gapMs: 50, next: exponential(random, 100) });
      const afterShorter = subject.limit.limitFor(emptyQueue);

      // With the old waits still weighing as much as the new ones, the 98th percentile of the new ones counts; of so few, it is off by
      // up to a third in one seed of many thousands.
      assert.ok(afterLonger > (3 * -Math.log(0.02) * 1000) / 1.5, `after longer: ${afterLonger}`);
      // About 1,700 waits count and 1 in 250 of them is an old one, so the quantile is a little high and less exact.
      assert.ok(afterShorter < 3 * q99OfExponential(100) * 1.6, `after shorter: ${afterShorter}`);
    }),
    { ...parameters, numRuns: 20 },
  );
});

test("AdaptiveLimit goes back to the initial limit when what it knows has faded", () => {
  const { limit, clock } = limitWith({ halfLifeMs: 60_000 });
  for (let i = 0; i < 150; i += 1) limit.observeWait(100);
  assert.notEqual(limit.limitFor(emptyQueue), 30_000);

  clock.advance(60_000);

  assert.equal(limit.limitFor(emptyQueue), 30_000);
  assert.match(limit.explain().sentence, /initial limit, since 75 recent waits are too few/);
});

test("AdaptiveLimit.limitFor() grows with the queue that is found", () => {
  const { limit } = limitWith({ margin: 2 });
  for (let i = 0; i < 200; i += 1) {
    limit.observeWait(100);
    limit.observeHold(50);
  }

  const limitMs = limit.limitFor({ queueAhead: 20, residualHoldMs: 30 });

  assert.equal(limitMs, 2 * (30 + 20 * 50));
  assert.match(
    limit.explain({ queueAhead: 20, residualHoldMs: 30 }).sentence,
    /2 × 1030 ms, which the holder's remaining 30 ms and 20 holds before this waiter may take/,
  );
});

test("AdaptiveLimit.limitFor() adds jitter from the given random numbers, at the ceiling too", () => {
  const random = randomFrom(7);
  const { limit } = limitWith({ jitter: 0.2, random, ceilingMs: 1000 });
  for (let i = 0; i < 200; i += 1) limit.observeWait(900);

  const limits = Array.from({ length: 50 }, () => limit.limitFor(emptyQueue));

  assert.ok(new Set(limits).size > 40);
  assert.ok(Math.min(...limits) >= 1000 / 1.2 && Math.max(...limits) <= 1000);
});

test("AdaptiveLimit.freeze() stops learning, forgetting and jitter", () => {
  const { limit, clock } = limitWith({ jitter: 0.5 });
  for (let i = 0; i < 200; i += 1) limit.observeWait(100);
  limit.freeze();
  const limitMs = limit.limitFor(emptyQueue);

  for (let i = 0; i < 500; i += 1) limit.observeWait(5000);
  limit.observeTimeout(9000);
  limit.observeHold(9000);
  clock.advance(86_400_000);
  limit.freeze();

  assert.equal(limit.limitFor(emptyQueue), limitMs);
  assert.ok(limit.isFrozen);
  assert.match(limit.explain().sentence, /; frozen\.$/);
});

test("AdaptiveLimit.explain() has the terms of the formula as data and as one sentence", () => {
  const { limit } = limitWith({ margin: 3, floorMs: 500 });
  for (let i = 0; i < 200; i += 1) limit.observeWait(100);

  const explanation = limit.explain();

  assert.equal(explanation.limitMs, 500);
  assert.equal(explanation.wantedMs, explanation.margin * explanation.slowestUsualMs!);
  assert.equal(explanation.samples, 200);
  assert.match(
    explanation.sentence,
    /^A waiter gives up after 500 ms: 3 × [\d.]+ ms, in which 99 of 100 recent waits end \(200 are known\), raised to the floor of 500 ms\.$/,
  );
});

test("AdaptiveLimit tells a change of the limit by half or more, once", () => {
  const told: LimitExplanation[] = [];
  const { limit } = limitWith({ onChange: (explanation) => told.push(explanation) });

  for (let i = 0; i < 400; i += 1) {
    limit.observeWait(100);
    limit.limitFor(emptyQueue);
  }

  assert.deepEqual(
    told.map(({ by }) => by),
    ["history"],
  );
  assertAbout(told[0]!.limitMs, 300, "told");
});

test("AdaptiveLimit keeps its numbers through years of idleness and a clock that goes back", () => {
  const { limit, clock } = limitWith({ halfLifeMs: 1000 });
  for (let year = 0; year < 3; year += 1) {
    for (let i = 0; i < 200; i += 1) limit.observeWait(100);
    assertAbout(limit.limitFor(emptyQueue), 300, `year ${year}`);
    clock.advance(365 * 86_400_000);
  }

  limit.observeWait(100, 0);
  limit.observeTimeout(100, 0);

  assert.ok(Number.isFinite(limit.limitFor(emptyQueue)));
});

test("new AdaptiveLimit() refuses options outside their range", () => {
  for (const options of [
    { floorMs: 0 },
    { floorMs: Number.NaN },
    { ceilingMs: 10 },
    { margin: 0.5 },
    { halfLifeMs: 0 },
    { samplesMin: 0 },
    { jitter: 0.6 },
    { initialMs: 40_000 },
  ])
    assert.throws(() => limitWith(options), OptionError, JSON.stringify(options));
});

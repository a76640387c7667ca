import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { Deadlines, type LimitedLock, type Round } from "./deadlines.js";
import type { LockPart, Wanted } from "./parts.js";
import { turn } from "./turn.testkit.js";
import { Waiter, WaitQueue } from "./waiter.js";

const nobody = (): void => {};

/** A clock that counts the timers that are set. */
class CountingClock extends ManualClock {
  timers = 0;

  override after(delayMs: number, run: () => void): () => void {
    this.timers += 1;
    let isSet = true;
    const unset = (): void => {
      if (isSet) this.timers -= 1;
      isSet = false;
    };
    const cancel = super.after(delayMs, () => {
      unset();
      run();
    });
    return () => {
      unset();
      cancel();
    };
  }
}

/** A lock that is held for ever, as far as limits are concerned. */
class HeldLock implements LimitedLock {
  readonly queue = new WaitQueue();
  readonly lockClass: { readonly lookEveryMs: number; readonly limits: object | undefined };
  round: Round | undefined;
  isResting = false;
  readonly ended: { readonly waiter: Waiter; readonly atMs: number }[] = [];
  readonly #clock: ManualClock;
  readonly #deadlines: Deadlines;

  constructor(clock: ManualClock, deadlines: Deadlines, options: { everyMs: number; areEqual: boolean }) {
    this.lockClass = { lookEveryMs: options.everyMs, limits: options.areEqual ? undefined : {} };
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  wait(limitMs: number, settle?: () => void): Waiter {
    const wanted: Wanted = { mode: "exclusive", weight: 1, options: undefined, below: nobody };
    const waiter = new Waiter({} as LockPart, wanted, undefined, nobody, nobody);
    waiter.ownLimitMs = limitMs;
    waiter.settle = settle;
    this.queue.push(waiter);
    if (this.round === undefined) this.#deadlines.watch(this);
    return waiter;
  }

  leave(waiter: Waiter): void {
    waiter.state = "granted";
    this.queue.remove(waiter);
    if (this.queue.size === 0) this.#deadlines.restSoon(this);
  }

  timeOut(waiter: Waiter): void {
    this.ended.push({ waiter, atMs: this.#clock.monotonicMs() });
    this.leave(waiter);
  }
}

function setUp(options: { everyMs: number; areEqual: boolean }): { clock: CountingClock; lock: HeldLock } {
  const clock = new CountingClock(0);
  return { clock, lock: new HeldLock(clock, new Deadlines(clock), options) };
}

test("equal limits end in the order of arrival, each in its time or up to an eighth later", () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  const due: { readonly waiter: Waiter; readonly dueMs: number }[] = [];
  for (let i = 0; i < 200; i += 1) {
    due.push({ waiter: lock.wait(800), dueMs: clock.monotonicMs() + 800 });
    clock.advance(7);
  }
  clock.advance(1000);

  assert.deepEqual(
    lock.ended.map(({ waiter }) => waiter),
    due.map(({ waiter }) => waiter),
  );
  for (const [i, { atMs }] of lock.ended.entries()) {
    const lateMs = atMs - due[i]!.dueMs;
    assert.ok(lateMs >= 0 && lateMs <= 100, `${lateMs} ms late`);
  }
});

test("limits that differ end each in its own time", () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: false });
  const limits = [3000, 1000, 5000, 1000, 2000];
  const waiters = limits.map((limitMs) => lock.wait(limitMs));
  clock.advance(6000);

  const endOf = (waiter: Waiter): number =>
    lock.ended.find((end) => end.waiter === waiter)?.atMs ?? Number.NaN;
  assert.deepEqual(
    waiters.map(endOf),
    limits.map((limitMs) => limitMs + 100),
  );
});

test("a wait with a limit of its call is left to its own timer, and stands in nobody's way", () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  const own = lock.wait(10, nobody);
  const usual = lock.wait(800);
  const last = lock.wait(10, nobody);
  clock.advance(900);

  assert.deepEqual(
    lock.ended.map(({ waiter }) => waiter),
    [usual],
  );
  assert.equal(own.seenMs, undefined);
  assert.equal(last.seenMs, undefined);
});

test("there is one timer while anybody waits, and none afterwards", async () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  const waiters = Array.from({ length: 1000 }, () => lock.wait(800));
  clock.advance(350);
  assert.equal(clock.timers, 1);
  for (const waiter of waiters) lock.leave(waiter);
  await turn();
  assert.equal(clock.timers, 0);
  assert.equal(lock.round, undefined);

  lock.wait(800);
  assert.equal(clock.timers, 1);
  clock.advance(900);
  assert.equal(lock.ended.length, 1);
});

test("a lock that is waited for again in the same moment stays in its round", async () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  lock.leave(lock.wait(800));
  lock.wait(800);
  await turn();
  clock.advance(900);
  assert.equal(lock.ended.length, 1);
});

test("no timer is left for those who wait without end, and the next one with a limit has it", () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  lock.wait(Number.POSITIVE_INFINITY, nobody);
  const first = lock.wait(800);
  clock.advance(1000);
  assert.equal(clock.timers, 0);

  const second = lock.wait(800);
  clock.advance(1000);
  assert.equal(clock.timers, 0);
  assert.deepEqual(
    lock.ended.map(({ waiter }) => waiter),
    [first, second],
  );
});

test("who waits again when told of the end of a wait has the usual limit", () => {
  const { clock, lock } = setUp({ everyMs: 100, areEqual: true });
  const timeOut = lock.timeOut.bind(lock);
  let again: Waiter | undefined;
  lock.timeOut = (waiter) => {
    again ??= lock.wait(800);
    timeOut(waiter);
  };
  const first = lock.wait(800);
  clock.advance(2000);
  assert.deepEqual(
    lock.ended.map(({ waiter }) => waiter),
    [first, again],
  );
});

import type { Clock } from "../base/index.js";
import type { Waiter, WaitQueue } from "./waiter.js";

/** A lock whose waiters have the usual limit of its class. */
export interface LimitedLock {
  readonly queue: WaitQueue;
  readonly lockClass: { readonly lookEveryMs: number; readonly limits: object | undefined };
  /** The round that it is looked at in; undefined while nobody waits. */
  round: Round | undefined;
  /** Nobody waits for it, and that is to be looked at soon. */
  isResting: boolean;
  timeOut(waiter: Waiter): void;
}

/** Locks that are looked at together. */
export interface Round {
  readonly everyMs: number;
  readonly locks: Set<LimitedLock>;
  cancel: (() => void) | undefined;
}

/**
 * The usual limits of waits. Nearly all end long before them, and reading the clock for each, or keeping a list of them, costs as much as
 * handing the lock over; so a timer comes by now and then, gives the time to those that it finds new, and ends those that are due.
 * A limit ends in its time or up to an eighth later, and keeps the process alive while it runs.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #rounds = new Map<number, Round>();
  /** Locks that nobody waited for when they were last left. */
  #resting: LimitedLock[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody waits for a lock that is in no round. */
  watch(lock: LimitedLock): void {
    const everyMs = lock.lockClass.lookEveryMs;
    let round = this.#rounds.get(everyMs);
    if (round === undefined) {
      round = { everyMs, locks: new Set(), cancel: undefined };
      this.#rounds.set(everyMs, round);
      this.#arm(round);
    }
    round.locks.add(lock);
    lock.round = round;
  }

  /**
   * Nobody waits for it now. Looked at in the event loop's next turn, since two that take turns leave it so at each hand-over, and setting the
   * timer anew costs as much as three of those.
   */
  restSoon(lock: LimitedLock): void {
    if (lock.isResting) return;
    lock.isResting = true;
    this.#resting.push(lock);
    if (this.#resting.length > 1) return;
    setImmediate(() => {
      const resting = this.#resting;
      this.#resting = [];
      for (const one of resting) {
        one.isResting = false;
        if (one.queue.size === 0) this.#forget(one);
      }
    });
  }

  #forget(lock: LimitedLock): void {
    const { round } = lock;
    if (round === undefined) return;
    lock.round = undefined;
    round.locks.delete(lock);
    if (round.locks.size > 0) return;
    round.cancel?.();
    this.#rounds.delete(round.everyMs);
  }

  #arm(round: Round): void {
    round.cancel = this.#clock.after(round.everyMs, () => {
      this.#arm(round);
      const nowMs = this.#clock.monotonicMs();
      for (const lock of round.locks) this.#look(lock, nowMs);
    });
  }

  #look(lock: LimitedLock, nowMs: number): void {
    seeNew(lock, nowMs);
    const { due, isNeeded } = dueOf(lock, nowMs);
    // Those who are left wait without end, or by a timer of their own: this one is not to keep the process alive for them. Done first,
    // since whoever is told of the end of a wait may wait for the same lock.
    if (!isNeeded) this.#forget(lock);
    for (const waiter of due) if (waiter.state === "waiting") lock.timeOut(waiter);
  }
}

function seeNew({ queue }: LimitedLock, nowMs: number): void {
  // Who came last was not seen yet; from there back to the one that was. Those with a limit of their call are not looked at.
  for (let waiter = queue.tail; waiter !== undefined; waiter = waiter.ahead) {
    if (waiter.settle !== undefined) continue;
    if (waiter.seenMs !== undefined) break;
    waiter.seenMs = nowMs;
  }
}

/** Who is due, and whether somebody else is left for whose limit the lock is to be looked at again. */
function dueOf(
  lock: LimitedLock,
  nowMs: number,
): { readonly due: readonly Waiter[]; readonly isNeeded: boolean } {
  const due: Waiter[] = [];
  let isNeeded = false;
  const areEqual = lock.lockClass.limits === undefined;
  for (let waiter = lock.queue.head; waiter !== undefined; waiter = waiter.behind) {
    if (waiter.settle !== undefined) continue;
    const endMs = (waiter.seenMs ?? nowMs) + waiter.limitMs;
    if (endMs <= nowMs) {
      due.push(waiter);
      continue;
    }
    isNeeded = true;
    if (areEqual) break;
  }
  return { due, isNeeded };
}

import { HoldError, LockWoundedError } from "./errors.js";
import type { HeldPart, TransactionPart, WaiterPart } from "./parts.js";

/**
 * A body that may be started again. By wound-wait: one that needs what a younger one holds sends that one back to its start, and waits for
 * an older one; so the oldest always gets on, and a body that starts again keeps its age.
 */
export class Transaction implements TransactionPart {
  /** Smaller is older. */
  readonly age: number;
  waiting: WaiterPart | undefined;
  #isWounded = false;
  #hasSaid = false;
  #holds: HeldPart[] = [];

  constructor(age: number) {
    this.age = age;
  }

  add(hold: HeldPart): void {
    this.#holds.push(hold);
  }

  /** The older one comes first: if this one waits it gives up now, otherwise when it next asks for a lock. */
  wound(): void {
    this.#isWounded = true;
    const { waiting } = this;
    if (waiting === undefined) return;
    this.#hasSaid = true;
    waiting.core.giveUp(waiting, "wounded", new LockWoundedError(waiting.core.label));
  }

  /** @throws LockWoundedError */
  assertHealthy(lock: string): void {
    if (!this.#isWounded) return;
    this.#hasSaid = true;
    throw new LockWoundedError(lock);
  }

  /** Whether the body was told to start again. */
  get mustRestart(): boolean {
    return this.#hasSaid;
  }

  /** @throws HoldError when something of this attempt is still held */
  restart(): void {
    const kept = this.#holds.find((hold) => !hold.isReleased);
    if (kept !== undefined)
      throw new HoldError(`Cannot start the transaction again: it still holds ${kept.lock}`, {
        hint: "release everything when LOCK_WOUNDED is thrown; `run` and `using` do",
      });
    this.#holds = [];
    this.#isWounded = false;
    this.#hasSaid = false;
  }
}

/** Sends back every younger transaction that holds what the waiter needs. */
export function woundYounger(waiter: WaiterPart): void {
  const mine = waiter.frame?.transaction;
  if (mine === undefined) return;
  for (let hold = waiter.core.firstHold; hold !== undefined; ) {
    const { next } = hold;
    const other = hold.outer?.transaction;
    if (other !== undefined && other !== mine && other.age > mine.age) other.wound();
    hold = next;
  }
}

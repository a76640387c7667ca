import { HoldRecord } from "./hold.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart, WaiterState, Wanted } from "./parts.js";

/**
 * Somebody in a lock's queue; granted, it is the hold: one object for both, since each contended acquisition makes one. `sinceMs` and `seenMs`
 * are of the wait until then.
 */
export class Waiter extends HoldRecord implements WaiterPart {
  declare behind: Waiter | undefined;
  declare ahead: Waiter | undefined;
  declare state: WaiterState;
  /** How many that came later were served before it. */
  declare overtaken: number;
  /** Longest wait in milliseconds, where it is not the usual one of the class. */
  declare ownLimitMs: number | undefined;
  /** Ends the timer and the listener of this call, whatever the outcome; undefined where the usual limit holds. */
  declare settle: (() => void) | undefined;
  declare readonly wanted: Wanted;
  /** Ends of the promise; they keep it, and with it what it was resolved with. */
  declare resolve: (hold: Hold) => void;
  declare reject: (error: unknown) => void;

  /** Positional, and each field once, since every contended acquisition makes one. */
  constructor(
    core: LockPart,
    wanted: Wanted,
    frame: Frame | undefined,
    resolve: (hold: Hold) => void,
    reject: (error: unknown) => void,
  ) {
    super(core, wanted.mode, wanted.weight, frame, false);
    this.wanted = wanted;
    this.resolve = resolve;
    this.reject = reject;
    this.behind = undefined;
    this.ahead = undefined;
    this.state = "waiting";
    this.overtaken = 0;
    this.ownLimitMs = undefined;
    this.settle = undefined;
  }

  get frame(): Frame | undefined {
    return this.outer;
  }

  /** Longest wait in milliseconds. */
  get limitMs(): number {
    return this.ownLimitMs ?? this.core.lockClass.settings.waitMs;
  }

  get upgradeOf(): HeldPart | undefined {
    return this.wanted.upgradeOf;
  }

  /** Whether nothing but the usual limit ends it: no limit or signal of this call. */
  get isPatient(): boolean {
    const { options } = this.wanted;
    const waitMs = options?.waitMs ?? Number.POSITIVE_INFINITY;
    return waitMs === Number.POSITIVE_INFINITY && options?.signal === undefined;
  }
}

/** First in, first out, with removal from the middle in one step. */
export class WaitQueue {
  head: Waiter | undefined;
  tail: Waiter | undefined;
  size = 0;
  /** Of them, those that want it exclusively. */
  exclusive = 0;

  push(waiter: Waiter): void {
    waiter.ahead = this.tail;
    if (this.tail === undefined) this.head = waiter;
    else this.tail.behind = waiter;
    this.tail = waiter;
    this.#count(waiter, 1);
  }

  remove(waiter: Waiter): void {
    if (waiter.ahead === undefined) this.head = waiter.behind;
    else waiter.ahead.behind = waiter.behind;
    if (waiter.behind === undefined) this.tail = waiter.ahead;
    else waiter.behind.ahead = waiter.ahead;
    waiter.ahead = undefined;
    waiter.behind = undefined;
    this.#count(waiter, -1);
  }

  #count(waiter: Waiter, by: number): void {
    this.size += by;
    if (waiter.mode === "exclusive") this.exclusive += by;
  }
}

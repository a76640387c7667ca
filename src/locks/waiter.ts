import { HoldRecord } from "./hold.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart, WaiterState, Wanted } from "./parts.js";

/** Waiters with a limit of one length. */
export interface WaiterRow {
  head: Waiter | undefined;
  tail: Waiter | undefined;
}

/** Somebody in a lock's queue; granted, it is the hold: one object for both, since each contended acquisition makes one. */
export class Waiter extends HoldRecord implements WaiterPart {
  behind: Waiter | undefined;
  ahead: Waiter | undefined;
  state: WaiterState = "waiting";
  /** How many that came later were served before it. */
  overtaken = 0;
  /** Neighbours among those with the same limit, and when it ends. */
  rowNext: Waiter | undefined;
  rowPrevious: Waiter | undefined;
  row: WaiterRow | undefined;
  dueMs: number | undefined;
  /** Longest wait in milliseconds. */
  limitMs = 0;
  /** By a clock that never goes back; undefined while nobody has looked. */
  waitingSinceMs: number | undefined;
  /** Ends the timer and the listener of this call, whatever the outcome. */
  settle: (() => void) | undefined;
  readonly resolve: (hold: Hold) => void;
  readonly reject: (error: unknown) => void;
  /** The reader that wants to become the writer; its own hold does not stand in its way. */
  readonly upgradeOf: HeldPart | undefined;
  readonly wanted: Wanted;

  /** Positional, since every contended acquisition makes one. */
  constructor(
    core: LockPart,
    wanted: Wanted,
    frame: Frame | undefined,
    upgradeOf: HeldPart | undefined,
    resolve: (hold: Hold) => void,
    reject: (error: unknown) => void,
  ) {
    super(core, wanted.mode, wanted.weight, frame, false);
    this.wanted = wanted;
    this.upgradeOf = upgradeOf;
    this.resolve = resolve;
    this.reject = reject;
  }

  get frame(): Frame | undefined {
    return this.outer;
  }

  /** Whether nothing but the usual limit ends it: no limit or signal of this call. */
  get isPatient(): boolean {
    const { options } = this.wanted;
    const waitMs = options?.waitMs ?? Number.POSITIVE_INFINITY;
    return waitMs === Number.POSITIVE_INFINITY && options?.signal === undefined;
  }

  /** When it was first seen by the look at limits; undefined until then. */
  get waitSeenMs(): number | undefined {
    return this.dueMs === undefined ? undefined : this.dueMs - this.limitMs;
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

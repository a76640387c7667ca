import { taskOf } from "./frame.js";
import type { Mode } from "./kinds.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart, WaiterState, Wanted } from "./parts.js";
import type { Site } from "./site.js";

/** Waiters with a limit of one length. */
export interface WaiterRow {
  head: Waiter | undefined;
  tail: Waiter | undefined;
}

/** Somebody in a lock's queue. */
export class Waiter implements WaiterPart {
  next: Waiter | undefined;
  previous: Waiter | undefined;
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
  sinceMs: number | undefined;
  /** Ends the timer and the listener of this call, whatever the outcome. */
  settle: (() => void) | undefined;
  readonly resolve: (hold: Hold) => void;
  readonly reject: (error: unknown) => void;
  site: Site | undefined;
  /** The reader that wants to become the writer; its own hold does not stand in its way. */
  readonly upgradeOf: HeldPart | undefined;
  readonly core: LockPart;
  readonly wanted: Wanted;
  readonly frame: Frame | undefined;

  /** Positional, since every contended acquisition makes one. */
  constructor(
    core: LockPart,
    wanted: Wanted,
    frame: Frame | undefined,
    upgradeOf: HeldPart | undefined,
    resolve: (hold: Hold) => void,
    reject: (error: unknown) => void,
  ) {
    this.core = core;
    this.wanted = wanted;
    this.frame = frame;
    this.upgradeOf = upgradeOf;
    this.resolve = resolve;
    this.reject = reject;
  }

  get mode(): Mode {
    return this.wanted.mode;
  }

  get weight(): number {
    return this.wanted.weight;
  }

  /** Whether nothing but the usual limit ends it: no limit or signal of this call. */
  get isPatient(): boolean {
    const { options } = this.wanted;
    return options?.waitMs === undefined && options?.signal === undefined;
  }

  /** When it was first seen by the look at limits; undefined until then. */
  get seenMs(): number | undefined {
    return this.dueMs === undefined ? undefined : this.dueMs - this.limitMs;
  }

  get lock(): string {
    return this.core.label;
  }

  get task(): string {
    return taskOf(this.frame);
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
    waiter.previous = this.tail;
    if (this.tail === undefined) this.head = waiter;
    else this.tail.next = waiter;
    this.tail = waiter;
    this.#count(waiter, 1);
  }

  remove(waiter: Waiter): void {
    if (waiter.previous === undefined) this.head = waiter.next;
    else waiter.previous.next = waiter.next;
    if (waiter.next === undefined) this.tail = waiter.previous;
    else waiter.next.previous = waiter.previous;
    waiter.previous = undefined;
    waiter.next = undefined;
    this.#count(waiter, -1);
  }

  #count(waiter: Waiter, by: number): void {
    this.size += by;
    if (waiter.mode === "exclusive") this.exclusive += by;
  }
}

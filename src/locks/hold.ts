import { HoldError } from "./errors.js";
import { taskOf } from "./frame.js";
import type { Mode } from "./kinds.js";
import type { Chain } from "./order/index.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart } from "./parts.js";
import type { Site } from "./site.js";

/** Few bodies ask for their hold's signal, and each hold would have a field for it. */
const controllers = new WeakMap<HeldPart, AbortController>();

/** A hold as its lock keeps it. */
export class HoldRecord implements Hold, HeldPart {
  isReleased = false;
  /** Neighbours among the holds of its lock. */
  next: HeldPart | undefined;
  previous: HeldPart | undefined;
  /** By a clock that never goes back; undefined for those that are not measured. */
  sinceMs: number | undefined;
  /** When it was first seen by the look at long holds; undefined until then. */
  seenMs: number | undefined;
  /** What was held with it, when something was asked for below it. */
  chain: Chain | undefined;
  /** Waiters below this hold: while any of them waits, this hold is not released by what it was taken for. */
  waiters: Set<WaiterPart> | undefined;
  /** For re-entrant locks: those below who want it again take turns here. */
  inner: LockPart | undefined;
  isOverdue = false;
  /** What the caller has in hand, until somebody looks after it; after that nothing here keeps it from being collected. */
  guard: object | undefined;
  mode: Mode;
  weight: number;
  readonly core: LockPart;
  /** What was held when it was taken. */
  readonly outer: Frame | undefined;
  readonly isTry: boolean;
  site: Site | undefined;

  constructor(core: LockPart, mode: Mode, weight: number, outer: Frame | undefined, isTry: boolean) {
    this.core = core;
    this.mode = mode;
    this.weight = weight;
    this.outer = outer;
    this.isTry = isTry;
  }

  get lock(): string {
    return this.core.label;
  }

  get task(): string {
    return taskOf(this.outer);
  }

  get signal(): AbortSignal {
    let controller = controllers.get(this);
    if (controller === undefined) controllers.set(this, (controller = new AbortController()));
    if (this.isOverdue) this.overdue();
    return controller.signal;
  }

  release(): void {
    if (this.isReleased) this.core.log.foreignRelease(this, "it was released before");
    else this.core.end(this);
  }

  [Symbol.dispose](): void {
    if (!this.isReleased) this.core.end(this);
  }

  /** Tells the body that it takes too long; exclusion goes on. */
  overdue(): void {
    this.isOverdue = true;
    controllers.get(this)?.abort(new HoldError(`${this.lock} is held for longer than it should be`));
  }
}

/**
 * What `acquire` gives away. The lock itself keeps the record, so this handle can be seen to be collected while held: then nobody can
 * release it any more.
 */
export class GuardHold implements Hold {
  readonly record: HeldPart;

  constructor(record: HeldPart) {
    this.record = record;
  }

  get lock(): string {
    return this.record.lock;
  }

  get mode(): Mode {
    return this.record.mode;
  }

  get weight(): number {
    return this.record.weight;
  }

  get isReleased(): boolean {
    return this.record.isReleased;
  }

  get signal(): AbortSignal {
    return this.record.signal;
  }

  release(): void {
    this.record.release();
  }

  [Symbol.dispose](): void {
    this.record[Symbol.dispose]();
  }
}

export function recordOf(hold: Hold): HeldPart {
  if (hold instanceof HoldRecord) return hold;
  if (hold instanceof GuardHold) return hold.record;
  throw new HoldError("Cannot use this as a hold: it is none of this library's");
}

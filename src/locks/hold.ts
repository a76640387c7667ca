import { HoldError } from "./errors.js";
import { taskOf } from "./frame.js";
import type { Mode } from "./kinds.js";
import type { Chain } from "./order/index.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart } from "./parts.js";
import type { Site } from "./site.js";

/** Few bodies ask for their hold's signal, and few take too long; each hold would have a field for it. */
const controllers = new WeakMap<HeldPart, AbortController>();
const overdue = new WeakSet<HeldPart>();

/** A hold as its lock keeps it. */
export class HoldRecord implements Hold, HeldPart {
  declare isReleased: boolean;
  /** Neighbours among the holds of its lock. */
  declare next: HeldPart | undefined;
  declare previous: HeldPart | undefined;
  /** By a clock that never goes back; undefined for those that are not measured. */
  declare sinceMs: number | undefined;
  /** When it was first seen by the look at long holds; undefined until then. */
  declare seenMs: number | undefined;
  /** What was held with it, when something was asked for below it. */
  declare chain: Chain | undefined;
  /** Waiters below this hold: while any of them waits, this hold is not released by what it was taken for. */
  declare waiters: Set<WaiterPart> | undefined;
  /** What the caller has in hand, until somebody looks after it; after that nothing here keeps it from being collected. */
  declare guard: object | undefined;
  declare site: Site | undefined;
  declare readonly core: LockPart;
  declare mode: Mode;
  declare weight: number;
  /** What was held when it was taken. */
  declare readonly outer: Frame | undefined;
  declare readonly isTry: boolean;

  /** Sets each field once: declared with a value, or with none, they would be written before this begins, which takes a tenth of a hand-over. */
  constructor(core: LockPart, mode: Mode, weight: number, outer: Frame | undefined, isTry: boolean) {
    this.core = core;
    this.mode = mode;
    this.weight = weight;
    this.outer = outer;
    this.isTry = isTry;
    this.isReleased = false;
    this.next = undefined;
    this.previous = undefined;
    this.sinceMs = undefined;
    this.seenMs = undefined;
    this.chain = undefined;
    this.waiters = undefined;
    this.guard = undefined;
    this.site = undefined;
  }

  get lock(): string {
    return this.core.label;
  }

  get task(): string {
    return taskOf(this.outer);
  }

  get isOverdue(): boolean {
    return overdue.has(this);
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
    overdue.add(this);
    controllers.get(this)?.abort(new HoldError(`${this.lock} is held for longer than it should be`));
  }
}

/**
 * What `acquire` gives away. The lock itself keeps the record, so this handle can be seen to be collected while held: then nobody can
 * release it any more.
 */
export class GuardHold implements Hold {
  static {
    // A promise that is resolved with an object looks for its `then`. Found here, it is not looked for in all objects' prototype too.
    // biome-ignore lint/suspicious/noThenProperty: it has none, and says so
    Object.defineProperty(GuardHold.prototype, "then", { value: undefined });
  }

  declare readonly record: HeldPart;

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

import type { Round } from "./deadlines.js";
import { type Discipline, inOrder } from "./discipline.js";
import type { DomainState } from "./domain-state.js";
import { LockDeadlockError, LockTimeoutError } from "./errors.js";
import { taskOf } from "./frame.js";
import { HoldRecord, recordOf } from "./hold.js";
import type { Mode } from "./kinds.js";
import type { LockClassState } from "./lock-class.js";
import type { LockLog } from "./lock-log.js";
import type {
  Frame,
  HeldPart,
  Hold,
  LockPart,
  Stuck,
  WaiterPart,
  WaiterState,
  WaitOptions,
  Wanted,
} from "./parts.js";
import { Site } from "./site.js";
import { woundYounger } from "./transaction.js";
import { holdsOf } from "./wait-options.js";
import { Waiter, WaitQueue } from "./waiter.js";

/** The queues of re-entrant holds; few holds have one. */
const innerOfHold = new WeakMap<HeldPart, LockCore>();

/** What every kind of lock is made of: permits, those who hold some, those who wait, and a discipline of whose turn it is. */
export class LockCore implements LockPart {
  used = 0;
  exclusiveHolds = 0;
  firstHold: HeldPart | undefined;
  readonly queue: WaitQueue = new WaitQueue();
  /** Neighbours among the locks of the domain that somebody holds. */
  next: LockPart | undefined;
  previous: LockPart | undefined;
  /** For the limits of its waiters. */
  round: Round | undefined;
  isResting = false;
  readonly domain: DomainState;
  readonly lockClass: LockClassState;
  readonly key: unknown;
  readonly permits: number;
  readonly discipline: Discipline;
  /** For the inner queue of a re-entrant hold: the lock that it belongs to. */
  readonly reentryOf: LockPart | undefined;
  readonly #onIdle: (() => void) | undefined;
  /** Whether the domain knows it among those that are held. */
  #isListed = false;

  constructor(parts: {
    readonly domain: DomainState;
    readonly lockClass: LockClassState;
    readonly permits: number;
    readonly discipline: Discipline;
    readonly key?: unknown;
    readonly reentryOf?: LockPart;
    /** Called when nobody holds it and nobody waits. */
    readonly onIdle?: () => void;
  }) {
    this.domain = parts.domain;
    this.lockClass = parts.lockClass;
    this.permits = parts.permits;
    this.discipline = parts.discipline;
    this.key = parts.key;
    this.reentryOf = parts.reentryOf;
    this.#onIdle = parts.onIdle;
  }

  get label(): string {
    return this.key === undefined ? this.lockClass.name : `${this.lockClass.name}[${String(this.key)}]`;
  }

  get isHeldExclusively(): boolean {
    return this.exclusiveHolds > 0;
  }

  get log(): LockLog {
    return this.domain.log;
  }

  couldServe(waiter: WaiterPart, stuck: Stuck): boolean {
    return this.discipline.couldServe(waiter, stuck);
  }

  /**
   * A re-entrant lock that is asked for below its own hold: each hold has a queue of its own, which a straight chain of calls passes at once
   * and children that run side by side pass one after the other. A flag instead would let them all in.
   */
  innerOf(hold: HeldPart): LockCore {
    const known = innerOfHold.get(hold);
    if (known !== undefined) return known;
    const inner = new LockCore({
      domain: this.domain,
      lockClass: this.lockClass,
      permits: 1,
      discipline: inOrder,
      key: this.key,
      reentryOf: this.reentryOf ?? this,
    });
    innerOfHold.set(hold, inner);
    return inner;
  }

  fits(weight: number): boolean {
    return this.used + weight <= this.permits;
  }

  /** Acquires at once where possible, and otherwise waits in line. Undefined when the wait was over and that was to be an answer. */
  acquire(wanted: Wanted): HoldRecord | Promise<Hold> {
    const { options, mode, weight } = wanted;
    const { lockClass } = this;
    options?.signal?.throwIfAborted();
    const frame = lockClass.checksLevels ? this.domain.frameFor(options) : undefined;
    if (frame !== undefined) {
      const inner = this.domain.checks.before(this, wanted, frame);
      if (inner !== undefined) return (inner as LockCore).acquire(wanted);
    } else if (weight > 1 && lockClass.permits > 1 && lockClass.checksOrder) {
      this.domain.checks.heavy(this, wanted);
    }
    const { log } = this.domain;
    if (log.wantsAttempts) log.attempt({ lock: this.label, mode, weight, task: taskOf(frame) });
    if (this.used + weight <= this.permits && this.discipline.admits(this, mode)) {
      const hold = this.#hold(mode, weight, frame, false);
      if (log.wantsAcquired) log.acquired(hold);
      return hold;
    }
    return this.#wait(wanted, frame);
  }

  /** Acquires without waiting, past no one. */
  tryAcquire(wanted: Wanted): HoldRecord | undefined {
    const { mode, weight, options } = wanted;
    const frame = this.lockClass.checksLevels ? this.domain.frameFor(options) : undefined;
    const inner = frame === undefined ? undefined : this.domain.checks.inner(this, frame);
    if (inner !== undefined) return (inner as LockCore).tryAcquire(wanted);
    if (this.used + weight <= this.permits && this.discipline.admits(this, mode)) {
      const hold = this.#hold(mode, weight, frame, true);
      this.domain.log.acquired(hold);
      return hold;
    }
    this.lockClass.metrics.tryFailures += 1;
    return undefined;
  }

  /** Takes it for nobody's task, as a latch is closed. */
  take(mode: Mode, weight: number): HoldRecord {
    return this.#hold(mode, weight, undefined, true);
  }

  /** Waits until no other reader is left, and turns the reader's hold into the writer's. */
  upgrade(
    hold: HeldPart,
    options: WaitOptions | undefined,
    below: Wanted["below"],
  ): HeldPart | Promise<Hold> {
    options?.signal?.throwIfAborted();
    const wanted: Wanted = { mode: "exclusive", weight: this.permits, options, below, upgradeOf: hold };
    const frame = this.lockClass.checksLevels
      ? this.domain.frameFor({ ...options, holding: [hold, ...holdsOf(options?.holding)] })
      : undefined;
    if (frame !== undefined) this.domain.checks.again(this, wanted, frame, hold);
    if (this.used === hold.weight) {
      this.#upgrade(hold, this.permits);
      return hold;
    }
    return this.#wait(wanted, frame);
  }

  lookAgain(): void {
    if (!this.lockClass.checksWaits) return;
    queueMicrotask(() => {
      for (let waiter = this.queue.head; waiter !== undefined; )
        // One that gives way may set the others going.
        waiter = waiter.frame !== undefined && this.#refuseStuck(waiter) ? this.queue.head : waiter.behind;
    });
  }

  /** For disciplines: hands the lock to the waiter, in this very step. */
  grant(part: WaiterPart): void {
    const waiter = part as Waiter;
    const { domain, lockClass } = this;
    const { wanted, sinceMs } = waiter;
    this.#leave(waiter, "granted");
    let hold: HeldPart = waiter;
    if (wanted.upgradeOf === undefined) {
      waiter.sinceMs = undefined;
      waiter.seenMs = undefined;
      this.#begin(waiter);
    } else {
      hold = wanted.upgradeOf;
      hold.site = waiter.site;
      this.#upgrade(hold, waiter.weight);
    }
    if (waiter.overtaken > 0) lockClass.metrics.overtaken += waiter.overtaken;
    const waitedMs = sinceMs === undefined ? undefined : domain.clock.monotonicMs() - sinceMs;
    if (waitedMs !== undefined) {
      lockClass.metrics.recordWait(waitedMs);
      lockClass.limits?.[waiter.mode].observeWait(waitedMs);
    }
    if (domain.log.wantsAcquired) domain.log.acquired(hold, waitedMs);
    if (wanted.wantsGuard !== true) {
      waiter.resolve(hold);
      return;
    }
    waiter.resolve(domain.guard(hold));
    // The lock keeps the hold, and nothing may keep the guard from being collected.
    waiter.resolve = nobody;
    waiter.reject = nobody;
  }

  /** For holds: gives back what it had. Never twice. */
  end(hold: HeldPart): void {
    hold.isReleased = true;
    this.#unlink(hold);
    const heldMs = hold.sinceMs === undefined ? undefined : this.domain.clock.monotonicMs() - hold.sinceMs;
    if (heldMs !== undefined) this.lockClass.recordHold(hold.mode, heldMs);
    if (this.domain.log.wantsReleased) this.domain.log.released(hold, heldMs);
    if (this.queue.head !== undefined) this.discipline.serve(this, hold.mode);
    if (this.firstHold === undefined) this.#rest();
  }

  /** Nobody holds it any more; not called when it was handed over. */
  #rest(): void {
    this.#isListed = false;
    this.domain.unlink(this);
    if (this.queue.size === 0) this.#onIdle?.();
  }

  /** For conditions: lets go of the hold, to have the same one again by `resume`. */
  suspend(hold: HeldPart, below: Wanted["below"]): void {
    const wanted: Wanted = { mode: hold.mode, weight: hold.weight, options: undefined, below };
    const frame = this.lockClass.checksLevels ? this.domain.frameFor(undefined) : undefined;
    // Now, since the one who is refused later would have lost its hold.
    if (frame !== undefined) this.domain.checks.again(this, wanted, frame, hold);
    this.end(hold);
  }

  /** Waits for the lock again, and makes a suspended hold a hold once more. */
  async resume(hold: HeldPart, below: Wanted["below"]): Promise<void> {
    const options: WaitOptions = { waitMs: Number.POSITIVE_INFINITY };
    const frame = this.lockClass.checksLevels ? this.domain.frameFor(undefined) : undefined;
    const wanted: Wanted = { mode: hold.mode, weight: hold.weight, options, below };
    if (this.used + hold.weight > this.permits || !this.discipline.admits(this, hold.mode)) {
      const taken = recordOf(await this.#wait(wanted, frame));
      this.#unlink(taken);
      taken.isReleased = true;
    }
    hold.isReleased = false;
    // Held anew: the time in which it was not counts neither as held nor as held for too long.
    hold.sinceMs = undefined;
    hold.seenMs = undefined;
    this.#link(hold);
  }

  /** Whether nobody holds it and nobody waits. */
  get isIdle(): boolean {
    return this.used === 0 && this.queue.size === 0;
  }

  /** Takes a waiter out of the line for good, and serves those whom it stood in the way of. */
  giveUp(part: WaiterPart, state: Exclude<WaiterState, "waiting" | "granted">, error: unknown): void {
    const waiter = part as Waiter;
    if (waiter.state !== "waiting") return;
    const { metrics } = this.lockClass;
    if (state === "timed-out") metrics.timeouts += 1;
    else if (state === "aborted") metrics.aborts += 1;
    else if (state === "deadlocked") metrics.deadlocks += 1;
    this.#leave(waiter, state);
    waiter.reject(error);
    if (this.queue.head !== undefined) this.discipline.serve(this, "nobody");
    else if (this.used === 0) this.#onIdle?.();
  }

  #hold(mode: Mode, weight: number, frame: Frame | undefined, isTry: boolean): HoldRecord {
    const hold = new HoldRecord(this, mode, weight, frame, isTry);
    this.#begin(hold);
    return hold;
  }

  #begin(hold: HoldRecord): void {
    const { metrics } = this.lockClass;
    metrics.acquisitions += 1;
    if (metrics.holdSampler.take()) hold.sinceMs = this.domain.clock.monotonicMs();
    hold.outer?.transaction?.add(hold);
    this.#link(hold);
  }

  #link(hold: HeldPart): void {
    this.used += hold.weight;
    if (hold.mode === "exclusive") this.exclusiveHolds += 1;
    if (!this.#isListed) this.domain.link(this);
    this.#isListed = true;
    const first = this.firstHold;
    hold.next = first;
    if (first !== undefined) first.previous = hold;
    this.firstHold = hold;
  }

  #unlink(hold: HeldPart): void {
    this.used -= hold.weight;
    if (hold.mode === "exclusive") this.exclusiveHolds -= 1;
    if (hold.previous === undefined) this.firstHold = hold.next;
    else hold.previous.next = hold.next;
    if (hold.next !== undefined) hold.next.previous = hold.previous;
    hold.next = undefined;
    hold.previous = undefined;
  }

  #upgrade(hold: HeldPart, weight: number): void {
    this.used += weight - hold.weight;
    hold.mode = "exclusive";
    hold.weight = weight;
    this.exclusiveHolds += 1;
  }

  #wait(wanted: Wanted, frame: Frame | undefined): Promise<Hold> {
    const { domain, lockClass } = this;
    let resolve: (hold: Hold) => void = nobody;
    let reject: (error: unknown) => void = nobody;
    // A closure, and here: only so is it known to end before the promise is there, and costs nothing.
    const promise = new Promise<Hold>((onHold, onError) => {
      resolve = onHold;
      reject = onError;
    });
    const waiter = new Waiter(this, wanted, frame, resolve, reject);
    lockClass.metrics.contended += 1;
    if (lockClass.metrics.waitSampler.take() || lockClass.limits !== undefined || domain.log.wantsAcquired)
      waiter.sinceMs = domain.clock.monotonicMs();
    if (domain.log.wantsContended) domain.log.contended(waiter, this.queue.size);
    this.queue.push(waiter);
    if (frame !== undefined) {
      waiter.site = new Site(wanted.below);
      domain.enter(waiter);
      woundYounger(waiter);
      if (waiter.state !== "waiting") return promise;
      if (lockClass.checksWaits && this.#refuseStuck(waiter)) return promise;
    }
    this.#limit(waiter, wanted.options);
    return promise;
  }

  #refuseStuck(waiter: Waiter): boolean {
    const { domain } = this;
    const cycle = domain.checks.waiting(waiter);
    if (cycle === undefined) return false;
    const error = new LockDeadlockError(this.label, cycle);
    domain.log.deadlock(error.message, waiter);
    this.giveUp(waiter, "deadlocked", error);
    return true;
  }

  /** The wait's ends other than a grant. */
  #limit(waiter: Waiter, options: WaitOptions | undefined): void {
    const { lockClass } = this;
    if (lockClass.limits !== undefined)
      waiter.ownLimitMs = lockClass.adaptedMs(lockClass.limits[waiter.mode], this.queue.size - 1);
    if (options !== undefined && (options.waitMs !== undefined || options.signal !== undefined))
      this.#limitCall(waiter, options);
    else if (this.round === undefined && waiter.limitMs !== Number.POSITIVE_INFINITY)
      this.domain.deadlines.watch(this);
  }

  /** What was asked for with this call ends in its time, by a timer of its own. */
  #limitCall(waiter: Waiter, { waitMs, signal }: WaitOptions): void {
    if (waitMs !== undefined) waiter.ownLimitMs = waitMs;
    const { limitMs } = waiter;
    const isLimited = limitMs !== Number.POSITIVE_INFINITY;
    const cancel = isLimited ? this.domain.clock.after(limitMs, () => this.timeOut(waiter)) : undefined;
    const onAbort = (): void => this.giveUp(waiter, "aborted", signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    waiter.settle = () => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
    };
  }

  /** For the limits: the waiter's time is over. */
  timeOut(waiter: Waiter): void {
    const { domain, lockClass } = this;
    const { limitMs } = waiter;
    lockClass.limits?.[waiter.mode].observeTimeout(limitMs);
    const holders = domain.holdersOf(this);
    domain.log.timeout(waiter, { limitMs, holders });
    this.giveUp(waiter, "timed-out", new LockTimeoutError(this.label, limitMs, holders));
  }

  #leave(waiter: Waiter, state: WaiterState): void {
    waiter.state = state;
    this.queue.remove(waiter);
    waiter.settle?.();
    if (this.queue.size === 0 && this.round !== undefined) this.domain.deadlines.restSoon(this);
    if (waiter.frame !== undefined) this.domain.leave(waiter);
  }
}

function nobody(): void {}

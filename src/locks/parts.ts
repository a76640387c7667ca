import type { Mode } from "./kinds.js";
import type { LockClassState } from "./lock-class.js";
import type { LockLog } from "./lock-log.js";
import type { Chain } from "./order/index.js";
import type { Site } from "./site.js";

/*
 * What locks, holds, waiters and frames are to each other. They point at one another in circles, so each knows the others by these
 * interfaces:
 *
 *     frame ── hold ──► lock ◄── waiter ── frame
 *       │        │        └─ queue of waiters, list of holds
 *     outer   waiters below it
 */

/**
 * Proof of holding a lock. Released once: a second release does nothing, and never frees what somebody else holds by now.
 *
 *     using hold = await lock.acquire();
 */
export interface Hold extends Disposable {
  /** Name of the lock, with its key. */
  readonly lock: string;
  readonly mode: Mode;
  /** Permits; 1 but for semaphores. */
  readonly weight: number;
  readonly isReleased: boolean;
  /** Aborts when the lock was held for longer than `holdWarnMs`. The lock stays held. */
  readonly signal: AbortSignal;
  /** Gives it back. A second call has no effect but a warning in the log. */
  release(): void;
}

/**
 * What an asynchronous task holds: a list from the innermost hold outwards, which what the task calls inherits. Never changed; a hold
 * that was released meanwhile is skipped by whoever reads it.
 */
export interface Frame {
  readonly parent: Frame | undefined;
  /** Undefined where a task was named or a transaction begins. */
  readonly hold: HeldPart | undefined;
  /** What is held up to here, as the order graph knows it. */
  readonly chain: Chain;
  /** Name, number (one for each outermost frame) and transaction are inherited. */
  readonly task: string | undefined;
  readonly taskId: number;
  readonly transaction: TransactionPart | undefined;
  /** Acquired in this frame without `run`: who of its children really holds them can't be known. */
  guards: readonly HeldPart[] | undefined;
  /** The domain's. */
  readonly owner: object;
  /** Where it was entered: the innermost frame of another domain. */
  others: Frame | undefined;
}

/** A hold as its lock keeps it. */
export interface HeldPart extends Hold {
  isReleased: boolean;
  mode: Mode;
  weight: number;
  readonly core: LockPart;
  readonly task: string;
  /** What was held when it was taken. */
  readonly outer: Frame | undefined;
  readonly isTry: boolean;
  /** Neighbours among the holds of its lock. */
  next: HeldPart | undefined;
  previous: HeldPart | undefined;
  site: Site | undefined;
  /** What was held with it, when something was asked for below it. */
  chain: Chain | undefined;
  /** Waiters below this hold: while any of them waits, this hold is not released by what it was taken for. */
  waiters: Set<WaiterPart> | undefined;
  /** By a clock that never goes back; undefined for those that are not measured. */
  sinceMs: number | undefined;
  /** When it was first seen by the look at long holds; undefined until then. */
  seenMs: number | undefined;
  readonly isOverdue: boolean;
  /** What the caller has in hand, until somebody looks after it; after that nothing here keeps it from being collected. */
  guard: object | undefined;
  /** Tells the body that it takes too long; exclusion goes on. */
  overdue(): void;
}

/** The one terminal state that a waiter gets, decided in one synchronous step. */
export type WaiterState = "waiting" | "granted" | "timed-out" | "aborted" | "deadlocked" | "wounded";

/** Somebody in a lock's queue. */
export interface WaiterPart {
  /** Neighbours in the queue. */
  behind: WaiterPart | undefined;
  ahead: WaiterPart | undefined;
  /** How many that came later were served before it. */
  overtaken: number;
  readonly core: LockPart;
  /** Name of the lock, with its key. */
  readonly lock: string;
  readonly mode: Mode;
  readonly weight: number;
  readonly frame: Frame | undefined;
  readonly site: Site | undefined;
  /** Since when it waits, by a clock that never goes back; undefined for those that are not measured. */
  readonly sinceMs: number | undefined;
  /** When the look at limits first saw it; undefined until then. */
  readonly seenMs: number | undefined;
  /** Longest wait in milliseconds. */
  readonly limitMs: number;
  /** Nothing but the usual limit ends it: no limit or signal of this call. */
  readonly isPatient: boolean;
  /** The reader that wants to become the writer; its own hold does not stand in its way. */
  readonly upgradeOf: HeldPart | undefined;
}

/** A lock: permits, those who hold some, those who wait. */
export interface LockPart {
  readonly used: number;
  readonly permits: number;
  readonly isHeldExclusively: boolean;
  readonly firstHold: HeldPart | undefined;
  readonly queue: {
    readonly head: WaiterPart | undefined;
    readonly size: number;
    readonly exclusive: number;
  };
  readonly lockClass: LockClassState;
  readonly log: LockLog;
  readonly key: unknown;
  /** The class's name, with the key of a keyed lock. */
  readonly label: string;
  /** For the inner queue of a re-entrant hold: the lock that it belongs to. */
  readonly reentryOf: LockPart | undefined;
  /** Neighbours among the locks of the domain that somebody holds. */
  next: LockPart | undefined;
  previous: LockPart | undefined;
  fits(weight: number): boolean;
  /** Soon: those in line who counted on overtaking, which is over, may hang by that. */
  lookAgain(): void;
  /** Hands the lock to the waiter, in this very step. */
  grant(waiter: WaiterPart): void;
  /** Takes a waiter out of the line for good, and serves those whom it stood in the way of. */
  giveUp(waiter: WaiterPart, state: Exclude<WaiterState, "waiting" | "granted">, error: unknown): void;
  end(hold: HeldPart): void;
  couldServe(waiter: WaiterPart, stuck: Stuck): boolean;
  /** The queue of those below the hold who want the same lock again. */
  innerOf(hold: HeldPart): LockPart;
}

/** What will not move any more, as far as one lock is concerned. */
export interface Stuck {
  /** Permits of holds that never end. */
  readonly weight: number;
  readonly hasExclusive: boolean;
  isStuck(waiter: WaiterPart): boolean;
}

/** A body that may be started again. */
export interface TransactionPart {
  /** Smaller is older. */
  readonly age: number;
  waiting: WaiterPart | undefined;
  add(hold: HeldPart): void;
  wound(): void;
  /** @throws LockWoundedError */
  assertHealthy(lock: string): void;
}

export interface WaitOptions {
  /** How long to wait, in milliseconds (from 0); Infinity for no limit. @default the lock's, or else the domain's (30 s) */
  readonly waitMs?: number;
  /** Ends the wait with the signal's reason. What was granted before the abort stays granted. */
  readonly signal?: AbortSignal;
  /** Holds acquired by `acquire` under which this is asked for: with them the detector knows what `run` knows by itself. */
  readonly holding?: Hold | readonly Hold[];
}

export interface Wanted {
  readonly mode: Mode;
  readonly weight: number;
  readonly options: WaitOptions | undefined;
  /** Whether the caller gives no body, and so needs a hold that can be lost. @default false */
  readonly wantsGuard?: boolean;
  /** The reader that wants to become the writer. */
  readonly upgradeOf?: HeldPart | undefined;
  /** For the sites of findings: whose callers are meant. */
  readonly below: (...args: never[]) => unknown;
}

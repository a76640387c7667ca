import type { Clock } from "../base/index.js";
import { Checks, siteOf, weightOf } from "./checks.js";
import { Deadlines } from "./deadlines.js";
import { HoldError } from "./errors.js";
import { Frames, hasGaps, heldIn, taskOf } from "./frame.js";
import { GuardHold, recordOf } from "./hold.js";
import type { LockClassState } from "./lock-class.js";
import type { LockLog } from "./lock-log.js";
import { type Chain, type Link, OrderGraph } from "./order/index.js";
import type { Frame, HeldPart, Hold, LockPart, WaiterPart, WaitOptions } from "./parts.js";
import { Site } from "./site.js";
import { holdsOf } from "./wait-options.js";

/** Something that was found and is not thrown away: thrown, warned of, or only kept. */
export interface Finding {
  readonly kind: "level" | "order" | "stall" | "note";
  readonly lock: string;
  readonly message: string;
}

const findingsMax = 1_000;
const holdersNamedMax = 3;

/** What the locks of one domain share. */
export class DomainState {
  readonly name: string;
  readonly clock: Clock;
  readonly log: LockLog;
  readonly frames: Frames = new Frames();
  readonly order: OrderGraph;
  readonly checks: Checks = new Checks(this);
  readonly deadlines: Deadlines;
  readonly findings: Finding[] = [];
  findingsDropped = 0;
  hasGuards = false;
  /** Kept for as long as a lock is held, because the look at long holds keeps this: a task that hangs may be all that knows its domain. */
  owner: object | undefined;
  /** Locks that somebody holds. */
  firstCore: LockPart | undefined;
  readonly #sweepMs: number;
  /** A guard that is gone while its lock is held: nobody can release it any more. */
  readonly #collected = new FinalizationRegistry<HeldPart>((hold) => {
    if (!hold.isReleased) this.log.holdLost(hold);
  });
  #isSweeping = false;
  #tasks = 0;

  constructor(parts: {
    readonly name: string;
    readonly clock: Clock;
    readonly log: LockLog;
    /** How often long holds are looked for. */
    readonly sweepMs: number;
  }) {
    this.name = parts.name;
    this.clock = parts.clock;
    this.order = new OrderGraph({ clock: parts.clock });
    this.log = parts.log;
    this.deadlines = new Deadlines(parts.clock);
    this.#sweepMs = parts.sweepMs;
  }

  /** What the caller holds: what it inherited, and what it says it does. */
  frameFor(options: WaitOptions | undefined): Frame | undefined {
    const current = this.frames.current();
    const holding = options?.holding;
    if (holding === undefined) return current;
    const holds = holdsOf(holding).map(recordOf);
    let frame = current;
    for (const hold of holds) {
      this.#assertOwn(hold);
      const outer: Frame | undefined = frame ?? hold.outer;
      if (!hold.isReleased && !heldIn(outer).includes(hold)) frame = this.frameWith(hold, outer);
    }
    return frame;
  }

  /** The frame in which a hold is held as well. */
  frameWith(hold: HeldPart, outer: Frame | undefined, below?: (...args: never[]) => unknown): Frame {
    const before = this.chainOf(outer);
    const chain = hold.core.reentryOf === undefined ? this.order.push(before, linkOf(hold)) : before;
    hold.chain = chain;
    // Where no chain could be kept, many share one.
    if (chain.site === undefined && below !== undefined && chain.depth > 0)
      chain.site = hold.site ?? new Site(below);
    return {
      parent: outer,
      hold,
      chain,
      task: outer?.task,
      taskId: outer === undefined ? (this.#tasks += 1) : outer.taskId,
      transaction: outer?.transaction,
      guards: undefined,
      owner: this.frames,
      others: undefined,
    };
  }

  /** A frame below `outer`, with its own where given. */
  frame(outer: Frame | undefined, own: Pick<Partial<Frame>, "hold" | "task" | "transaction">): Frame {
    return {
      parent: outer,
      hold: own.hold,
      chain: this.chainOf(outer),
      task: own.task ?? outer?.task,
      taskId: outer?.taskId ?? (this.#tasks += 1),
      transaction: own.transaction ?? outer?.transaction,
      guards: undefined,
      owner: this.frames,
      others: undefined,
    };
  }

  chainOf(frame: Frame | undefined): Chain {
    if (frame === undefined) return this.order.root;
    if (!hasGaps(frame)) return frame.chain;
    return this.chainOfHolds(heldIn(frame).filter((hold) => hold.core.reentryOf === undefined));
  }

  /** @param holds outermost first */
  chainOfHolds(holds: readonly HeldPart[]): Chain {
    return holds.reduce((chain, hold) => this.order.push(chain, linkOf(hold)), this.order.root);
  }

  /** @throws the error, where findings are thrown */
  found(lockClass: LockClassState, kind: "level" | "order", error: Error): void {
    this.#keep({ kind, lock: lockClass.name, message: error.message });
    lockClass.metrics.findings += 1;
    const { onFinding } = lockClass.settings;
    if (onFinding === "throw") throw error;
    if (onFinding === "warn") this.log.finding({ kind, message: error.message });
  }

  /**
   * The class has a further lock, so holding one of it keeps nobody out for certain. What comes to light by that is never thrown: whoever
   * makes a lock has taken none in the wrong order.
   */
  another(lockClass: LockClassState): void {
    const finding = lockClass.checksOrder ? this.order.sawMany(lockClass) : undefined;
    if (finding === undefined) return;
    const message = `${finding.message()}\n  There are several locks named ${lockClass.name} by now, so it keeps nobody apart.`;
    if (finding.isNote) {
      this.noted(lockClass, message);
      return;
    }
    this.#keep({ kind: "order", lock: lockClass.name, message });
    lockClass.metrics.findings += 1;
    if (lockClass.settings.onFinding !== "collect") this.log.finding({ kind: "order", message });
  }

  /** A hold for a caller who gives no body: what it does below is guessed from the frame that it called in. */
  guard(hold: HeldPart): Hold {
    const guard = new GuardHold(hold);
    hold.guard = guard;
    if (hold.outer !== undefined) {
      this.hasGuards = true;
      const guards = hold.outer.guards?.filter((other) => !other.isReleased) ?? [];
      hold.outer.guards = [...guards, hold];
    }
    return guard;
  }

  noted(lockClass: LockClassState, message: string): void {
    this.#keep({ kind: "note", lock: lockClass.name, message });
  }

  guessed(lockClass: LockClassState, message: string): void {
    this.#keep({ kind: "note", lock: lockClass.name, message });
    if (lockClass.settings.onFinding !== "collect") this.log.finding({ kind: "note", message });
  }

  stalled(waiter: WaiterPart, cycle: readonly string[]): void {
    const message = `Deadlock until somebody gives up:\n${cycle.map((line) => `  ${line}`).join("\n")}`;
    this.#keep({ kind: "stall", lock: waiter.core.label, message });
    this.log.finding({ kind: "stall", message }, waiter);
  }

  enter(waiter: WaiterPart): void {
    if (waiter.frame === undefined) return;
    if (waiter.frame.transaction !== undefined) waiter.frame.transaction.waiting = waiter;
    if (!waiter.core.lockClass.checksWaits) return;
    for (const hold of heldIn(waiter.frame)) (hold.waiters ??= new Set()).add(waiter);
  }

  leave(waiter: WaiterPart): void {
    if (waiter.frame === undefined) return;
    if (waiter.frame.transaction !== undefined) waiter.frame.transaction.waiting = undefined;
    for (let outer: Frame | undefined = waiter.frame; outer !== undefined; outer = outer.parent)
      outer.hold?.waiters?.delete(waiter);
  }

  link(core: LockPart): void {
    const first = this.firstCore;
    core.next = first;
    if (first !== undefined) first.previous = core;
    this.firstCore = core;
    if (!this.#isSweeping) this.#sweepLater();
  }

  unlink(core: LockPart): void {
    if (core.previous === undefined) this.firstCore = core.next;
    else core.previous.next = core.next;
    if (core.next !== undefined) core.next.previous = core.previous;
    core.next = undefined;
    core.previous = undefined;
  }

  /** Tasks that hold it, with their sites, for messages. */
  holdersOf(core: LockPart): readonly string[] {
    const names: string[] = [];
    for (let hold = core.firstHold; hold !== undefined && names.length < holdersNamedMax; hold = hold.next) {
      const site = siteOf(hold);
      names.push(`${taskOf(hold.outer)}${site === undefined ? "" : ` ${site.here}`}`);
    }
    return names;
  }

  /** Whether a lock is held or waited for. A latch that is still closed is not held by anybody. */
  get isInUse(): boolean {
    for (let core = this.firstCore; core !== undefined; core = core.next)
      if (!core.lockClass.isLatch || core.queue.size > 0) return true;
    return false;
  }

  /** Classes of two domains have the same numbers; mixed up, findings would name locks that have nothing to do with each other. */
  #assertOwn(hold: HeldPart): void {
    if (hold.core.log !== this.log)
      throw new HoldError(
        `Cannot acquire below ${hold.lock}: it is a lock of another domain than ${this.name}`,
      );
  }

  #keep(finding: Finding): void {
    if (this.findings.length < findingsMax) this.findings.push(finding);
    else this.findingsDropped += 1;
  }

  /** Holds that are kept for too long are told so; a timer for each would cost more than the lock. */
  #sweepLater(): void {
    this.#isSweeping = true;
    this.clock.after(
      this.#sweepMs,
      () => {
        this.#isSweeping = false;
        if (this.firstCore === undefined) return;
        this.#sweep(this.clock.monotonicMs());
        this.#sweepLater();
      },
      false,
    );
  }

  #sweep(nowMs: number): void {
    for (let core = this.firstCore; core !== undefined; core = core.next) {
      const { holdWarnMs } = core.lockClass.settings;
      for (let hold = core.firstHold; hold !== undefined; hold = hold.next) {
        if (hold.guard !== undefined) {
          this.#collected.register(hold.guard, hold);
          hold.guard = undefined;
        }
        hold.seenMs ??= hold.sinceMs ?? nowMs;
        if (hold.isOverdue || nowMs - hold.seenMs < holdWarnMs) continue;
        hold.overdue();
        this.log.holdOverdue(hold, { heldMs: nowMs - hold.seenMs, limitMs: holdWarnMs });
      }
    }
  }
}

function linkOf({ core, mode, isTry, weight }: HeldPart): Link {
  return { lockClass: core.lockClass, mode, isTry, weight: weightOf(core, weight) };
}

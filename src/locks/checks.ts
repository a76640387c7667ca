import { LockLevelError, LockOrderError, SelfDeadlockError } from "./errors.js";
import { heldIn, taskOf } from "./frame.js";
import { Guesses } from "./guesses.js";
import type { LockClassState } from "./lock-class.js";
import type { Chain, OrderGraph, OrderHold } from "./order/index.js";
import type { Frame, HeldPart, LockPart, WaiterPart, Wanted } from "./parts.js";
import { Site } from "./site.js";
import { findDeadlock } from "./wait-graph.js";

/** What the checks need of a domain. */
export interface CheckedDomain {
  readonly order: OrderGraph;
  chainOf(frame: Frame | undefined): Chain;
  chainOfHolds(holds: readonly HeldPart[]): Chain;
  /** @throws the error, where findings are thrown */
  found(lockClass: LockClassState, kind: "level" | "order", error: Error): void;
  noted(lockClass: LockClassState, message: string): void;
  /** Never thrown. */
  guessed(lockClass: LockClassState, message: string): void;
  /** Whether anything was ever taken by `acquire` within a frame. */
  readonly hasGuards: boolean;
  stalled(waiter: WaiterPart, cycle: readonly string[]): void;
}

/** Everything that is looked at before a lock is waited for, by what the caller's frame says that it holds. */
export class Checks {
  readonly #domain: CheckedDomain;
  #guesses: Guesses | undefined;

  constructor(domain: CheckedDomain) {
    this.#domain = domain;
  }

  /**
   * @returns where to acquire instead, for a re-entrant lock that the caller holds
   * @throws SelfDeadlockError, LockLevelError, LockOrderError, LockWoundedError
   */
  before(core: LockPart, wanted: Wanted, frame: Frame): LockPart | undefined {
    frame.transaction?.assertHealthy(core.label);
    // Below its own hold a lock is taken again in whatever order: nobody else can be between.
    if (core.reentryOf !== undefined) return undefined;
    const inner = this.inner(core, frame);
    if (inner !== undefined) return inner;
    const own = ownHolds(core, frame);
    if (own.length > 0) this.#notItself(core, wanted, own);
    if (core.lockClass.level !== undefined) this.#upwards(core, wanted, frame);
    if (core.lockClass.checksOrder && frame.transaction === undefined) this.#inOrder(core, wanted, frame);
    if (this.#domain.hasGuards) this.#guess(core, wanted, frame);
    return undefined;
  }

  /** Where those below the caller's own hold of a re-entrant lock take it again. */
  inner(core: LockPart, frame: Frame): LockPart | undefined {
    if (!core.lockClass.settings.isReentrant || core.reentryOf !== undefined) return undefined;
    const [own] = ownHolds(core, frame);
    return own?.core.innerOf(own);
  }

  /**
   * For a hold that is about to be had again, or as the writer's: it has a place among the holds, and what matters is what else is held.
   *
   * @throws LockOrderError
   */
  again(core: LockPart, wanted: Wanted, frame: Frame, hold: HeldPart): void {
    if (!core.lockClass.checksOrder || frame.transaction !== undefined) return;
    const others = heldIn(frame).filter((other) => other !== hold && other.core.reentryOf === undefined);
    if (others.length === 0) return;
    this.#judge(core, wanted, frame, { held: others, chain: this.#domain.chainOfHolds(others) });
  }

  /** Called when it stands in line: the cycle that it closed, if it is certain that nobody in it will ever move. */
  waiting(waiter: WaiterPart): readonly string[] | undefined {
    const found = findDeadlock(waiter);
    if (found === undefined) return undefined;
    const lines = found.cycle.map(describe);
    if (!found.isCertain) {
      this.#domain.stalled(waiter, lines);
      return undefined;
    }
    return lines;
  }

  /**
   * For several permits at once with nothing held. Whoever wants one waits behind it, so from now on the lock runs out of permits with fewer
   * holders than it has permits, which only the order's graph can judge.
   */
  heavy(core: LockPart, wanted: Wanted): void {
    this.#inOrder(core, wanted, undefined);
  }

  #notItself(core: LockPart, { mode, weight, below }: Wanted, own: readonly HeldPart[]): void {
    const held = own.reduce((sum, hold) => sum + hold.weight, 0);
    const isExclusive = own.some((hold) => hold.mode === "exclusive");
    if (core.lockClass.isLatch)
      throw new SelfDeadlockError(
        core.label,
        "the caller runs in its openAfter, which opens it only at the end",
        siteOf(own.at(-1)),
        new Site(below),
      );
    if (core.lockClass.kind === "read-write") {
      if (mode === "shared" && !isExclusive) return;
      const what = isExclusive
        ? "the caller writes already"
        : "the caller reads already; use upgrade() on its hold";
      throw new SelfDeadlockError(core.label, what, siteOf(own.at(-1)), new Site(below));
    }
    if (held + weight <= core.permits) return;
    const what =
      core.permits === 1
        ? "the caller holds it already"
        : `the caller holds ${held} of its ${core.permits} permits`;
    throw new SelfDeadlockError(core.label, what, siteOf(own.at(-1)), new Site(below));
  }

  #upwards(core: LockPart, { below }: Wanted, frame: Frame): void {
    const { level, compare, levelName } = core.lockClass;
    for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent) {
      const { hold } = outer;
      if (hold === undefined || hold.isReleased || hold.core === core) continue;
      const other = hold.core.lockClass;
      if (other.level === undefined || level === undefined || other.level < level) continue;
      const mayNest =
        other === core.lockClass && compare !== undefined && compare(hold.core.key, core.key) < 0;
      if (other.level === level && mayNest) continue;
      const error = new LockLevelError(
        core.label,
        levelName ?? String(level),
        `${hold.lock} (level ${other.levelName ?? other.level})`,
        {
          held: siteOf(hold),
          wanted: new Site(below),
        },
      );
      this.#domain.found(core.lockClass, "level", error);
      return;
    }
  }

  #inOrder(core: LockPart, wanted: Wanted, frame: Frame | undefined): void {
    const { order } = this.#domain;
    const chain = this.#domain.chainOf(frame);
    const weight = weightOf(core, wanted.weight);
    const step = { lockClass: core.lockClass, mode: wanted.mode, weight };
    if (order.isValidated(chain, step, isTimed(wanted))) return;
    const held = heldIn(frame).filter((hold) => hold.core.reentryOf === undefined);
    this.#judge(core, wanted, frame, { held, chain });
  }

  #judge(
    core: LockPart,
    wanted: Wanted,
    frame: Frame | undefined,
    { held, chain }: { readonly held: readonly HeldPart[]; readonly chain: Chain },
  ): void {
    const holds = held.map(asOrderHold);
    const asked = orderHoldOf(core, wanted, new Site(wanted.below));
    const context = { task: taskOf(frame), isTimed: isTimed(wanted) };
    const finding = this.#domain.order.check(chain, holds, asked, context);
    this.#guesses?.see(holds, asked, context);
    if (finding === undefined) return;
    if (finding.isNote) this.#domain.noted(core.lockClass, finding.message());
    else this.#domain.found(core.lockClass, "order", new LockOrderError(finding.message()));
  }

  #guess(core: LockPart, wanted: Wanted, frame: Frame): void {
    if (!hasGuards(frame)) return;
    this.#guesses ??= new Guesses(this.#domain.order);
    const lines = this.#guesses.about(core, wanted, frame, {
      asOrderHold,
      wanted: orderHoldOf(core, wanted, new Site(wanted.below)),
      isTimed: isTimed(wanted),
    });
    for (const line of lines)
      this.#domain.guessed(core.lockClass, `${taskOf(frame)}, as far as can be guessed: ${line}`);
  }
}

/** Whether the wait ends by itself. */
function isTimed({ options }: Wanted): boolean {
  return (options?.waitMs ?? Number.POSITIVE_INFINITY) !== Number.POSITIVE_INFINITY;
}

/** What the caller holds of this lock, innermost first; for a re-entrant one also its inner queues. */
function ownHolds(core: LockPart, frame: Frame): readonly HeldPart[] {
  let own: HeldPart[] | undefined;
  for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent) {
    const { hold } = outer;
    if (hold === undefined || hold.isReleased) continue;
    if (hold.core === core || hold.core.reentryOf === core) (own ??= []).push(hold);
  }
  return own ?? none;
}

const none: readonly HeldPart[] = [];

function asOrderHold(hold: HeldPart): OrderHold {
  const { core, mode, isTry } = hold;
  const weight = weightOf(core, hold.weight);
  return { lockClass: core.lockClass, lock: core, key: core.key, mode, weight, isTry, site: siteOf(hold) };
}

function orderHoldOf(core: LockPart, { mode, weight: given }: Wanted, site: Site): OrderHold {
  const weight = weightOf(core, given);
  return { lockClass: core.lockClass, lock: core, key: core.key, mode, weight, isTry: false, site };
}

/** A writer takes all permits of a read-write lock; that is no weight. */
export function weightOf({ lockClass }: LockPart, weight: number): number {
  return lockClass.kind === "semaphore" ? weight : 1;
}

/** Its own where it was taken down, else where the same was first acquired with the same held. */
export function siteOf(hold: HeldPart | undefined): Site | undefined {
  return hold?.site ?? hold?.chain?.site;
}

function describe(waiter: WaiterPart): string {
  const held = heldIn(waiter.frame).map((hold) => `${hold.lock}${placeOf(siteOf(hold))}`);
  const holds = held.length === 0 ? "nothing" : held.join(", ");
  return `${taskOf(waiter.frame)} holds ${holds}; waits for ${waiter.core.label}${waiter.mode === "shared" ? " (to read)" : ""}${placeOf(waiter.site)}`;
}

function placeOf(site: Site | undefined): string {
  return site === undefined ? "" : ` ${site.here}`;
}

function hasGuards(frame: Frame): boolean {
  for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent)
    if (outer.guards?.some((hold) => !hold.isReleased) === true) return true;
  return false;
}

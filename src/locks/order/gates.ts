import type { LockClass } from "../kinds.js";
import { type Evidence, type HoldFact, leastHeld } from "./evidence.js";

/** What is known of the classes beyond what they declare. */
export interface ClassFacts {
  /** More than one lock of the class was seen, so two holds of it need not exclude one another. */
  hasMany(lockClass: LockClass): boolean;
  /** Somebody took several permits at once, so fewer holders exhaust it than it has permits. */
  hasWeights(lockClass: LockClass): boolean;
}

/** The class whose one lock keeps the two from being where the evidence saw them at the same time. */
export function gateBetween(one: Evidence, other: Evidence, facts: ClassFacts): LockClass | undefined {
  for (const hold of one.held)
    for (const another of other.held)
      if (hold.lockClass.id === another.lockClass.id && isExcluding(hold, another, facts))
        return hold.lockClass;
  return undefined;
}

function isExcluding(hold: HoldFact, another: HoldFact, facts: ClassFacts): boolean {
  if (hold.mode === "shared" && another.mode === "shared") return false;
  return hold.lockClass.permits === 1 && !facts.hasMany(hold.lockClass);
}

/** What keeps the newcomer from being there beside all the others: a lock that one of them has, or permits that all of them use up. */
export function gateAmong(
  others: readonly Evidence[],
  newcomer: Evidence,
  facts: ClassFacts,
): LockClass | undefined {
  for (const other of others) {
    const gate = gateBetween(other, newcomer, facts);
    if (gate !== undefined) return gate;
  }
  return newcomer.held.find(({ lockClass }) => isUsedUp(lockClass, [...others, newcomer], facts))?.lockClass;
}

function isUsedUp(lockClass: LockClass, all: readonly Evidence[], facts: ClassFacts): boolean {
  if (lockClass.permits === 1 || facts.hasMany(lockClass)) return false;
  return all.reduce((sum, { held }) => sum + leastHeld(held, lockClass), 0) > lockClass.permits;
}

/** Steps of one attempt to fill; past them it is taken to be possible. */
const stepsMax = 5_000;

/**
 * How many more tasks, all at once and beside those already chosen, it takes where some of the candidates were until as many permits as are
 * missing are gone too; one candidate may stand for many. Undefined if they can't. A permit that is to be missing for ever needs a holder that
 * is stuck as well, and the candidates are all that were seen to hold one and want something.
 */
export function fillersFor(
  { lockClass, missing }: { readonly lockClass: LockClass; readonly missing: number },
  candidates: readonly Evidence[],
  chosen: readonly Evidence[],
  facts: ClassFacts,
): number | undefined {
  // Of several locks of the class a task may hold one each.
  const isSole = !facts.hasMany(lockClass);
  let steps = 0;
  const fill = (left: number, first: number, all: readonly Evidence[]): number | undefined => {
    const added = all.length - chosen.length;
    if (left <= 0) return added;
    if ((steps += 1) > stepsMax) return added + left;
    for (let index = first; index < candidates.length; index += 1) {
      const candidate = candidates[index]!;
      if (gateAmong(all, candidate, facts) !== undefined) continue;
      const held = isSole ? Math.max(1, leastHeld(candidate.held, lockClass)) : 1;
      const found = fill(left - held, index, [...all, candidate]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return fill(missing, 0, chosen);
}

/** Holders of `heldWeight` that it takes until nobody gets `wantedWeight` more. */
export function holdersNeeded(permits: number, heldWeight: number, wantedWeight: number): number {
  return Math.floor((permits - wantedWeight) / heldWeight) + 1;
}

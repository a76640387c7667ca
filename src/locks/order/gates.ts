import type { LockClass } from "../kinds.js";
import type { Evidence, HoldFact } from "./evidence.js";

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
  return newcomer.held.find(({ lockClass }) => isUsedUp(lockClass, others, facts))?.lockClass;
}

function isUsedUp(lockClass: LockClass, others: readonly Evidence[], facts: ClassFacts): boolean {
  const { id, permits } = lockClass;
  if (permits === 1 || permits > others.length || facts.hasMany(lockClass)) return false;
  // Each counts for one permit, since lighter ones than those kept may have been seen.
  return others.filter(({ held }) => held.some((hold) => hold.lockClass.id === id)).length >= permits;
}

/** Steps of one attempt to fill; past them it is taken to be possible. */
const stepsMax = 5_000;

/**
 * Whether `count` more tasks can be where some of the candidates were, all at once and beside those already chosen; one candidate may stand for
 * many. A permit that is to be missing for ever needs a holder that is stuck too, and the candidates are all that were seen to hold one and want
 * something.
 */
export function canFill(
  count: number,
  candidates: readonly Evidence[],
  chosen: readonly Evidence[],
  facts: ClassFacts,
): boolean {
  let steps = 0;
  const fill = (left: number, first: number, all: readonly Evidence[]): boolean => {
    if (left <= 0 || (steps += 1) > stepsMax) return true;
    for (let index = first; index < candidates.length; index += 1) {
      const candidate = candidates[index]!;
      if (gateAmong(all, candidate, facts) === undefined && fill(left - 1, index, [...all, candidate]))
        return true;
    }
    return false;
  };
  return fill(count, 0, chosen);
}

/** Holders of `heldWeight` that it takes until nobody gets `wantedWeight` more. */
export function holdersNeeded(permits: number, heldWeight: number, wantedWeight: number): number {
  return Math.floor((permits - wantedWeight) / heldWeight) + 1;
}

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

/** The first gate between the newcomer and any of the others. */
export function gateAmong(
  others: readonly Evidence[],
  newcomer: Evidence,
  facts: ClassFacts,
): LockClass | undefined {
  for (const other of others) {
    const gate = gateBetween(other, newcomer, facts);
    if (gate !== undefined) return gate;
  }
  return undefined;
}

/**
 * Whether `count` more tasks can be where some of the candidates were, all at once and beside those already chosen. A permit that is to
 * be missing for ever needs a holder that is stuck too; the candidates are all that were seen to hold one and want something.
 */
export function canFill(
  count: number,
  candidates: readonly Evidence[],
  chosen: readonly Evidence[],
  facts: ClassFacts,
): boolean {
  if (count <= 0) return true;
  for (let index = 0; index < candidates.length; index += 1) {
    const candidate = candidates[index]!;
    if (gateAmong(chosen, candidate, facts) !== undefined) continue;
    // One that does not exclude itself stands for any number of tasks.
    if (gateBetween(candidate, candidate, facts) === undefined) return true;
    if (canFill(count - 1, candidates.slice(index + 1), [...chosen, candidate], facts)) return true;
  }
  return false;
}

/** Holders of `heldWeight` that it takes until nobody gets `wantedWeight` more. */
export function holdersNeeded(permits: number, heldWeight: number, wantedWeight: number): number {
  return Math.floor((permits - wantedWeight) / heldWeight) + 1;
}

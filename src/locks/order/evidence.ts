import type { LockClass, Mode } from "../kinds.js";
import { leastOf } from "./sizes.js";

/** Where something was acquired: a `Site`, or what is left of one in an export. */
export interface Place {
  readonly frames: readonly string[];
  readonly here: string;
}

/** One lock as the graph is told of it. */
export interface OrderHold {
  readonly lockClass: LockClass;
  /** The instance; only compared. */
  readonly lock: object;
  readonly key: unknown;
  readonly mode: Mode;
  readonly weight: number;
  readonly isTry: boolean;
  readonly site: Place | undefined;
}

/** A hold without its instance: what evidence keeps, since instances must not be kept alive. */
export type HoldFact = Pick<OrderHold, "lockClass" | "mode" | "weight" | "isTry" | "site">;

/** One acquisition that was seen: what a task held, outermost first, when it wanted something. Shared by all edges that it proves. */
export interface Evidence {
  readonly held: readonly HoldFact[];
  readonly wanted: HoldFact;
  readonly task: string;
  /** The wait ends by itself, so what it takes part in comes loose again. */
  readonly isTimed: boolean;
}

export function factOf({ lockClass, mode, weight, isTry, site }: OrderHold): HoldFact {
  return { lockClass, mode, weight, isTry, site };
}

/** Whether `one` can take part in every deadlock in which `other` can, so that `other` need not be kept. */
export function dominates(one: Evidence, other: Evidence, sourceClassId: number): boolean {
  if (one.isTimed && !other.isTimed) return false;
  if (one.wanted.mode !== other.wanted.mode || one.wanted.weight < other.wanted.weight) return false;
  const source = sourceOf(one, sourceClassId);
  const otherSource = sourceOf(other, sourceClassId);
  if (source?.mode !== otherSource?.mode) return false;
  // Whoever holds more of the source leaves less of it, and whoever holds less keeps fewer others out.
  const { lockClass } = source ?? one.wanted;
  if (leastHeld(one.held, lockClass) !== leastHeld(other.held, lockClass)) return false;
  return one.held.every(
    (hold) =>
      excludesAsMuch(other.held, hold) &&
      leastHeld(other.held, hold.lockClass) >= leastHeld(one.held, hold.lockClass),
  );
}

/** The innermost hold of the class. */
export function sourceOf(evidence: Evidence, classId: number): HoldFact | undefined {
  return evidence.held.findLast((hold) => hold.lockClass.id === classId);
}

/** Permits of the class that are held at least by everybody for whom these holds stand. */
export function leastHeld(held: readonly HoldFact[], { id }: LockClass): number {
  let least = 0;
  for (const { lockClass, weight } of held) if (lockClass.id === id) least += leastOf(weight, lockClass);
  return least;
}

function excludesAsMuch(held: readonly HoldFact[], hold: HoldFact): boolean {
  return held.some(
    (other) =>
      other.lockClass.id === hold.lockClass.id && (other.mode === hold.mode || other.mode === "exclusive"),
  );
}

import { type Evidence, factOf, type OrderHold } from "./evidence.js";
import { edgeBetween, OrderFinding, type OrderSeverity, queuedWriter } from "./finding.js";
import { type ClassFacts, canFill, holdersNeeded } from "./gates.js";

/** What is wrong with wanting a lock while another of its class, or itself, is held. */
export interface Nesting {
  readonly kind: "same-class" | "nested-self";
  readonly hold: OrderHold;
  /** `always`: it hangs, or breaks the declared order, whoever else is there. */
  readonly verdict: "certain" | "always" | "together";
  /** Tasks that must do the same at once. */
  readonly tasks: number;
}

/** @param held outermost first */
export function nestingOf(held: readonly OrderHold[], wanted: OrderHold): Nesting | undefined {
  let found: Nesting | undefined;
  for (const hold of held) {
    if (hold.lockClass !== wanted.lockClass) continue;
    const nesting = hold.lock === wanted.lock ? itself(held, hold, wanted) : sibling(hold, wanted);
    if (nesting !== undefined && (found === undefined || nesting.verdict === "certain")) found = nesting;
  }
  return found;
}

function itself(held: readonly OrderHold[], hold: OrderHold, wanted: OrderHold): Nesting | undefined {
  const { lockClass, mode, weight } = wanted;
  const isReading = hold.mode === "shared" && mode === "shared";
  if (isReading && lockClass.isReaderPreferring) return undefined;
  if (isReading) return { kind: "nested-self", hold, verdict: "always", tasks: 2 };
  const own = held.reduce((sum, one) => (one.lock === wanted.lock ? sum + one.weight : sum), 0);
  const tasks = lockClass.permits === 1 ? 1 : holdersNeeded(lockClass.permits, own, weight);
  return { kind: "nested-self", hold, verdict: tasks <= 1 ? "certain" : "together", tasks };
}

function sibling(hold: OrderHold, wanted: OrderHold): Nesting | undefined {
  const { lockClass } = wanted;
  const { compare } = lockClass;
  if (compare !== undefined)
    return compare(hold.key, wanted.key) < 0
      ? undefined
      : { kind: "same-class", hold, verdict: "always", tasks: 2 };
  if (lockClass.isReaderPreferring && hold.mode === "shared" && wanted.mode === "shared") return undefined;
  const each =
    lockClass.permits === 1 ? 1 : Math.max(1, holdersNeeded(lockClass.permits, hold.weight, wanted.weight));
  return { kind: "same-class", hold, verdict: "together", tasks: 2 * each };
}

/**
 * @param seen all that was ever seen nested this way, the present one included
 * @param stuck others that hold the class and want something else
 */
export function nestingFinding(
  { kind, hold, verdict, tasks }: Nesting,
  evidence: Evidence,
  others: {
    readonly seen: readonly Evidence[];
    readonly stuck: readonly Evidence[];
    readonly facts: ClassFacts;
  },
): OrderFinding {
  const { lockClass } = hold;
  const isOpen =
    verdict !== "together" ||
    others.facts.hasWeights(lockClass) ||
    canFill(tasks - 1, [...others.seen, ...others.stuck], [evidence], others.facts);
  let severity: OrderSeverity = isOpen ? (verdict === "certain" ? "certain" : "feasible") : "gated";
  if (isOpen && evidence.isTimed) severity = "stall";
  const isReading =
    hold.mode === "shared" && evidence.wanted.mode === "shared" && !lockClass.isReaderPreferring;
  const gate = evidence.held.find(
    (one) => one.lockClass !== lockClass && one.mode === "exclusive" && one.lockClass.permits === 1,
  );
  return new OrderFinding({
    kind,
    severity,
    edges: [edgeBetween(factOf(hold), evidence.wanted, evidence.task)],
    remark: remarkOf(hold, evidence, isReading),
    gatedBy: severity === "gated" ? gate?.lockClass.name : undefined,
    needs: lockClass.permits > 1 && tasks > 1 ? tasks : undefined,
  });
}

function remarkOf(
  { lockClass, lock, key }: OrderHold,
  { wanted }: Evidence,
  isReading: boolean,
): string | undefined {
  if (
    lockClass.compare !== undefined &&
    wanted.lockClass === lockClass &&
    lock !== undefined &&
    key !== undefined
  )
    return `The order of ${lockClass.name} wants them ascending; the one held was ${String(key)}.`;
  return isReading ? queuedWriter(lockClass.name) : undefined;
}

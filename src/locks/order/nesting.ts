import { type Evidence, factOf, type HoldFact, type OrderHold } from "./evidence.js";
import { edgeBetween, OrderFinding, type OrderSeverity, queuedWriter } from "./finding.js";
import { type ClassFacts, fillersFor, holdersNeeded } from "./gates.js";

/** What is wrong with wanting a lock while another of its class, or itself, is held. */
export interface Nesting {
  readonly kind: "same-class" | "nested-self";
  readonly hold: HoldFact;
  readonly remark: string | undefined;
  /**
   * `certain`: the task waits for itself. `always`: it can hang, or breaks the declared order, whatever else is held. `together`: it takes several
   * tasks that do so at once.
   */
  readonly verdict: "certain" | "always" | "together";
  readonly tasks: number;
  /** Permits that must be gone beside those that the task itself holds. */
  readonly missing: number;
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
  const base = { kind: "nested-self", hold: factOf(hold), remark: undefined } as const;
  if (isReading)
    return { ...base, remark: queuedWriter(lockClass.name), verdict: "always", tasks: 2, missing: 0 };
  const own = held.reduce((sum, one) => (one.lock === wanted.lock ? sum + one.weight : sum), 0);
  const tasks = lockClass.permits === 1 ? 1 : holdersNeeded(lockClass.permits, own, weight);
  return {
    ...base,
    verdict: tasks <= 1 ? "certain" : "together",
    tasks,
    missing: lockClass.permits - weight + 1 - own,
  };
}

function sibling(hold: OrderHold, wanted: OrderHold): Nesting | undefined {
  const { lockClass, mode, weight } = wanted;
  const { name, compare, permits } = lockClass;
  const isReading = hold.mode === "shared" && mode === "shared";
  const base = { kind: "same-class", hold: factOf(hold) } as const;
  if (compare !== undefined) {
    if (compare(hold.key, wanted.key) < 0) return undefined;
    const remark = `${name} declares an order, in which ${String(wanted.key)} does not come after ${String(hold.key)}, which is held.`;
    return { ...base, remark, verdict: "always", tasks: 2, missing: 0 };
  }
  if (lockClass.isReaderPreferring && isReading) return undefined;
  const each = permits === 1 ? 1 : Math.max(1, holdersNeeded(permits, hold.weight, weight));
  return {
    ...base,
    remark: isReading ? queuedWriter(name) : undefined,
    verdict: "together",
    tasks: 2 * each,
    missing: 2 * each - 1,
  };
}

/** @param others.stuck all that was ever seen to hold the class and want something, the present one included */
export function nestingFinding(
  { kind, hold, remark, verdict, tasks, missing }: Nesting,
  evidence: Evidence,
  others: { readonly stuck: readonly Evidence[]; readonly facts: ClassFacts },
): OrderFinding {
  const { lockClass } = hold;
  const isOpen =
    verdict !== "together" ||
    others.facts.hasWeights(lockClass) ||
    fillersFor({ lockClass, missing }, others.stuck, [evidence], others.facts) !== undefined;
  const gate = evidence.held.find((one) => one.lockClass !== lockClass && one.mode === "exclusive");
  return new OrderFinding({
    kind,
    severity: severityOf(verdict, isOpen, evidence),
    edges: [edgeBetween(hold, evidence.wanted, evidence.task)],
    remark,
    gatedBy: isOpen ? undefined : gate?.lockClass.name,
    needs: lockClass.permits > 1 && tasks > 1 ? tasks : undefined,
  });
}

function severityOf(verdict: Nesting["verdict"], isOpen: boolean, { isTimed }: Evidence): OrderSeverity {
  if (!isOpen) return "gated";
  if (isTimed) return "stall";
  return verdict === "certain" ? "certain" : "feasible";
}

import type { Mode } from "../kinds.js";
import type { Cycle } from "./cycles.js";
import { type Evidence, type HoldFact, type Place, sourceOf } from "./evidence.js";

export type OrderSeverity = "certain" | "feasible" | "gated" | "stall";

/** "The task held `from` and wanted `to`." */
export interface OrderEdge {
  readonly from: string;
  readonly to: string;
  readonly modes: { readonly held: Mode; readonly wanted: Mode };
  readonly heldSite: Place | undefined;
  readonly wantedSite: Place | undefined;
  readonly task: string;
}

interface FindingParts {
  readonly kind: OrderFinding["kind"];
  readonly severity: OrderSeverity;
  readonly edges: readonly OrderEdge[];
  readonly remark: string | undefined;
  readonly gatedBy?: string | undefined;
  readonly needs?: number | undefined;
}

/** Something that can hang, or would but for a gate. */
export class OrderFinding {
  readonly kind: "order" | "same-class" | "nested-self";
  /**
   * `certain`: it hangs here and now. `feasible`: tasks that come together badly hang. `stall`: they hang until somebody's wait is over.
   * `gated`: they never come together as long as the gate is there; for information.
   */
  readonly severity: OrderSeverity;
  /** Names of the classes, each with how it was held. */
  readonly cycle: readonly { readonly name: string; readonly mode: Mode }[];
  readonly edges: readonly OrderEdge[];
  /** The lock that keeps them apart. */
  readonly gatedBy: string | undefined;
  /** Tasks that must come together, where a lock with several permits makes that more than there are edges. */
  readonly needs: number | undefined;
  readonly #remark: string | undefined;

  constructor({ kind, severity, edges, remark, gatedBy, needs }: FindingParts) {
    this.kind = kind;
    this.severity = severity;
    this.edges = edges;
    this.cycle = edges.map(({ from, modes }) => ({ name: from, mode: modes.held }));
    this.gatedBy = gatedBy;
    this.needs = needs;
    this.#remark = remark;
  }

  /** Whether nothing hangs for ever as things are. */
  get isNote(): boolean {
    return this.severity === "gated" || this.severity === "stall";
  }

  /** For a person: what is wrong, and for each edge who did what where. */
  message(): string {
    const lines = [this.#headline()];
    for (const { from, to, modes, task, heldSite, wantedSite } of this.edges)
      lines.push(
        `  ${task} ${modes.held === "shared" ? "read" : "held"} ${from}, taken ${placed(heldSite)}`,
        `    and wanted ${to}${modes.wanted === "shared" ? " (to read)" : ""}`,
        ...(wantedSite?.frames ?? ["at an unknown place"]).map((frame) => `      ${frame}`),
      );
    if (this.#remark !== undefined) lines.push(`  ${this.#remark}`);
    return lines.join("\n");
  }

  #headline(): string {
    const round = [...this.edges.map(({ from }) => from), this.edges[0]?.from].join(" → ");
    const needs = this.needs === undefined ? "" : ` (takes ${this.needs} tasks at once)`;
    if (this.kind === "nested-self")
      return this.severity === "certain"
        ? `The task waits for itself: it wants ${this.edges[0]?.from} again while it holds it`
        : `A task can come to wait for itself: ${round}${needs}`;
    if (this.kind === "same-class")
      return `Locks of one class are nested without an order that allows it: ${round}${needs}`;
    if (this.severity === "gated")
      return `Locks are taken in opposite orders, kept apart by ${this.gatedBy ?? "another lock"}: ${round}`;
    if (this.severity === "stall")
      return `Locks are taken in opposite orders, until a wait is over: ${round}${needs}`;
    return `Locks are taken in opposite orders, which can deadlock: ${round}${needs}`;
  }
}

export function cycleFinding({ edges, evidence, severity, gate, tasks }: Cycle): OrderFinding {
  const parts = edges.map((edge, index) => orderEdge(edge.from >> 1, evidence[index]!));
  const waits = parts.findIndex((part, index) => {
    const before = parts.at(index - 1)!;
    return part.modes.held === "shared" && before.modes.wanted === "shared";
  });
  return new OrderFinding({
    kind: "order",
    severity,
    edges: parts,
    remark: waits >= 0 ? queuedWriter(parts[waits]!.from) : undefined,
    gatedBy: gate?.name,
    needs: tasks > edges.length ? tasks : undefined,
  });
}

/** Why two readers can wait for one another. */
export function queuedWriter(name: string): string {
  return `Readers of ${name} wait for one another as soon as a writer stands in line between them: it waits for the first reader, and the second one behind it.`;
}

export function orderEdge(sourceId: number, evidence: Evidence): OrderEdge {
  return edgeBetween(sourceOf(evidence, sourceId), evidence.wanted, evidence.task);
}

export function edgeBetween(held: HoldFact | undefined, wanted: HoldFact, task: string): OrderEdge {
  return {
    from: held?.lockClass.name ?? wanted.lockClass.name,
    to: wanted.lockClass.name,
    modes: { held: held?.mode ?? "exclusive", wanted: wanted.mode },
    heldSite: held?.site,
    wantedSite: wanted.site,
    task,
  };
}

function placed(site: Place | undefined): string {
  return site === undefined ? "at a place that was not kept" : site.here;
}

import type { LockClass } from "../kinds.js";
import type { Edge } from "./edge.js";
import { type Evidence, type HoldFact, leastHeld, sourceOf } from "./evidence.js";
import { type ClassFacts, fillersFor, gateAmong, holdersNeeded } from "./gates.js";

/** A way round, and for each edge a task that was seen there. */
export interface Cycle {
  readonly edges: readonly Edge[];
  readonly evidence: readonly Evidence[];
  readonly severity: "feasible" | "stall" | "gated";
  readonly gate: LockClass | undefined;
  /** Tasks that must come together. */
  readonly tasks: number;
}

export interface CycleSearch {
  out(node: number): Iterable<Edge>;
  in(node: number): Iterable<Edge>;
  /** Everything that was seen to hold the class and want something. */
  stuckWith(lockClass: LockClass): readonly Evidence[];
  readonly facts: ClassFacts;
  /** Whether this way round may be reported; asked of complete cycles. */
  accepts(edges: readonly Edge[]): boolean;
}

/** Steps of one search. A search that runs out of them reports the shortest cycle, since silence would be the worse mistake. */
const stepsMax = 20_000;

/**
 * The shortest cycle through the edge that nothing keeps from happening; else the shortest one that only hangs until somebody's wait is
 * over; else the shortest that a gate excludes; undefined if the edge closes none, or only ones that aren't accepted.
 */
export function findCycle(closing: Edge, evidence: Evidence, search: CycleSearch): Cycle | undefined {
  const distances = distancesTo(closing.from, search);
  const shortest = distances.get(closing.to);
  if (shortest === undefined) return undefined;
  return new Walk(closing, evidence, search, distances).run(shortest);
}

/** Edges from each node to the target, of those nodes that reach it. */
function distancesTo(target: number, search: CycleSearch): Map<number, number> {
  const distances = new Map([[target, 0]]);
  // A Map walks through what is added to it meanwhile.
  for (const [node, distance] of distances)
    for (const { from } of search.in(node)) if (!distances.has(from)) distances.set(from, distance + 1);
  return distances;
}

class Walk {
  readonly #closing: Edge;
  readonly #search: CycleSearch;
  readonly #distances: ReadonlyMap<number, number>;
  readonly #edges: Edge[];
  readonly #evidence: Evidence[];
  readonly #visited: Set<number>;
  #steps = 0;
  #isCut = false;
  #feasible: Cycle | undefined;
  #stall: Cycle | undefined;
  #gated: Cycle | undefined;

  constructor(
    closing: Edge,
    evidence: Evidence,
    search: CycleSearch,
    distances: ReadonlyMap<number, number>,
  ) {
    this.#closing = closing;
    this.#search = search;
    this.#distances = distances;
    this.#edges = [closing];
    this.#evidence = [evidence];
    this.#visited = new Set([closing.to]);
  }

  /** Looks at longer and longer cycles, so that the first one found is a short one. */
  run(shortest: number): Cycle | undefined {
    for (let length = shortest; length < this.#distances.size; length += 1) {
      this.#isCut = false;
      this.#from(this.#closing.to, length, undefined);
      if (this.#feasible !== undefined || this.#steps > stepsMax || !this.#isCut) break;
    }
    if (this.#feasible !== undefined) return this.#feasible;
    if (this.#stall !== undefined) return this.#stall;
    if (this.#gated !== undefined && this.#steps > stepsMax)
      return { ...this.#gated, severity: "feasible", gate: undefined };
    return this.#gated;
  }

  /** @param left edges that may still follow @param gate what keeps those chosen apart */
  #from(node: number, left: number, gate: LockClass | undefined): void {
    if (this.#feasible !== undefined || (this.#steps += 1) > stepsMax) return;
    if (node === this.#closing.from) {
      this.#complete(gate);
      return;
    }
    for (const edge of this.#search.out(node)) {
      const distance = this.#distances.get(edge.to);
      if (distance === undefined || this.#visited.has(edge.to)) continue;
      if (distance < left) this.#along(edge, left - 1, gate);
      else this.#isCut = true;
    }
  }

  #along(edge: Edge, left: number, gate: LockClass | undefined): void {
    this.#visited.add(edge.to);
    this.#edges.push(edge);
    for (const evidence of edge.evidence) {
      const found = gate ?? gateAmong(this.#evidence, evidence, this.#search.facts);
      // What is excluded is followed only until one such cycle is known, to be told of.
      if (found !== undefined && this.#gated !== undefined) continue;
      this.#evidence.push(evidence);
      this.#from(edge.to, left, found);
      this.#evidence.pop();
    }
    this.#edges.pop();
    this.#visited.delete(edge.to);
  }

  #complete(gate: LockClass | undefined): void {
    if (!this.#search.accepts(this.#edges)) return;
    const fillers = gate === undefined ? this.#edges.map((_, index) => this.#fillersAt(index)) : [];
    const unfilled = fillers.indexOf(undefined);
    const tasks = fillers.reduce<number>((sum, more) => sum + (more ?? 0), this.#edges.length);
    const cycle = { edges: [...this.#edges], evidence: [...this.#evidence], tasks };
    if (gate !== undefined) this.#gated ??= { ...cycle, severity: "gated", gate };
    else if (unfilled >= 0)
      this.#gated ??= {
        ...cycle,
        severity: "gated",
        gate: gateOfCopies(cycle.evidence[unfilled]!, cycle.edges[unfilled]!.from >> 1),
      };
    else if (cycle.evidence.some(({ isTimed }) => isTimed))
      this.#stall ??= { ...cycle, severity: "stall", gate: undefined };
    else this.#feasible = { ...cycle, severity: "feasible", gate: undefined };
  }

  /**
   * Tasks beside those of the cycle that must hold the source of the edge until the edge before it waits for ever; undefined if they can't come
   * together.
   */
  #fillersAt(index: number): number | undefined {
    const source = this.#edges[index]!.from >> 1;
    const hold = sourceOf(this.#evidence[index]!, source);
    if (hold === undefined || hold.lockClass.permits === 1) return 0;
    const { lockClass } = hold;
    const { facts } = this.#search;
    const { weight } = this.#evidence.at(index - 1)!.wanted;
    if (facts.hasWeights(lockClass)) return this.#holdersMissing(hold, weight);
    const gone = facts.hasMany(lockClass)
      ? 1
      : this.#evidence.reduce((sum, { held }) => sum + leastHeld(held, lockClass), 0);
    const missing = lockClass.permits - weight + 1 - gone;
    return fillersFor({ lockClass, missing }, this.#search.stuckWith(lockClass), this.#evidence, facts);
  }

  #holdersMissing({ lockClass, weight }: HoldFact, wantedWeight: number): number {
    const isSole = !this.#search.facts.hasMany(lockClass);
    const holders = isSole
      ? this.#evidence.filter((one) => sourceOf(one, lockClass.id) !== undefined).length
      : 1;
    return Math.max(0, holdersNeeded(lockClass.permits, weight, wantedWeight) - holders);
  }
}

/** What a task holds beside, and not as many more can. */
function gateOfCopies({ held }: Evidence, sourceId: number): LockClass | undefined {
  const others = held.filter(({ lockClass, mode }) => lockClass.id !== sourceId && mode === "exclusive");
  const gate = others.find(({ lockClass }) => lockClass.permits === 1) ?? others[0] ?? held[0];
  return gate?.lockClass;
}

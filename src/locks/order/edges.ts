import type { LockClass, Mode } from "../kinds.js";
import { AcyclicGraph } from "./acyclic-graph.js";
import { Edge } from "./edge.js";
import type { Evidence } from "./evidence.js";

/**
 * All edges that were seen. Nearly all are in an acyclic graph, which finds a closing one at little cost. Those it refused lie beside it: what
 * a gate excludes, what somebody accepts, and what only stalls may still be part of worse cycles; only what was reported is looked at no more.
 */
export class Edges {
  readonly #acyclic: AcyclicGraph<Edge> = new AcyclicGraph();
  readonly #refused: Set<Edge> = new Set();

  /** Whether any cycle can exist at all. */
  get hasRefused(): boolean {
    return this.#refused.size > 0;
  }

  get size(): number {
    return this.#acyclic.arcs + this.#refused.size;
  }

  find(from: number, to: number): Edge | undefined {
    const edge = this.#acyclic.find(from, to);
    if (edge !== undefined || this.#refused.size === 0) return edge;
    for (const refused of this.#refused) if (refused.from === from && refused.to === to) return refused;
    return undefined;
  }

  add(from: number, to: number, evidence: Evidence): Edge {
    const edge = new Edge(from, to, evidence);
    if (!this.#acyclic.add(edge)) this.#refused.add(edge);
    return edge;
  }

  isRefused(edge: Edge): boolean {
    return this.#refused.has(edge);
  }

  refused(): Iterable<Edge> {
    return this.#refused;
  }

  *out(node: number): Iterable<Edge> {
    yield* this.#acyclic.out(node);
    for (const edge of this.#refused) if (edge.from === node && !edge.isClosed) yield edge;
  }

  *in(node: number): Iterable<Edge> {
    yield* this.#acyclic.in(node);
    for (const edge of this.#refused) if (edge.to === node && !edge.isClosed) yield edge;
  }

  evidenceFrom(node: number): readonly Evidence[] {
    const found = this.#acyclic.out(node).flatMap((edge) => edge.evidence);
    for (const edge of this.#refused) if (edge.from === node) found.push(...edge.evidence);
    return found;
  }

  /** Takes away all edges of a class. */
  forget({ id }: LockClass): void {
    this.#acyclic.isolate(2 * id);
    this.#acyclic.isolate(2 * id + 1);
    for (const edge of this.#refused)
      if (edge.from >> 1 === id || edge.to >> 1 === id) this.#refused.delete(edge);
  }

  *[Symbol.iterator](): IterableIterator<Edge> {
    yield* this.#acyclic;
    yield* this.#refused;
  }
}

/** The class as what an acquisition in this mode waits for. */
export function wantedNode({ id, isReaderPreferring }: LockClass, mode: Mode): number {
  return isReaderPreferring && mode === "shared" ? 2 * id + 1 : 2 * id;
}

/** The class as what a hold in this mode keeps others waiting for. */
export function heldNodes({ id, isReaderPreferring }: LockClass, mode: Mode): readonly number[] {
  return isReaderPreferring && mode === "exclusive" ? [2 * id, 2 * id + 1] : [2 * id];
}

import type { LockClass, Mode } from "../kinds.js";
import { AcyclicGraph } from "./acyclic-graph.js";
import { Edge } from "./edge.js";
import type { Evidence } from "./evidence.js";

/**
 * All edges that were seen. Nearly all are in an acyclic graph, which finds a closing one at little cost. Those it refused lie beside it: what
 * a gate excludes, what somebody accepts, and what only stalls may still be part of worse cycles; what was reported is looked at no more.
 */
export class Edges {
  readonly #acyclic: AcyclicGraph<Edge> = new AcyclicGraph();
  readonly #refused: Set<Edge> = new Set();
  readonly #closed: Set<Edge> = new Set();
  readonly #refusedOut: Map<number, Edge[]> = new Map();
  readonly #refusedIn: Map<number, Edge[]> = new Map();

  /** Whether any cycle can exist among those that are looked at. */
  get hasRefused(): boolean {
    return this.#refused.size > this.#closed.size;
  }

  get refusals(): number {
    return this.#refused.size;
  }

  get size(): number {
    return this.#acyclic.arcs + this.#refused.size;
  }

  find(from: number, to: number): Edge | undefined {
    return this.#acyclic.find(from, to) ?? this.#refusedOut.get(from)?.find((edge) => edge.to === to);
  }

  add(from: number, to: number, evidence: Evidence): Edge {
    const edge = new Edge(from, to, evidence);
    if (this.#acyclic.add(edge)) return edge;
    this.#refused.add(edge);
    this.#refusedOut.set(from, [...(this.#refusedOut.get(from) ?? []), edge]);
    this.#refusedIn.set(to, [...(this.#refusedIn.get(to) ?? []), edge]);
    return edge;
  }

  isRefused(edge: Edge): boolean {
    return this.#refused.has(edge);
  }

  isClosed(edge: Edge): boolean {
    return this.#closed.has(edge);
  }

  /** Looks at the edge no more, since a cycle through it was reported. One that was not refused stays, as it agrees with the rest. */
  close(edge: Edge): void {
    if (this.#refused.has(edge)) this.#closed.add(edge);
  }

  /** Those refused that are still looked at. */
  *open(): Iterable<Edge> {
    for (const edge of this.#refused) if (!this.#closed.has(edge)) yield edge;
  }

  *out(node: number): Iterable<Edge> {
    yield* this.#acyclic.out(node);
    for (const edge of this.#refusedOut.get(node) ?? []) if (!this.#closed.has(edge)) yield edge;
  }

  *in(node: number): Iterable<Edge> {
    yield* this.#acyclic.in(node);
    for (const edge of this.#refusedIn.get(node) ?? []) if (!this.#closed.has(edge)) yield edge;
  }

  evidenceFrom(node: number): readonly Evidence[] {
    const edges = [...this.#acyclic.out(node), ...(this.#refusedOut.get(node) ?? [])];
    return edges.flatMap((edge) => edge.evidence);
  }

  /** Whether whoever waits there may wait for ever: only where the way on leads into some cycle. */
  mayHang(node: number, isNested: (classId: number) => boolean): boolean {
    const reached = new Set([node]);
    for (const one of reached) {
      if (this.#refusedOut.has(one) || isNested(one >> 1)) return true;
      for (const { to } of this.#acyclic.out(one)) reached.add(to);
    }
    return false;
  }

  /** Takes away all edges of a class. */
  forget({ id }: LockClass): void {
    this.#acyclic.isolate(2 * id);
    this.#acyclic.isolate(2 * id + 1);
    for (const edge of this.#refused) {
      if (edge.from >> 1 !== id && edge.to >> 1 !== id) continue;
      this.#refused.delete(edge);
      this.#closed.delete(edge);
      takeOut(this.#refusedOut, edge.from, edge);
      takeOut(this.#refusedIn, edge.to, edge);
    }
  }

  *[Symbol.iterator](): IterableIterator<Edge> {
    yield* this.#acyclic;
    yield* this.#refused;
  }
}

function takeOut(edges: Map<number, Edge[]>, node: number, edge: Edge): void {
  const left = edges.get(node)?.filter((one) => one !== edge) ?? [];
  if (left.length === 0) edges.delete(node);
  else edges.set(node, left);
}

/** The class as what an acquisition in this mode waits for. */
export function wantedNode({ id, isReaderPreferring }: LockClass, mode: Mode): number {
  return isReaderPreferring && mode === "shared" ? 2 * id + 1 : 2 * id;
}

/** The class as what a hold in this mode keeps others waiting for. */
export function heldNodes({ id, isReaderPreferring }: LockClass, mode: Mode): readonly number[] {
  return isReaderPreferring && mode === "exclusive" ? [2 * id, 2 * id + 1] : [2 * id];
}

export interface Arc {
  /** Small, dense integers. */
  readonly from: number;
  readonly to: number;
}

/**
 * A directed graph that refuses the arc which would close a cycle, and so stays acyclic. It keeps a topological order up to date while
 * arcs come in (Pearce and Kelly, JEA 11, 2006): an arc that agrees with the order costs nothing more, another one only looks at what
 * lies between its ends in that order.
 */
export class AcyclicGraph<A extends Arc> {
  /** Place of each node in the topological order; arcs lead upwards. */
  #places: number[] = [];
  #out: A[][] = [];
  #in: A[][] = [];
  /** A node is marked when it carries the number of the current search. */
  #marks: number[] = [];
  #search = 0;
  #arcs = 0;

  get arcs(): number {
    return this.#arcs;
  }

  /** @returns false if the arc would close a cycle; then nothing changed */
  add(arc: A): boolean {
    if (arc.from === arc.to) return false;
    this.#grow(Math.max(arc.from, arc.to));
    const upper = this.#places[arc.from]!;
    const lower = this.#places[arc.to]!;
    if (lower < upper) {
      const after: number[] = [];
      if (!this.#reachBelow(arc.to, upper, after)) return false;
      this.#reorder(this.#reachedAbove(arc.from, lower), after);
    }
    this.#out[arc.from]!.push(arc);
    this.#in[arc.to]!.push(arc);
    this.#arcs += 1;
    return true;
  }

  find(from: number, to: number): A | undefined {
    const out = this.#out[from];
    if (out === undefined) return undefined;
    for (const arc of out) if (arc.to === to) return arc;
    return undefined;
  }

  out(node: number): readonly A[] {
    return this.#out[node] ?? [];
  }

  in(node: number): readonly A[] {
    return this.#in[node] ?? [];
  }

  /** Takes away every arc of the node. What was learnt through it between others has arcs of its own. */
  isolate(node: number): void {
    for (const arc of this.out(node)) remove(this.#in[arc.to]!, arc);
    for (const arc of this.in(node)) remove(this.#out[arc.from]!, arc);
    this.#arcs -= this.out(node).length + this.in(node).length;
    if (this.#out[node] !== undefined) this.#out[node] = [];
    if (this.#in[node] !== undefined) this.#in[node] = [];
  }

  *[Symbol.iterator](): IterableIterator<A> {
    for (const arcs of this.#out) yield* arcs;
  }

  #grow(node: number): void {
    for (let next = this.#places.length; next <= node; next += 1) {
      this.#places.push(next);
      this.#out.push([]);
      this.#in.push([]);
      this.#marks.push(0);
    }
  }

  /** Collects what is reached from `start` below the place `upper`; false if the node at `upper` itself is. */
  #reachBelow(start: number, upper: number, reached: number[]): boolean {
    const mark = ++this.#search;
    this.#marks[start] = mark;
    reached.push(start);
    for (let index = 0; index < reached.length; index += 1)
      for (const { to } of this.#out[reached[index]!]!) {
        const place = this.#places[to]!;
        if (place === upper) return false;
        if (place > upper || this.#marks[to] === mark) continue;
        this.#marks[to] = mark;
        reached.push(to);
      }
    return true;
  }

  #reachedAbove(start: number, lower: number): number[] {
    const mark = ++this.#search;
    this.#marks[start] = mark;
    const reached = [start];
    for (let index = 0; index < reached.length; index += 1)
      for (const { from } of this.#in[reached[index]!]!) {
        if (this.#places[from]! < lower || this.#marks[from] === mark) continue;
        this.#marks[from] = mark;
        reached.push(from);
      }
    return reached;
  }

  /** What leads to the arc's start goes before what its end leads to, within the places that both have now. */
  #reorder(before: number[], after: number[]): void {
    const byPlace = (one: number, other: number): number => this.#places[one]! - this.#places[other]!;
    const nodes = [...before.sort(byPlace), ...after.sort(byPlace)];
    const places = nodes.map((node) => this.#places[node]!).sort((one, other) => one - other);
    for (let index = 0; index < nodes.length; index += 1) this.#places[nodes[index]!] = places[index]!;
  }
}

function remove<T>(from: T[], what: T): void {
  const index = from.indexOf(what);
  if (index >= 0) from.splice(index, 1);
}

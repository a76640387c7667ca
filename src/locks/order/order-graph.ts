import { type Clock, systemClock } from "../../base/index.js";
import type { LockClass, Mode } from "../kinds.js";
import { type Chain, Chains, type Link, type Step } from "./chains.js";
import { KnownClasses } from "./class-facts.js";
import { type Cycle, type CycleSearch, findCycle } from "./cycles.js";
import { Edge } from "./edge.js";
import { Edges, heldNodes, wantedNode } from "./edges.js";
import { type Evidence, factOf, type HoldFact, type OrderHold } from "./evidence.js";
import { exportOrder, type OrderExport } from "./export.js";
import { cycleFinding, type OrderFinding } from "./finding.js";
import { Findings, ranks } from "./findings.js";
import { type Nesting, nestingFinding, nestingOf } from "./nesting.js";
import { type Suppression, Suppressions } from "./suppressions.js";

/** What the graph could not keep. */
export type OrderDrop = "chain" | "class" | "evidence" | "finding";

export interface OrderGraphOptions {
  /** Told each time that something could not be kept. A class past the limit is not checked; all else only costs time or detail. */
  readonly onDrop?: (what: OrderDrop) => void;
  readonly suppressions?: readonly Suppression[];
  /** Chains of holds that are known to be in order. @default 65,536 */
  readonly chainsMax?: number;
  /** Classes with a higher id are not checked. @default 8,192 */
  readonly classesMax?: number;
  /** Acquisitions kept for each edge. @default 8 */
  readonly witnessesMax?: number;
  /** Findings kept; later ones are only counted. @default 256 */
  readonly findingsMax?: number;
  /** For suppressions that end. */
  readonly clock?: Clock;
}

/** Who acquires, and whether the wait ends by itself. */
export interface OrderContext {
  readonly task: string;
  readonly isTimed: boolean;
}

/**
 * Learns in which order classes of locks are acquired and says when two orders contradict each other, also if nothing hung.
 *
 * Each acquisition adds an edge from every class held to the one wanted. A cycle means that tasks which come together badly wait for one another
 * for ever, unless something that they hold keeps them from coming together. A chain of holds that was looked at once is not looked at again.
 */
export class OrderGraph {
  readonly #chains: Chains;
  readonly #edges: Edges = new Edges();
  readonly #classes: KnownClasses = new KnownClasses();
  /** Nesting within a class, by kind and class. */
  readonly #nested: Map<string, { readonly edge: Edge; readonly nesting: Nesting }> = new Map();
  readonly #suppressions: Suppressions;
  readonly #findings: Findings;
  readonly #classesMax: number;
  readonly #witnessesMax: number;
  readonly #onDrop: (what: OrderDrop) => void;
  readonly #search: CycleSearch;

  constructor(options: OrderGraphOptions = {}) {
    this.#onDrop = options.onDrop ?? (() => {});
    this.#classesMax = options.classesMax ?? 8_192;
    this.#witnessesMax = options.witnessesMax ?? 8;
    this.#chains = new Chains(
      { chainsMax: options.chainsMax ?? 65_536, classesMax: this.#classesMax },
      this.#onDrop,
    );
    this.#suppressions = new Suppressions(options.clock ?? systemClock, options.suppressions ?? []);
    this.#findings = new Findings(options.findingsMax ?? 256, () => this.#onDrop("finding"));
    this.#search = {
      out: (node) => this.#edges.out(node),
      in: (node) => this.#edges.in(node),
      stuckWith: (lockClass) => this.#stuckWith(lockClass),
      facts: this.#classes,
      accepts: (edges) => !this.#suppressions.covers(edges.map(({ from }) => this.#nameOf(from))),
    };
  }

  /** Nothing held. */
  get root(): Chain {
    return this.#chains.root;
  }

  /** Each cycle once, in the order of their discovery; again when it turned out to be worse. */
  get findings(): readonly OrderFinding[] {
    return this.#findings.all;
  }

  get findingsDropped(): number {
    return this.#findings.dropped;
  }

  get chains(): number {
    return this.#chains.size;
  }

  get edges(): number {
    return this.#edges.size;
  }

  /** The chain after also holding this. Where no more chains can be kept, one for which nothing is ever validated. */
  push(chain: Chain, hold: Link): Chain {
    return this.#chains.push(chain, hold);
  }

  /**
   * Whether the acquisition needs no `check`: the same was looked at before, with the same held. Never for nesting within a class, where
   * instances decide. With nothing held only the first acquisition of several permits at once needs one, which tells that others may have to wait
   * behind it.
   * @param isTimed as `check` will be told; what was seen only with a timeout is looked at again without
   */
  isValidated(chain: Chain, wanted: Step, isTimed: boolean = false): boolean {
    return this.#chains.isValidated(chain, wanted, isTimed);
  }

  /**
   * Looks at an acquisition before it waits, and learns from it. An attempt that never waits is not looked at, but what it got counts as
   * held. Only a certain self-deadlock is returned every time; all else once.
   * @param held outermost first
   */
  check(
    chain: Chain,
    held: readonly OrderHold[],
    wanted: OrderHold,
    context: OrderContext,
  ): OrderFinding | undefined {
    if (wanted.isTry || neverWaits(held, wanted)) return undefined;
    if (wanted.lockClass.id >= this.#classesMax) return undefined;
    const checked = held.filter(({ lockClass }) => lockClass.id < this.#classesMax);
    let worst = this.#see([...checked, wanted]);
    if (held.length === 0) {
      this.#chains.validate(chain, wanted, context.isTimed);
      return worst;
    }
    const nested = this.#nest(checked, wanted, context);
    worst = worse(worst, nested);
    if (this.#chains.hasEdges(chain, wanted, context.isTimed)) return worst;
    worst = worse(worst, this.learn(evidenceOf(checked, wanted, context)));
    this.#chains.validate(chain, wanted, context.isTimed);
    return worst;
  }

  /** All acquisitions that were kept, for a graph that is to begin with them. */
  evidence(): readonly Evidence[] {
    return [...new Set([...this.#edges].flatMap((edge) => edge.evidence))];
  }

  /** Adds what somebody saw elsewhere. */
  learn(evidence: Evidence): OrderFinding | undefined {
    for (const { lockClass, weight } of [...evidence.held, evidence.wanted])
      this.#classes.see(lockClass, undefined, weight);
    const to = wantedNode(evidence.wanted.lockClass, evidence.wanted.mode);
    const { refusals } = this.#edges;
    let worst: Cycle | undefined;
    const closing: Edge[] = [];
    for (const from of sourcesOf(evidence)) {
      const edge = this.#add(from, to, evidence);
      if (edge === undefined) continue;
      const cycle = findCycle(edge, evidence, this.#search);
      if (cycle?.severity === "feasible") closing.push(edge);
      if (cycle !== undefined && (worst === undefined || isWorse(cycle, worst))) worst = cycle;
    }
    for (const edge of closing) this.#edges.close(edge);
    const found = worst === undefined ? undefined : this.#reportCycle(worst);
    // Whoever leads into a new cycle can be stuck now, and keep permits that others were thought to get.
    const isNews = this.#edges.refusals > refusals && this.#classes.hasPermits;
    return isNews ? worse(found, this.#lookAgain()) : found;
  }

  /**
   * Tells that the class has several locks by now, so that holding "the same" one excludes nobody for certain. To be called when its second lock
   * is made; the graph itself only sees instances on its slow way.
   */
  sawMany(lockClass: LockClass): OrderFinding | undefined {
    return lockClass.id < this.#classesMax && this.#classes.seeMany(lockClass)
      ? this.#lookAgain()
      : undefined;
  }

  /** Says beforehand that `outer` is taken before `inner`. */
  expectOrder(outer: LockClass, inner: LockClass): OrderFinding | undefined {
    const fact = (lockClass: LockClass, mode: Mode): HoldFact => ({
      lockClass,
      mode,
      weight: 1,
      isTry: false,
      site: undefined,
    });
    const modes: readonly Mode[] = inner.isReaderPreferring ? ["exclusive", "shared"] : ["exclusive"];
    return modes
      .map((mode) =>
        this.learn({
          held: [fact(outer, "exclusive")],
          wanted: fact(inner, mode),
          task: "the declared order",
          isTimed: false,
        }),
      )
      .reduce(worse, undefined);
  }

  /** Accepts a cycle. One that was reported already stays reported. */
  allow(suppression: Suppression): void {
    this.#suppressions.add(suppression);
  }

  unusedSuppressions(): readonly Suppression[] {
    return this.#suppressions.unused();
  }

  /** Unlearns every order that the class is part of. */
  forget(lockClass: LockClass): void {
    this.#edges.forget(lockClass);
    this.#classes.forget(lockClass);
    for (const key of nestedKeys(lockClass.id)) this.#nested.delete(key);
    this.#findings.forget(lockClass.name);
    this.#chains.clear();
  }

  /** All that was learnt, as plain data: for a file, `mergeOrders`, `diffOrders` and drawings. */
  export(): OrderExport {
    return exportOrder({
      classes: this.#classes.all(),
      edges: this.#edges,
      findings: this.findings,
      facts: this.#classes,
      isClosing: (edge) => this.#edges.isRefused(edge),
    });
  }

  /** The edge, if it says something new and so could close a cycle. */
  #add(from: number, to: number, evidence: Evidence): Edge | undefined {
    const known = this.#edges.find(from, to);
    if (known !== undefined) {
      const isNews = known.add(evidence, this.#witnessesMax, () => this.#dropEvidence(known));
      return isNews && !this.#edges.isClosed(known) && this.#edges.hasRefused ? known : undefined;
    }
    const edge = this.#edges.add(from, to, evidence);
    return this.#edges.hasRefused ? edge : undefined;
  }

  /** How many permits were held in what is dropped is not known any more. */
  #dropEvidence({ from }: Edge): void {
    const source = this.#classes.get(from >> 1);
    if (source !== undefined) this.#classes.see(source, undefined, source.permits);
    this.#onDrop("evidence");
  }

  #see(holds: readonly OrderHold[]): OrderFinding | undefined {
    let isNews = false;
    for (const { lockClass, lock, weight } of holds)
      if (this.#classes.see(lockClass, lock, weight)) isNews = true;
    return isNews ? this.#lookAgain() : undefined;
  }

  /** Something that kept cycles from happening may not do so any more. */
  #lookAgain(): OrderFinding | undefined {
    let worst: OrderFinding | undefined;
    for (const edge of this.#edges.open())
      for (const evidence of edge.evidence) {
        const cycle = findCycle(edge, evidence, this.#search);
        if (cycle === undefined) continue;
        if (cycle.severity === "feasible") this.#edges.close(edge);
        worst = worse(worst, this.#reportCycle(cycle));
      }
    for (const { edge, nesting } of this.#nested.values())
      if (nesting.verdict === "together")
        for (const evidence of edge.evidence) worst = worse(worst, this.#judge(nesting, evidence));
    return worst;
  }

  #reportCycle(cycle: Cycle): OrderFinding | undefined {
    return this.#findings.report(cycleFinding(cycle));
  }

  #nest(held: readonly OrderHold[], wanted: OrderHold, context: OrderContext): OrderFinding | undefined {
    const nesting = nestingOf(held, wanted);
    if (nesting === undefined) return undefined;
    const { id } = wanted.lockClass;
    const evidence = evidenceOf(held, wanted, context);
    const key = `${nesting.kind} ${id}`;
    const edge = this.#nested.get(key)?.edge ?? new Edge(2 * id, 2 * id, evidence);
    edge.add(evidence, this.#witnessesMax, () => this.#onDrop("evidence"));
    this.#nested.set(key, { edge, nesting });
    return this.#judge(nesting, evidence);
  }

  #judge(nesting: Nesting, evidence: Evidence): OrderFinding | undefined {
    const { lockClass } = nesting.hold;
    if (nesting.verdict !== "certain" && this.#suppressions.covers([lockClass.name])) return undefined;
    const finding = nestingFinding(nesting, evidence, {
      stuck: this.#stuckWith(lockClass),
      facts: this.#classes,
    });
    return this.#findings.report(finding) ?? (finding.severity === "certain" ? finding : undefined);
  }

  #stuckWith(lockClass: LockClass): readonly Evidence[] {
    const nested = nestedKeys(lockClass.id).flatMap((key) => this.#nested.get(key)?.edge.evidence ?? []);
    const isNested = (id: number): boolean => nestedKeys(id).some((key) => this.#nested.has(key));
    const others = this.#edges
      .evidenceFrom(2 * lockClass.id)
      .filter(({ wanted }) => this.#edges.mayHang(wantedNode(wanted.lockClass, wanted.mode), isNested));
    return [...others, ...nested];
  }

  #nameOf(node: number): string {
    return this.#classes.get(node >> 1)?.name ?? "";
  }
}

/** Whoever reads a lock may read it again past all that wait. */
function neverWaits(held: readonly OrderHold[], { lockClass, lock, mode }: OrderHold): boolean {
  if (mode === "exclusive" || !lockClass.isReaderPreferring) return false;
  return held.some((hold) => hold.lock === lock && hold.mode === "shared");
}

function evidenceOf(
  held: readonly OrderHold[],
  wanted: OrderHold,
  { task, isTimed }: OrderContext,
): Evidence {
  return { held: held.map(factOf), wanted: factOf(wanted), task, isTimed };
}

/** Nesting within the wanted class is no edge: instances decide there. */
function sourcesOf({ held, wanted }: Evidence): Set<number> {
  const sources = new Set<number>();
  for (const { lockClass, mode } of held)
    if (lockClass !== wanted.lockClass) for (const node of heldNodes(lockClass, mode)) sources.add(node);
  return sources;
}

function nestedKeys(id: number): readonly string[] {
  return [`same-class ${id}`, `nested-self ${id}`];
}

function worse(one: OrderFinding | undefined, other: OrderFinding | undefined): OrderFinding | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return ranks[other.severity] > ranks[one.severity] ? other : one;
}

function isWorse(one: Cycle, other: Cycle): boolean {
  const difference = ranks[one.severity] - ranks[other.severity];
  return difference > 0 || (difference === 0 && one.edges.length < other.edges.length);
}

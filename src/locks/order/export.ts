import type { LockClass, Mode } from "../kinds.js";
import type { Edge } from "./edge.js";
import type { Evidence, HoldFact } from "./evidence.js";
import type { OrderFinding, OrderSeverity } from "./finding.js";
import type { ClassFacts } from "./gates.js";

const schema = "poundlock.locks.order/1";

/** Everything that one process learnt, as plain data. */
export interface OrderExport {
  readonly schema: typeof schema;
  readonly classes: readonly ClassExport[];
  /** Each kind of acquisition that proves an edge. */
  readonly acquisitions: readonly AcquisitionExport[];
  readonly edges: readonly EdgeExport[];
  readonly findings: readonly FindingExport[];
}

export interface ClassExport extends Pick<LockClass, "name" | "kind" | "permits" | "isReaderPreferring"> {
  /** More than one lock of it was seen. */
  readonly hasMany: boolean;
}

export interface AcquisitionExport {
  readonly task: string;
  /** It gave up waiting by itself. */
  readonly isTimed: boolean;
  /** Outermost first. */
  readonly held: readonly HoldExport[];
  readonly wanted: HoldExport;
}

export interface HoldExport {
  readonly class: string;
  readonly mode: Mode;
  readonly weight: number;
  readonly isTry: boolean;
  /** `at …` lines, innermost first. */
  readonly site: readonly string[];
}

export interface EdgeExport {
  readonly from: string;
  readonly to: string;
  readonly modes: readonly EdgeModes[];
  /** It contradicts others. */
  readonly isClosing: boolean;
  /** Places in `acquisitions`. */
  readonly witnesses: readonly number[];
}

export interface EdgeModes {
  readonly held: Mode;
  readonly wanted: Mode;
}

export interface FindingExport {
  readonly kind: OrderFinding["kind"];
  readonly severity: OrderSeverity;
  readonly cycle: readonly string[];
  readonly message: string;
}

export interface OrderContents {
  readonly classes: readonly LockClass[];
  readonly edges: Iterable<Edge>;
  readonly findings: readonly OrderFinding[];
  readonly facts: ClassFacts;
  isClosing(edge: Edge): boolean;
}

export function exportOrder(contents: OrderContents): OrderExport {
  const { classes, facts, findings } = contents;
  const acquisitions = new Map<Evidence, number>();
  return {
    schema,
    classes: classes.map((lockClass) => ({
      name: lockClass.name,
      kind: lockClass.kind,
      permits: lockClass.permits,
      isReaderPreferring: lockClass.isReaderPreferring,
      hasMany: facts.hasMany(lockClass),
    })),
    edges: exportEdges(contents, acquisitions),
    acquisitions: [...acquisitions.keys()].map(exportAcquisition),
    findings: findings.map((finding) => ({
      kind: finding.kind,
      severity: finding.severity,
      cycle: finding.cycle.map(({ name }) => name),
      message: finding.message(),
    })),
  };
}

/** By class: a class that is two nodes of the graph is one here. */
function exportEdges(
  { classes, edges, isClosing }: OrderContents,
  acquisitions: Map<Evidence, number>,
): readonly EdgeExport[] {
  const nameOf = new Map(classes.map(({ id, name }) => [id, name]));
  const found = new Map<
    string,
    { from: string; to: string; isClosing: boolean; witnesses: Set<number>; modes: Map<string, EdgeModes> }
  >();
  for (const edge of edges) {
    const from = nameOf.get(edge.from >> 1) ?? "";
    const to = nameOf.get(edge.to >> 1) ?? "";
    const key = JSON.stringify([from, to]);
    const known = found.get(key) ?? { from, to, isClosing: false, witnesses: new Set(), modes: new Map() };
    found.set(key, known);
    known.isClosing ||= isClosing(edge);
    for (const evidence of edge.evidence) {
      const place = acquisitions.get(evidence) ?? acquisitions.size;
      acquisitions.set(evidence, place);
      known.witnesses.add(place);
      for (const { lockClass, mode } of evidence.held)
        if (lockClass.id === edge.from >> 1)
          known.modes.set(`${mode} ${evidence.wanted.mode}`, { held: mode, wanted: evidence.wanted.mode });
    }
  }
  return [...found.values()].map((edge) => ({
    ...edge,
    modes: [...edge.modes.values()],
    witnesses: [...edge.witnesses],
  }));
}

function exportAcquisition({ task, isTimed, held, wanted }: Evidence): AcquisitionExport {
  return { task, isTimed, held: held.map(exportHold), wanted: exportHold(wanted) };
}

function exportHold({ lockClass, mode, weight, isTry, site }: HoldFact): HoldExport {
  return { class: lockClass.name, mode, weight, isTry, site: site?.frames ?? [] };
}

/** Whether parsed JSON is an export that this version reads. Looks at its outline, since it was written by a program. */
export function isOrderExport(value: unknown): value is OrderExport {
  if (typeof value !== "object" || value === null) return false;
  const { schema: named, classes, acquisitions, edges, findings } = value as Partial<Record<string, unknown>>;
  return named === schema && [classes, acquisitions, edges, findings].every((list) => Array.isArray(list));
}

export interface OrderDifference {
  readonly added: readonly EdgeExport[];
  readonly removed: readonly EdgeExport[];
}

/** Edges that only one of the two has: what a change does to the order of locks. */
export function diffOrders(before: OrderExport, after: OrderExport): OrderDifference {
  const nameOf = ({ from, to }: EdgeExport): string => JSON.stringify([from, to]);
  const had = new Set(before.edges.map(nameOf));
  const has = new Set(after.edges.map(nameOf));
  return {
    added: after.edges.filter((edge) => !had.has(nameOf(edge))),
    removed: before.edges.filter((edge) => !has.has(nameOf(edge))),
  };
}

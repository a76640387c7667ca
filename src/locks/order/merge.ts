import type { LockClass } from "../kinds.js";
import type { Evidence, HoldFact, Place } from "./evidence.js";
import type { AcquisitionExport, ClassExport, HoldExport, OrderExport } from "./export.js";
import type { OrderFinding } from "./finding.js";
import { findingKey, ranks } from "./findings.js";
import { OrderGraph, type OrderGraphOptions } from "./order-graph.js";

/**
 * Puts together what several processes learnt. Classes of one name are taken to be one class.
 * @returns what none of them found, or none found to be so bad
 */
export function mergeOrders(
  exports: readonly OrderExport[],
  options: Pick<OrderGraphOptions, "suppressions" | "clock"> = {},
): readonly OrderFinding[] {
  const classes = classesOf(exports);
  const graph = new OrderGraph({ ...options, classesMax: Math.max(1, classes.size), findingsMax: 4_096 });
  for (const { classes: own } of exports)
    for (const { name, hasMany } of own) if (hasMany) graph.sawMany(classes.get(name)!);
  for (const { acquisitions } of exports)
    for (const acquisition of acquisitions) {
      const evidence = evidenceOf(acquisition, classes);
      if (evidence !== undefined) graph.learn(evidence);
    }
  const known = new Map<string, number>();
  for (const { findings } of exports)
    for (const { kind, severity, cycle } of findings) {
      const key = findingKey(kind, cycle);
      known.set(key, Math.max(known.get(key) ?? -1, ranks[severity]));
    }
  return graph.findings.filter(
    ({ kind, severity, cycle }) =>
      ranks[severity] >
      (known.get(
        findingKey(
          kind,
          cycle.map(({ name }) => name),
        ),
      ) ?? -1),
  );
}

/** Where two processes disagree on what a class is, the one that blocks more. */
function classesOf(exports: readonly OrderExport[]): Map<string, LockClass> {
  const found = new Map<string, ClassExport>();
  for (const one of exports.flatMap(({ classes }) => classes)) {
    const known = found.get(one.name) ?? one;
    found.set(one.name, {
      ...known,
      permits: Math.min(known.permits, one.permits),
      isReaderPreferring: known.isReaderPreferring && one.isReaderPreferring,
    });
  }
  return new Map(
    [...found.values()].map(({ name, kind, permits, isReaderPreferring }, id) => [
      name,
      { id, name, kind, permits, isReaderPreferring, level: undefined, compare: undefined },
    ]),
  );
}

/** Undefined if it speaks of a class that its export does not list. */
function evidenceOf(
  { task, isTimed, held, wanted }: AcquisitionExport,
  classes: ReadonlyMap<string, LockClass>,
): Evidence | undefined {
  const facts = [...held, wanted].map((hold) => factOf(hold, classes));
  if (facts.some((fact) => fact === undefined)) return undefined;
  const all = facts as HoldFact[];
  return { held: all.slice(0, -1), wanted: all.at(-1)!, task, isTimed };
}

function factOf(
  { class: name, mode, weight, isTry, site }: HoldExport,
  classes: ReadonlyMap<string, LockClass>,
): HoldFact | undefined {
  const lockClass = classes.get(name);
  if (lockClass === undefined) return undefined;
  const place: Place | undefined = site.length === 0 ? undefined : { frames: site, here: site[0]! };
  return { lockClass, mode, weight, isTry, site: place };
}

import { createHash } from "node:crypto";
import type { MetricFamily } from "../metrics/index.js";
import type { CompiledRules, MetricRule, ReadMetric } from "../pipeline/index.js";
import type { CellKind, MetricDefinition } from "../store/index.js";

/** What a store keeps of a family; undefined for windows, which it makes itself. */
export function cellKindOf({ kind }: MetricFamily): Exclude<CellKind, "count"> | undefined {
  switch (kind) {
    case "counter":
    case "upDownCounter":
      return "sum";
    case "gauge":
      return "gauge";
    case "histogram":
      return "distribution";
    case "window":
      return undefined;
  }
}

/** What a store is told of a family. Another kind, unit or other labels make another metric with cells of its own. */
export function definitionOf(
  family: MetricFamily,
  kind: CellKind,
  groupsMax: number | undefined,
): MetricDefinition {
  const { name, unit, labelNames: by } = family;
  const meaning = JSON.stringify(["shipped", name, kind, unit ?? null, by]);
  return {
    key: createHash("sha256").update(meaning).digest("hex").slice(0, 24),
    name,
    kind,
    by,
    ...(unit === undefined ? {} : { unit }),
    ...(groupsMax === undefined ? {} : { groupsMax }),
  };
}

/** What a `Query` needs to answer for shipped families under their names. */
export function shippedRules(families: readonly MetricFamily[]): CompiledRules {
  const read: ReadMetric[] = [];
  const definitions: MetricDefinition[] = [];
  for (const family of families) {
    const kind = cellKindOf(family);
    if (kind === undefined) continue;
    const definition = definitionOf(family, kind, undefined);
    const by = family.labelNames;
    // Nothing is computed from events: the cells are there already, so no value is ever asked for.
    const rule: MetricRule = { name: family.name, from: [], by, kind, value: "", unit: family.unit ?? "1" };
    definitions.push(definition);
    read.push({ rule, by, from: [], cells: definition.key });
  }
  return { rules: { sources: [], metrics: read.map(({ rule }) => rule) }, fold: [], read, definitions };
}

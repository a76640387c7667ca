import { createHash } from "node:crypto";
import type { Format } from "../events/index.js";
import type { CellKind, MetricDefinition, MetricKey } from "../store/index.js";
import { UnknownReferenceError } from "./errors.js";
import type { MetricRule, Rules, SourceRule, TimeRule, ValueRule } from "./rules.js";

/** One set of cells that the fold fills: a metric of the rules, or the part of a ratio that is counted. */
export interface FoldMetric {
  readonly key: MetricKey;
  readonly kind: CellKind;
  readonly from: readonly string[];
  readonly by: readonly string[];
  /** CEL conditions that must all hold. */
  readonly where: readonly string[];
  readonly value: ValueRule | undefined;
}

/** A metric as readers see it, and where its cells are. */
export interface ReadMetric {
  readonly rule: MetricRule;
  readonly by: readonly string[];
  readonly from: readonly string[];
  readonly cells: MetricKey;
  /** Cells of the whole that a ratio is a share of. */
  readonly whole?: MetricKey;
}

export interface CompiledRules {
  readonly rules: Rules;
  readonly fold: readonly FoldMetric[];
  readonly read: readonly ReadMetric[];
  readonly definitions: readonly MetricDefinition[];
}

/**
 * Gives every metric its key and checks what names what. Deterministic: main and each thread compile the same rules
 * and get the same keys.
 * @throws UnknownReferenceError when `from` or `of` names nothing, or two metrics have one name
 */
export function compileRules(rules: Rules): CompiledRules {
  const sources = new Map(rules.sources.map((source) => [source.name, source]));
  const byName = new Map<string, MetricRule>();
  for (const rule of rules.metrics) {
    if (byName.has(rule.name)) throw new UnknownReferenceError("metric", rule.name, "is declared twice");
    byName.set(rule.name, rule);
  }
  const fold: FoldMetric[] = [];
  const definitions: MetricDefinition[] = [];
  const read: ReadMetric[] = [];
  for (const rule of rules.metrics) {
    const metric = toFoldMetric(rule, byName, sources);
    fold.push(metric);
    definitions.push(toDefinition(rule, metric, rules.hasSlots ?? true));
    const whole =
      rule.kind === "ratio" ? toFoldMetric(wholeOf(rule, byName), byName, sources).key : undefined;
    read.push({
      rule,
      by: metric.by,
      from: metric.from,
      cells: metric.key,
      ...(whole === undefined ? {} : { whole }),
    });
  }
  return { rules, fold, read, definitions };
}

function toFoldMetric(
  rule: MetricRule,
  byName: ReadonlyMap<string, MetricRule>,
  sources: ReadonlyMap<string, SourceRule>,
): FoldMetric {
  const base = rule.kind === "ratio" ? wholeOf(rule, byName) : rule;
  const from = base.from.length === 0 ? [...sources.keys()] : base.from;
  const where = [base.where, rule.kind === "ratio" ? rule.where : undefined].filter(
    (one) => one !== undefined,
  );
  const kind: CellKind =
    rule.kind === "sum" || rule.kind === "gauge" || rule.kind === "distribution" ? rule.kind : "count";
  const value = "value" in rule ? rule.value : undefined;
  const meaning = {
    name: rule.name,
    kind,
    by: base.by,
    where,
    value,
    unit: "unit" in rule ? rule.unit : undefined,
  };
  const origins = from.map((name) => {
    const source = sources.get(name);
    if (source === undefined)
      throw new UnknownReferenceError("source", name, `is named by metric "${rule.name}"`);
    return meaningOf(source);
  });
  return { key: hashOf([meaning, origins]), kind, from, by: base.by, where, value };
}

function wholeOf(
  rule: MetricRule & { readonly kind: "ratio" },
  byName: ReadonlyMap<string, MetricRule>,
): MetricRule {
  const whole = byName.get(rule.of);
  if (whole === undefined)
    throw new UnknownReferenceError("metric", rule.of, `is named by ratio "${rule.name}"`);
  if (whole.kind !== "count" && whole.kind !== "rate") {
    throw new UnknownReferenceError(
      "metric",
      rule.of,
      `is a ${whole.kind}; ratio "${rule.name}" needs a count`,
    );
  }
  return whole;
}

/** What makes a source's events what they are; its place on disk does not. */
function meaningOf(source: SourceRule): {
  name: string;
  format: Format;
  time: TimeRule;
  where: string | undefined;
} {
  return { name: source.name, format: source.format, time: source.time, where: source.where };
}

function toDefinition(rule: MetricRule, metric: FoldMetric, hasSlots: boolean): MetricDefinition {
  return {
    key: metric.key,
    name: rule.name,
    kind: metric.kind,
    by: metric.by,
    hasSlots,
    ...("unit" in rule ? { unit: rule.unit } : {}),
    ...(rule.groupsMax === undefined ? {} : { groupsMax: rule.groupsMax }),
  };
}

/** 96 bits are plenty to tell a config's few hundred definitions apart and short enough for a store's key. */
function hashOf(definition: unknown): MetricKey {
  return createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 24);
}

import {
  compileCondition,
  compileExpression,
  compileTime,
  type Expression,
  type FieldPath,
  parsePath,
} from "../events/index.js";
import type { CompiledRules, FoldMetric } from "./compile.js";
import type { SourceRule, ValueRule } from "./rules.js";

/** What one source's events must be decoded into, and how its rules read that. */
export interface SourceBinding {
  readonly source: SourceRule;
  /** Fields to take out of each event; everything below refers to them by index. */
  readonly paths: readonly FieldPath[];
  readonly where: BoundExpression | undefined;
  readonly time: ((values: readonly unknown[]) => TimeReading) | undefined;
  readonly isArrivalTime: boolean;
  readonly families: readonly FamilyBinding[];
}

export interface FamilyBinding {
  readonly byIndexes: readonly number[];
  readonly metrics: readonly BoundMetric[];
}

export interface BoundMetric {
  readonly metric: FoldMetric;
  readonly where: readonly BoundExpression[];
  readonly value: BoundExpression | undefined;
}

/** An event's time in ms, undefined when the field is absent, NaN when it is there and is no time. */
export type TimeReading = number | undefined;

/** An expression that knows where its fields stand among the decoded values. */
export interface BoundExpression {
  readonly source: string;
  /** @throws ExpressionError; undefined when a field it needs is absent */
  evaluate(values: readonly unknown[]): unknown;
}

/** @throws ExpressionError, FieldPathError, with what is wrong in the rules */
export function bindSource(compiled: CompiledRules, source: SourceRule): SourceBinding {
  const fields = new Fields();
  const metrics = compiled.fold.filter((metric) => metric.from.includes(source.name));
  const families = new Map<string, { byIndexes: number[]; metrics: BoundMetric[] }>();
  for (const metric of metrics) {
    const byIndexes = metric.by.map((path) => fields.index(parsePath(path)));
    const key = byIndexes.join(",");
    const family = families.get(key) ?? { byIndexes, metrics: [] };
    families.set(key, family);
    family.metrics.push({
      metric,
      where: metric.where.map((one) => fields.bind(compileCondition(one))),
      value: metric.value === undefined ? undefined : bindValue(metric.value, fields),
    });
  }
  const where = source.where === undefined ? undefined : fields.bind(compileCondition(source.where));
  return {
    source,
    where,
    time: source.time.kind === "field" ? bindTime(source.time, fields) : undefined,
    isArrivalTime: source.time.kind === "arrival",
    families: [...families.values()],
    paths: fields.paths,
  };
}

function bindValue(rule: ValueRule, fields: Fields): BoundExpression {
  if (typeof rule === "string") return fields.bind(compileExpression(rule));
  const index = fields.index(parsePath(rule.path));
  return { source: rule.path, evaluate: (values) => values[index] };
}

function bindTime(
  rule: SourceRule["time"] & { readonly kind: "field" },
  fields: Fields,
): (values: readonly unknown[]) => TimeReading {
  const index = fields.index(parsePath(rule.path));
  const parse = compileTime(rule.format);
  return (values) => {
    const value = values[index];
    if (value === undefined || value === null) return undefined;
    return parse(value) ?? Number.NaN;
  };
}

class Fields {
  readonly paths: FieldPath[] = [];
  readonly #byKeys = new Map<string, number>();

  index(path: FieldPath): number {
    const key = JSON.stringify(path.keys);
    const known = this.#byKeys.get(key);
    if (known !== undefined) return known;
    this.#byKeys.set(key, this.paths.length);
    return this.paths.push(path) - 1;
  }

  bind(expression: Expression): BoundExpression {
    const indexes = expression.paths.map((path) => this.index(path));
    const scratch = new Array<unknown>(indexes.length);
    return {
      source: expression.source,
      evaluate(values) {
        for (let i = 0; i < indexes.length; i += 1) scratch[i] = values[indexes[i] as number];
        return expression.evaluate(scratch);
      },
    };
  }
}

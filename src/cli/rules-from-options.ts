import { fieldExpression } from "../config/index.js";
import { compileCondition, type Format, parsePath } from "../events/index.js";
import type { MetricRule, SourceRule } from "../pipeline/index.js";
import { UsageError } from "./errors.js";
import type { ReadOptions } from "./options.js";

/** Whether the options say what to compute, so that nothing is guessed. */
export function saysWhat(options: ReadOptions): boolean {
  return options.where !== undefined || options.by !== undefined || options.value !== undefined;
}

/**
 * The metrics that `--by` and `--value` ask for: `events`, and one distribution for each value. A field may be called
 * `events` too, so rules have names of their own; `shownName` gives the one to show.
 *
 * @throws FieldPathError · UsageError
 */
export function metricsFromOptions(options: ReadOptions): MetricRule[] {
  const by = options.by ?? [];
  for (const field of by) parsePath(field);
  const values = options.value ?? [];
  const twice = values.find(({ field }, i) => values.findIndex((other) => other.field === field) !== i);
  if (twice !== undefined) throw new UsageError(`Cannot measure ${twice.field} twice: give it one unit`);
  return [
    { name: "events", kind: "count", from: [], by },
    ...values.map(({ field, unit }): MetricRule => {
      parsePath(field);
      const name = field === "events" ? valuePrefix + field : field;
      return { name, kind: "distribution", from: [], by, value: fieldExpression(field), unit };
    }),
  ];
}

const valuePrefix = "value:";

/** The name of a metric as the user knows it. */
export function shownName(rule: string): string {
  return rule.startsWith(valuePrefix) ? rule.slice(valuePrefix.length) : rule;
}

/** @throws ExpressionError when `where` does not compile */
export function sourceFromOptions(
  name: string,
  format: Format,
  time: SourceRule["time"],
  where: string | undefined,
): SourceRule {
  if (where !== undefined) compileCondition(where);
  return { name, format, time, ...(where === undefined ? {} : { where }) };
}

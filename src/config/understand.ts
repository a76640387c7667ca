import type { Format } from "../events/index.js";
import type { MetricRule, TimeRule } from "../pipeline/index.js";
import { detectFormat } from "./detect-format.js";
import { errorCondition } from "./error-condition.js";
import { fieldExpression } from "./field-expression.js";
import { type FieldStatistics, fieldStatistics } from "./field-statistics.js";
import { findGroups } from "./find-groups.js";
import { findTime } from "./find-time.js";
import { findValues, type MeasuredField } from "./find-values.js";
import { Notes, type Unsure } from "./understanding-notes.js";

/** What the first lines of a file say about it. */
export interface Understanding {
  readonly format: Format;
  /** What `--format` takes for it. */
  readonly formatText: string;
  readonly time: TimeRule;
  readonly metrics: readonly MetricRule[];
  /** First sentence: `JSON`, `time = ts (ISO 8601)`, `group = route (41 values)`. */
  readonly understood: readonly string[];
  /** Second sentence, one item each. */
  readonly unsure: readonly Unsure[];
  /** Third sentence: lines of the sample that could not be read. */
  readonly failed: {
    readonly lines: number;
    readonly of: number;
    readonly first?: { readonly line: string; readonly message: string };
  };
}

export interface UnderstandOptions {
  /** What `--format` said, or a format read already. */
  readonly format?: string | Format;
  /** A field's path, `arrival` or `none`: what `--time` said. */
  readonly time?: string;
}

/**
 * Makes rules from the first lines. Bad lines never decide anything; a unit is taken from a field's name or from a known
 * convention, and said; a duration without either is not measured, and that is said too.
 *
 * @throws FormatError when the format given is none
 */
export function understand(lines: readonly string[], options: UnderstandOptions = {}): Understanding {
  const detected = detectFormat(lines, options.format);
  const fields = fieldStatistics(detected.events);
  const notes = new Notes();
  notes.format(detected, lines.length);
  const time = findTime(fields, detected.events.length, notes, options.time);
  const usable = fields.filter((field) => time.kind !== "field" || field.path !== time.path);
  const values = findValues(usable, notes);
  const groups = detected.isFallback ? [] : findGroups(usable, detected.events.length, values);
  const metrics = [
    ...counts(groups),
    ...errorRatio(usable, groups, detected.events.length, notes),
    ...distributions(values, groups),
  ];
  notes.groups(groups);
  const { failed, firstFailure } = detected;
  return {
    format: detected.format,
    formatText: detected.text,
    time,
    metrics,
    understood: notes.understood,
    unsure: notes.unsure,
    failed: { lines: failed, of: lines.length, ...(firstFailure ? { first: firstFailure } : {}) },
  };
}

function counts(groups: readonly FieldStatistics[]): MetricRule[] {
  const [best, ...others] = groups;
  const base = { kind: "count", from: [] } as const;
  return [
    { ...base, name: "events", by: best === undefined ? [] : [best.path] },
    ...others.map((group) => ({ ...base, name: `events_by_${group.path}`, by: [group.path] })),
  ];
}

function distributions(values: readonly MeasuredField[], groups: readonly FieldStatistics[]): MetricRule[] {
  const by = groups.slice(0, 1).map((group) => group.path);
  return values.map(({ field, unit }) => ({
    name: field.path,
    kind: "distribution",
    from: [],
    by,
    value: fieldExpression(field.path),
    unit,
  }));
}

/** A ratio has the groups of what it is of; split by the field that makes the error, each group would be all or nothing. */
function errorRatio(
  fields: readonly FieldStatistics[],
  groups: readonly FieldStatistics[],
  events: number,
  notes: Notes,
): MetricRule[] {
  for (const field of fields) {
    const condition = field.present < events * 0.5 ? undefined : errorCondition(field);
    if (condition === undefined) continue;
    const of = counts(groups).find((count) => count.by[0] !== field.path);
    if (of === undefined) return [];
    notes.understood.push(`errors = ${condition.says}`);
    return [{ name: "errors", kind: "ratio", from: [], by: of.by, of: of.name, where: condition.cel }];
  }
  return [];
}

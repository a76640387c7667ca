import { detectTime, type TimeFormat } from "../events/index.js";
import type { TimeRule } from "../pipeline/index.js";
import { timeNameRank } from "./field-names.js";
import type { FieldStatistics } from "./field-statistics.js";
import type { Notes } from "./understanding-notes.js";

const timeWords: Readonly<Record<TimeFormat, string>> = {
  iso: "ISO 8601, UTC where no zone stands",
  clf: "access-log form",
  s: "seconds since 1970",
  ms: "milliseconds since 1970",
  us: "microseconds since 1970",
  ns: "nanoseconds since 1970",
};

/** The field that says when an event happened, by its name or because it alone reads as a time; else its arrival. */
export function findTime(
  fields: readonly FieldStatistics[],
  events: number,
  notes: Notes,
  given?: string,
): TimeRule {
  if (given === "arrival" || given === "none") return { kind: given };
  const timed = fields.flatMap((field) => {
    const format = timeFormatOf(field);
    return format === undefined ? [] : [{ field, format }];
  });
  if (given !== undefined) {
    const format = timed.find(({ field }) => field.path === given)?.format;
    if (format === undefined) {
      const says = `no time could be read from "${given}" in the first lines; ISO 8601 is expected`;
      notes.unsure.push({ says, settle: "--time FIELD" });
    } else notes.understood.push(`time = ${given} (${timeWords[format]})`);
    return { kind: "field", path: given, format: format ?? "iso" };
  }
  const named = timed.filter(
    ({ field }) => timeNameRank(field.path) !== undefined && field.present >= events * 0.2,
  );
  named.sort((a, b) => timeScore(a.field, events) - timeScore(b.field, events));
  const best = named[0] ?? onlyOne(timed, events, notes);
  if (best === undefined) {
    notes.unsure.push({
      says: "no field holds a time, so events count when they arrive",
      settle: "--time FIELD",
    });
    return { kind: "arrival" };
  }
  notes.understood.push(`time = ${best.field.path} (${timeWords[best.format]})`);
  return { kind: "field", path: best.field.path, format: best.format };
}

/** Lower is better: fields that every event has, then outer ones, then the likelier names. */
function timeScore(field: FieldStatistics, events: number): number {
  const isEverywhere = field.present >= events * 0.8;
  return (isEverywhere ? 0 : 10_000) + field.depth * 100 + (timeNameRank(field.path) ?? 99);
}

function onlyOne<T extends { readonly field: FieldStatistics }>(
  timed: readonly T[],
  events: number,
  notes: Notes,
): T | undefined {
  const common = timed.filter(({ field }) => field.present >= events * 0.5);
  const [only, second] = common;
  if (only === undefined || second !== undefined) return undefined;
  const says = `"${only.field.path}" is taken as the time: the only field that reads as one`;
  notes.unsure.push({ says, settle: "--time FIELD" });
  return only;
}

/** The format that four in five of the field's values have. */
export function timeFormatOf(field: FieldStatistics): TimeFormat | undefined {
  const votes = new Map<TimeFormat, number>();
  for (const value of field.values) {
    const format = detectTime([value]);
    if (format !== undefined) votes.set(format, (votes.get(format) ?? 0) + 1);
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  return best !== undefined && best[1] >= field.values.length * 0.8 ? best[0] : undefined;
}

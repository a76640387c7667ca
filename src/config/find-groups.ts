import { groupNameRank, isPrivateName, unitByName } from "./field-names.js";
import type { FieldStatistics } from "./field-statistics.js";
import { timeFormatOf } from "./find-time.js";
import type { MeasuredField } from "./find-values.js";

/** More ways to split would be a wall of numbers, and a config can ask for them. */
const groupsMax = 3;

/** The fields that sort events into kinds, the likeliest first. */
export function findGroups(
  fields: readonly FieldStatistics[],
  events: number,
  values: readonly MeasuredField[],
): FieldStatistics[] {
  const candidates = fields.filter(
    (field) => !values.some((value) => value.field === field) && isGroup(field, events),
  );
  // Fields whose name says nothing are taken only where no telling name is.
  const named = candidates.filter((field) => groupNameRank(field.path) !== undefined);
  const pool = named.length > 0 ? named : candidates;
  return pool.sort((a, b) => groupScore(a, events) - groupScore(b, events)).slice(0, groupsMax);
}

/** 2 to 50 values that repeat: fewer split nothing, more are identifiers. */
function isGroup(field: FieldStatistics, events: number): boolean {
  const { distinct, present, path, values } = field;
  if (present < events * 0.5 || distinct.size < 2 || distinct.size > 50 || distinct.size > present * 0.5)
    return false;
  if (isPrivateName(path) || unitByName(path) !== undefined || timeFormatOf(field) !== undefined)
    return false;
  if (values.some((value) => String(value).length > 64)) return false;
  const isNamed = groupNameRank(path) !== undefined;
  // Numbers, also written as text ("25.381"), are amounts unless their name says category.
  const isAmount = values.every(
    (value) => typeof value === "number" || /^-?\d+(?:\.\d+)?$/.test(String(value)),
  );
  return isNamed ? values.every((value) => !/^-?\d+\.\d+$/.test(String(value))) : !isAmount;
}

function groupScore(field: FieldStatistics, events: number): number {
  const isEverywhere = field.present >= events * 0.9;
  return (isEverywhere ? 0 : 1_000) + (groupNameRank(field.path) ?? 500) + field.depth / 10;
}

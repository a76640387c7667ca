import { type NamedUnit, unitByName } from "./field-names.js";
import { type FieldStatistics, numbersOf } from "./field-statistics.js";
import { timeFormatOf } from "./find-time.js";
import type { Notes, Unsure } from "./understanding-notes.js";

/** More measured fields would be a wall of numbers, and a config can ask for them. */
const valuesMax = 4;

export interface MeasuredField {
  readonly field: FieldStatistics;
  readonly unit: string;
}

/** The fields that measure something in a unit that their names say. */
export function findValues(fields: readonly FieldStatistics[], notes: Notes): MeasuredField[] {
  const measured: MeasuredField[] = [];
  const open: FieldStatistics[] = [];
  const tokens: string[] = [];
  for (const field of fields) {
    const unit = unitByName(field.path);
    // Not numbers, or a point in time under a name such as `finished_ms`.
    if (unit === undefined || !isNumeric(field) || timeFormatOf(field) !== undefined) continue;
    if (unit.kind === "open") open.push(field);
    else if (unit.unit === "tokens") tokens.push(field.path);
    else if (measured.length < valuesMax) {
      measured.push({ field, unit: measure(field, unit, notes) });
    }
  }
  notes.unsure.push(...open.slice(0, 2).map(openUnit), ...tokenNote(tokens));
  return measured;
}

/** The unit to use for a field, said in the sentence it belongs to. */
function measure(field: FieldStatistics, named: Exclude<NamedUnit, { kind: "open" }>, notes: Notes): string {
  if (named.kind === "named") {
    notes.understood.push(`${noun(named.unit)} = ${field.path} (${named.unit})`);
    return named.unit;
  }
  const { unit, why } = conventional(field, named);
  notes.unsure.push({
    says: `"${field.path}" is taken as ${unit}, ${why}`,
    settle: `--value ${field.path}=UNIT`,
  });
  return unit;
}

/** nginx writes `request_time` in seconds with a fraction; in the same place Apache writes whole microseconds (%D). */
function conventional(
  field: FieldStatistics,
  unit: { unit: string; why: string },
): { unit: string; why: string } {
  const numbers = numbersOf(field);
  const isWhole = numbers.every(Number.isInteger) && numbers.some((number) => number >= 1_000);
  return isWhole ? { unit: "us", why: "as Apache writes it (%D)" } : unit;
}

function openUnit(field: FieldStatistics): Unsure {
  const largest = Math.max(...numbersOf(field));
  return {
    says: `"${field.path}" could be s or ms (largest ${largest}), so it is not measured`,
    settle: `--value ${field.path}=ms`,
  };
}

function tokenNote(paths: readonly string[]): Unsure[] {
  const [first] = paths;
  if (first === undefined) return [];
  const others = paths.length === 1 ? "" : ` and ${paths.length - 1} more`;
  return [
    {
      says: `"${first}"${others} could repeat over several lines of one message, so tokens are not added up`,
      settle: `--value ${first}=tokens`,
    },
  ];
}

const noun = (unit: string): string => (["bytes", "KiB", "MiB"].includes(unit) ? "size" : "duration");

function isNumeric(field: FieldStatistics): boolean {
  return numbersOf(field).length >= Math.max(1, field.values.length * 0.8);
}

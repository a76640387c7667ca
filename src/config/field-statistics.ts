/** What the sampled events hold at one path. */
export interface FieldStatistics {
  readonly path: string;
  readonly depth: number;
  /** Events that have the field with a value other than null. */
  present: number;
  /** Values in order of the events. */
  readonly values: (string | number | boolean)[];
  /** Different values as text. */
  readonly distinct: Set<string>;
}

/** Deeper fields are rarely what a person wants to split or measure by. */
const depthMax = 4;
/** A record with thousands of keys is a map by identifier, and its keys are no fields. */
const pathsMax = 500;

/** Statistics of every scalar field; arrays are not entered. */
export function fieldStatistics(events: readonly unknown[]): FieldStatistics[] {
  const fields = new Map<string, FieldStatistics>();
  for (const event of events) collect(event, [], fields);
  return [...fields.values()];
}

function collect(value: unknown, keys: readonly string[], fields: Map<string, FieldStatistics>): void {
  if (value === null || value === undefined) return;
  if (typeof value === "object") {
    if (Array.isArray(value) || keys.length >= depthMax) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "") collect(inner, [...keys, key], fields);
    }
    return;
  }
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return;
  const path = keys.join(".");
  // A key such as "a." or ".." cannot be written as a path.
  if (path === "" || path.split(".").includes("")) return;
  let field = fields.get(path);
  if (field === undefined) {
    if (fields.size >= pathsMax) return;
    field = { path, depth: keys.length, present: 0, values: [], distinct: new Set() };
    fields.set(path, field);
  }
  field.present += 1;
  field.values.push(value);
  field.distinct.add(String(value));
}

/** The numbers among the field's values. */
export function numbersOf(field: FieldStatistics): number[] {
  return field.values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
}

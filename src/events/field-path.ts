import { FieldPathError } from "./errors.js";

/** A place in an event: `order.coin`. */
export interface FieldPath {
  /** As typed; the key in answers. */
  readonly text: string;
  /** Keys from the outside in; empty for the whole event. */
  readonly keys: readonly string[];
}

export const wholeEvent: FieldPath = { text: "event", keys: [] };

/** 32, because a skimming decoder keeps one candidate place for each key of each path. */
const keysMax = 32;
const arrayIndex = /^(?:0|[1-9]\d{0,8})$/;

/** Whether a key can be the index of an array's element. */
export function isArrayIndex(key: string): boolean {
  return arrayIndex.test(key);
}

/** @throws FieldPathError when it is empty, has an empty part or more than 32 parts */
export function parsePath(text: string): FieldPath {
  if (text === "") throw new FieldPathError(text, "it is empty");
  const keys = text.split(".");
  if (keys.includes("")) throw new FieldPathError(text, "it has an empty part");
  if (keys.length > keysMax)
    throw new FieldPathError(text, `it has ${keys.length} parts, at most ${keysMax} are read`);
  return { text, keys };
}

/**
 * What stands at a path, or undefined.
 *
 * - Nested places come first (`{"order":{"coin":…}}`); where a key is absent, the rest of the path is tried as one key, as
 *   in `{"order.coin":…}` or `{"attributes":{"http.route":…}}`. The deepest nesting that leads to a value wins.
 * - A key of an array is an index from 0.
 * - Only own properties count: nothing is read from a prototype.
 */
export function pickPath(value: unknown, keys: readonly string[], from = 0): unknown {
  if (from === keys.length) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const key = keys[from]!;
  if (Array.isArray(value)) {
    return isArrayIndex(key) ? pickPath(value[Number(key)], keys, from + 1) : undefined;
  }
  const nested = Object.hasOwn(value, key)
    ? pickPath((value as Record<string, unknown>)[key], keys, from + 1)
    : undefined;
  if (nested !== undefined || from + 1 === keys.length) return nested;
  const rest = keys.slice(from).join(".");
  return Object.hasOwn(value, rest) ? (value as Record<string, unknown>)[rest] : undefined;
}

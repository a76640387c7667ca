import { type FieldPath, isArrayIndex } from "./field-path.js";

/** A path's claim on a place. A path has one for each way in which its keys can be nested or joined. */
export interface Claim {
  readonly path: number;
  /** Order of preference among the path's claims, 0 first: the deepest nesting. */
  readonly rank: number;
  /** Keys from this place inwards, for a path that leads on. */
  readonly rest: readonly string[];
}

/** A place in an event at which, or inside which, something is wanted. */
export interface WantedField {
  readonly children: ReadonlyMap<string, WantedField>;
  /** Claims on the value that stands here. */
  readonly leaves: readonly Claim[];
  /** For each path that leads on by nesting: its claim on what is inside. */
  readonly inside: readonly Claim[];
  /** Whether a path leads on by something that could be an index of an array. */
  readonly hasIndex: boolean;
}

interface Growing extends WantedField {
  readonly children: Map<string, Growing>;
  readonly leaves: Claim[];
  readonly inside: Claim[];
  hasIndex: boolean;
}

/** The tree of places where the values of paths may stand, by the same rules as `pickPath`. */
export function wantedFields(paths: readonly FieldPath[]): WantedField {
  const root = grow();
  for (const [path, { keys }] of paths.entries()) {
    let field = root;
    for (let depth = 0; depth < keys.length; depth++) {
      const last = keys.length - 1;
      child(field, keys.slice(depth).join(".")).leaves.push({ path, rank: last - depth, rest: [] });
      if (depth === last) continue;
      field = child(field, keys[depth]!);
      field.inside.push({ path, rank: last - depth - 1, rest: keys.slice(depth + 1) });
      field.hasIndex ||= isArrayIndex(keys[depth + 1]!);
    }
  }
  return root;
}

function child(field: Growing, key: string): Growing {
  const known = field.children.get(key);
  if (known !== undefined) return known;
  const made = grow();
  field.children.set(key, made);
  return made;
}

function grow(): Growing {
  return { children: new Map(), leaves: [], inside: [], hasIndex: false };
}

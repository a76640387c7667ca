import type { WantedField } from "./wanted-fields.js";

/** Where one path's value stands in a match. */
export interface ShapeSource {
  readonly path: number;
  /** Order of preference among the sources of one path, 0 first. */
  readonly rank: number;
  /** The group with a string's inside, or 0. */
  readonly stringGroup: number;
  /** The group with any other value as it was written, or 0. */
  readonly rawGroup: number;
  /** Keys to follow inside the raw value: the rest of a path that leads through an array. */
  readonly rest: readonly string[];
}

/** The form that lines share: the keys of every object on the way to a wanted field, in order. */
export interface JsonShape {
  /** Sticky; matches a whole line of this shape if, and only if, the line is JSON. */
  readonly pattern: RegExp;
  readonly sources: readonly ShapeSource[];
}

// The grammar of RFC 8259 in pieces. Each alternative begins with a different character and each loop has one way to go on, so
// nothing backtracks but to fail.
const plainInside = String.raw`[^"\\\x00-\x1f]*`;
const string = String.raw`"${plainInside}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})${plainInside})*"`;
const number = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const literal = "true|false|null";
/** Where white space usually is; a line that has it elsewhere is left to JSON.parse. */
const colon = ": ?";
const comma = ", ?";
const afterMember = String.raw`(?:${comma}(?=")|(?=\}))`;
const afterElement = String.raw`(?:${comma}(?=[^\]])|(?=\]))`;

/** Levels of nesting inside an unwanted value, as deep as the example's and one more. A pattern has no recursion and doubles with each. */
const depthMin = 2;
const depthMax = 5;
/** 256 keys in one object and 64 KiB of pattern: larger ones take long to compile and run slowly. */
const keysMax = 256;
const patternLengthMax = 64 * 1024;

function scalar(first: string = string): string {
  return [first, ...[string, number, literal].filter((other) => other !== first)].join("|");
}

interface Containers {
  readonly array: string;
  readonly object: string;
}

/** Patterns for arrays and objects of up to `depth` levels, the outermost counted. */
const containers: readonly Containers[] = Array.from({ length: depthMax + 1 }).reduce<Containers[]>(
  (made) => {
    const inner = made.at(-1);
    const value = inner === undefined ? `(?:${scalar()})` : `(?:${scalar()}|${inner.array}|${inner.object})`;
    const array = String.raw`\[(?:${value}${afterElement})*\]`;
    const object = String.raw`\{(?:${string}${colon}${value}${afterMember})*\}`;
    return [...made, { array, object }];
  },
  [],
);

/** The shape of an example, which must be what `JSON.parse` made of a line; undefined when a pattern can't say it. */
export function shapeOf(example: Record<string, unknown>, wanted: WantedField): JsonShape | undefined {
  const writer = new ShapeWriter();
  const body = writer.object(example, wanted);
  if (body === undefined || body.length > patternLengthMax) return undefined;
  return { pattern: new RegExp(String.raw`${body}[ \t\r]*`, "y"), sources: writer.sources };
}

class ShapeWriter {
  readonly sources: ShapeSource[] = [];
  #groups = 0;

  /** Every key of the object stands in the pattern, so that a line with another key, or one key twice, can't match. */
  object(example: Record<string, unknown>, wanted: WantedField): string | undefined {
    const members: string[] = [];
    const entries = Object.entries(example);
    if (entries.length > keysMax) return undefined;
    for (const [key, value] of entries) {
      // Escaped in the line in some way that is no longer known.
      if (/["\\\u0000-\u001f]/.test(key)) return undefined;
      const field = wanted.children.get(key);
      const inner = field === undefined ? unwanted(value) : this.#wanted(value, field);
      if (inner === undefined) return undefined;
      members.push(`"${escapePattern(key)}"${colon}${inner}`);
    }
    return String.raw`\{${members.join(comma)}\}`;
  }

  #wanted(value: unknown, field: WantedField): string | undefined {
    if (field.children.size === 0) return this.#leaf(value, field);
    if (Array.isArray(value))
      return field.hasIndex ? this.#indexed(value, field) : this.#raw(arrayLike(value), field);
    if (typeof value === "object" && value !== null) {
      const group = field.leaves.length === 0 ? 0 : this.#open(field);
      const body = this.object(value as Record<string, unknown>, field);
      return body === undefined || group === 0 ? body : `(${body})`;
    }
    // No object here: it might hold wanted fields.
    return this.#scalar(value, field);
  }

  #leaf(value: unknown, field: WantedField): string {
    return typeof value === "object" && value !== null
      ? this.#raw(`(?:${anyValueLike(value)})`, field)
      : this.#scalar(value, field);
  }

  #scalar(value: unknown, field: WantedField): string {
    if (field.leaves.length === 0) return unwanted(value);
    const stringGroup = ++this.#groups;
    const rawGroup = ++this.#groups;
    this.#take(field, stringGroup, rawGroup);
    return `(?:"(${plainInside})"|(${scalar(likely(value))}))`;
  }

  #raw(pattern: string, field: WantedField): string {
    if (field.leaves.length === 0) return pattern;
    this.#open(field);
    return `(${pattern})`;
  }

  /** An array that paths lead into: its elements are looked for once it is parsed. */
  #indexed(value: unknown, field: WantedField): string {
    const group = this.#open(field);
    for (const { path, rank, rest } of field.inside)
      this.sources.push({ path, rank, stringGroup: 0, rawGroup: group, rest });
    return `(${arrayLike(value)})`;
  }

  #open(field: WantedField): number {
    const group = ++this.#groups;
    this.#take(field, 0, group);
    return group;
  }

  #take(field: WantedField, stringGroup: number, rawGroup: number): void {
    for (const { path, rank } of field.leaves)
      this.sources.push({ path, rank, stringGroup, rawGroup, rest: [] });
  }
}

/** Any value of the example's class: scalars may change their type, but not become objects or arrays. */
function unwanted(value: unknown): string {
  const isContainer = typeof value === "object" && value !== null;
  return `(?:${isContainer ? anyValueLike(value) : scalar(likely(value))})`;
}

function arrayLike(value: unknown): string {
  return containersLike(value).array;
}

function anyValueLike(value: unknown): string {
  const { array, object } = containersLike(value);
  return `${Array.isArray(value) ? `${array}|${object}` : `${object}|${array}`}|${scalar()}`;
}

function containersLike(value: unknown): Containers {
  const depth = Math.min(Math.max(depthOf(value, depthMax) + 1, depthMin), depthMax);
  return containers[depth - 1]!;
}

/** Levels of nesting, counted up to `limit`. */
function depthOf(value: unknown, limit: number): number {
  if (limit === 0 || typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner, limit - 1));
  return deepest + 1;
}

/** The alternative to try first. */
function likely(value: unknown): string {
  if (typeof value === "number") return number;
  return typeof value === "string" ? string : literal;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

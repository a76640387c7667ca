import { pickPath } from "./field-path.js";
import { type ShapeSource, shapeOf } from "./json-shape.js";
import type { WantedField } from "./wanted-fields.js";

/** V8 makes a shorter substring a copy and a longer one a view, which would keep the whole text alive. */
const viewLengthMin = 13;

/** One shape ready for use: says whether a line has it, and takes out the values of the paths. */
export class LearntShape {
  readonly #pattern: RegExp;
  /** For each path its sources in order of preference. */
  readonly #sources: readonly (readonly ShapeSource[])[];

  private constructor(pattern: RegExp, sources: readonly ShapeSource[], pathCount: number) {
    this.#pattern = pattern;
    this.#sources = Array.from({ length: pathCount }, (_, path) =>
      sources.filter((source) => source.path === path).sort((a, b) => a.rank - b.rank),
    );
  }

  /**
   * The shape of an example that `JSON.parse` made of a line; undefined when a pattern can't say it. It may still not match that very
   * line, which can have a key twice or unusual white space.
   */
  static of(
    example: Record<string, unknown>,
    wanted: WantedField,
    pathCount: number,
  ): LearntShape | undefined {
    const shape = shapeOf(example, wanted);
    return shape === undefined ? undefined : new LearntShape(shape.pattern, shape.sources, pathCount);
  }

  /** Whether the line has this shape; then `values` are set. */
  match(text: string, start: number, end: number, values: unknown[]): boolean {
    const pattern = this.#pattern;
    pattern.lastIndex = start;
    const match = execute(pattern, text);
    if (match === null || pattern.lastIndex !== end) return false;
    for (let path = 0; path < values.length; path++) {
      let value: unknown;
      for (const source of this.#sources[path]!) {
        value = takeValue(match, source);
        if (value !== undefined) break;
      }
      values[path] = value;
    }
    return true;
  }
}

function execute(pattern: RegExp, text: string): RegExpExecArray | null {
  try {
    return pattern.exec(text);
  } catch {
    // The engine refuses the pattern, or its stack for backtracking ran over: a line of many megabytes.
    return null;
  }
}

function takeValue(match: RegExpExecArray, source: ShapeSource): unknown {
  const inside = source.stringGroup === 0 ? undefined : match[source.stringGroup];
  if (inside !== undefined) return inside.length < viewLengthMin ? inside : ` ${inside}`.slice(1);
  const raw = match[source.rawGroup]!;
  const code = raw.charCodeAt(0);
  if (code <= 0x39 && code !== 0x22) return Number(raw);
  if (raw === "true") return true;
  if (raw === "false") return false;
  if (raw === "null") return null;
  return source.rest.length === 0 ? JSON.parse(raw) : pickPath(JSON.parse(raw), source.rest);
}

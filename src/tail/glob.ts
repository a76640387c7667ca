import { resolve, sep } from "node:path";
import { PatternError } from "./errors.js";

/** One path segment of a glob: any number of directories, or names that match. */
export type Segment =
  | { readonly kind: "deep" }
  | { readonly kind: "literal"; readonly name: string }
  | { readonly kind: "match"; readonly matches: (name: string) => boolean };

/** A directory to start from and what to look for below it. */
export interface GlobBranch {
  readonly root: string;
  readonly segments: readonly Segment[];
}

/** Alternatives that `{a,b}` may make; 1,000 stops a pattern that would multiply without end. */
const BRANCHES_MAX = 1000;

export function hasWildcard(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * Reads a glob: `*` and `?` within a name, `**` for any number of directories, `[a-z]`, `[!a-z]`, `{a,b}`; a
 * backslash takes the next character as it is. A leading dot is matched only by a dot.
 * @throws PatternError when a bracket or brace is not closed
 */
export function compileGlob(pattern: string): readonly GlobBranch[] {
  return expandBraces(pattern, pattern).map((branch) => compileBranch(branch, pattern));
}

function compileBranch(branch: string, pattern: string): GlobBranch {
  const names = splitSegments(resolve(branch));
  const firstWild = names.findIndex((name) => hasWildcard(name) || name.includes("\\"));
  const rootLength = firstWild === -1 ? names.length - 1 : firstWild;
  const root = names.slice(0, rootLength).join(sep);
  return {
    root: root === "" ? sep : root,
    segments: names.slice(rootLength).map((name) => compileSegment(name, pattern)),
  };
}

function splitSegments(path: string): string[] {
  // On Windows a backslash separates; there it can't quote as well.
  return sep === "\\" ? path.split(/[\\/]/) : path.split("/");
}

function compileSegment(name: string, pattern: string): Segment {
  if (name === "**") return { kind: "deep" };
  if (!hasWildcard(name) && !name.includes("\\")) return { kind: "literal", name };
  const regex = compileRegex(segmentSource(name, pattern), pattern);
  const isDotWanted = name.startsWith(".");
  return { kind: "match", matches: (other) => (isDotWanted || !other.startsWith(".")) && regex.test(other) };
}

function compileRegex(source: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    throw new PatternError(pattern, "its brackets can't be read");
  }
}

function segmentSource(name: string, pattern: string): string {
  let source = "";
  for (let i = 0; i < name.length; i += 1) {
    const char = name[i]!;
    if (char === "*") {
      while (name[i + 1] === "*") i += 1;
      source += "[^/]*";
    } else if (char === "?") {
      source += "[^/]";
    } else if (char === "[") {
      const end = classEnd(name, i);
      if (end === -1) throw new PatternError(pattern, 'a "[" is not closed');
      source += classSource(name.slice(i + 1, end));
      i = end;
    } else {
      if (char === "\\" && i + 1 < name.length) i += 1;
      source += escapeRegex(name[i]!);
    }
  }
  return source;
}

/** A "]" right after the opening stands for itself, as in every shell. */
function classEnd(name: string, open: number): number {
  let from = open + 1;
  if (name[from] === "!" || name[from] === "^") from += 1;
  return name.indexOf("]", from + 1);
}

function classSource(body: string): string {
  const isNegated = body.startsWith("!") || body.startsWith("^");
  const members = (isNegated ? body.slice(1) : body).replace(/[\\\]^[]/g, "\\$&");
  // A range written backwards matches nothing, and must not be an error of the regex compiler.
  const safe = members.replace(/(.)-(.)/gsu, (range, low: string, high: string) => (low > high ? "" : range));
  if (safe === "") return isNegated ? "[^/]" : "(?!)";
  return isNegated ? `[^/${safe}]` : `[${safe}]`;
}

function escapeRegex(char: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function expandBraces(text: string, pattern: string): string[] {
  const open = findOpenBrace(text);
  if (open === -1) return [text];
  const { end, parts } = splitBrace(text, open, pattern);
  const head = text.slice(0, open);
  const tails = expandBraces(text.slice(end + 1), pattern);
  const heads = parts.flatMap((part) => expandBraces(part, pattern));
  if (heads.length * tails.length > BRANCHES_MAX)
    throw new PatternError(pattern, `its braces make more than ${BRANCHES_MAX} alternatives`);
  return heads.flatMap((middle) => tails.map((tail) => head + middle + tail));
}

function findOpenBrace(text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "\\" && sep !== "\\") i += 1;
    else if (text[i] === "{") return i;
  }
  return -1;
}

function splitBrace(text: string, open: number, pattern: string): { end: number; parts: string[] } {
  const parts: string[] = [];
  let depth = 0;
  let partStart = open + 1;
  for (let i = open; i < text.length; i += 1) {
    const char = text[i];
    if (char === "\\" && sep !== "\\") i += 1;
    else if (char === "{") depth += 1;
    else if (char === "," && depth === 1) {
      parts.push(text.slice(partStart, i));
      partStart = i + 1;
    } else if (char === "}" && --depth === 0) {
      parts.push(text.slice(partStart, i));
      return { end: i, parts };
    }
  }
  throw new PatternError(pattern, 'a "{" is not closed');
}

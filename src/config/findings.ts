import type { z } from "zod";
import { keysAt, metricKinds, notInThisVersion, rightPlace, sourceTypes, storeTypes } from "./keys.js";
import { nearestName } from "./nearest.js";
import type { Finding, ProblemPath } from "./problem.js";
import type { Advice } from "./schema.js";
import { unitExpected } from "./units.js";

type Issue = z.core.$ZodIssue;

/** Says what the schema found in words of the configuration's own; `data` is what was checked. */
export function findingsOf(issues: readonly Issue[], data: unknown): Finding[] {
  return issues.flatMap((issue) => findingOf(issue, issue.path as ProblemPath, data));
}

function findingOf(issue: Issue, path: ProblemPath, data: unknown): Finding[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, path, data));
    case "invalid_union":
      return issue.discriminator === undefined ? fromUnion(issue, path, data) : [wrongWord(path, data)];
    case "invalid_key":
      return issue.issues
        .flatMap((inner) => findingOf(inner, path, data))
        .map((f) => ({ ...f, at: "key" as const }));
    case "custom":
      return [advisedFinding(issue.params?.advice as Advice, path)];
    default:
      return [valueFinding(issue, path, data)];
  }
}

/** Of a union's branches, speaks of the one whose outer type was right; else names all the types. */
function fromUnion(issue: Issue & { code: "invalid_union" }, path: ProblemPath, data: unknown): Finding[] {
  const meant = issue.errors.find(
    (branch) => !branch.some((e) => e.code === "invalid_type" && e.path.length === 0),
  );
  if (meant !== undefined) {
    return meant.flatMap((inner) => findingOf(inner, [...path, ...(inner.path as ProblemPath)], data));
  }
  const types = issue.errors.flatMap((branch) =>
    branch.map((e) => (e.code === "invalid_type" ? e.expected : "")),
  );
  return [typeFinding(path, data, types.map(typeWords).join(" or "))];
}

function advisedFinding(advice: Advice, path: ProblemPath): Finding {
  return {
    code: advice.code ?? "CONFIG_VALUE",
    path,
    at: "value",
    message: advice.message,
    expected: advice.expected,
    fix: advice.fix,
  };
}

function valueFinding(issue: Issue, path: ProblemPath, data: unknown): Finding {
  if (valueAt(data, path) === undefined) return missing(path);
  const base = { code: "CONFIG_VALUE", path, at: "value" } as const;
  const shown = show(valueAt(data, path));
  switch (issue.code) {
    case "invalid_type":
      return typeFinding(path, data, typeWords(issue.expected));
    case "invalid_value": {
      const words = issue.values.map(String);
      const near = nearestName(String(valueAt(data, path)), words);
      return {
        ...base,
        message: `${shown} is not known`,
        expected: words.join(", "),
        fix: near ?? words[0] ?? "",
      };
    }
    case "too_small":
    case "too_big": {
      const bound = issue.code === "too_small" ? issue.minimum : issue.maximum;
      const side = issue.code === "too_small" ? "at least" : "at most";
      const isList = issue.origin === "array";
      return {
        ...base,
        message: isList
          ? `has ${issue.code === "too_small" ? "too few" : "too many"} items`
          : `${shown} is out of range`,
        expected: `${side} ${bound}${isList ? " items" : ""}`,
        fix: isList ? `${side} ${bound}` : String(bound),
      };
    }
    default:
      return {
        ...base,
        message: `${shown} does not fit`,
        expected: issue.message,
        fix: "see docs/reference/config.md",
      };
  }
}

function typeFinding(path: ProblemPath, data: unknown, expected: string): Finding {
  const value = valueAt(data, path);
  if (path.length === 0 && value === null) return { ...missing(["version"]), message: "is empty" };
  const message = value === null ? "is empty" : `${show(value)} has the wrong type`;
  const fix = rightType(value, expected) ?? examples[expected] ?? `write ${expected}`;
  return { code: "CONFIG_VALUE", path, at: value === null ? "key" : "value", message, expected, fix };
}

/** The same value in the type that was expected, where that is only a matter of quotes. */
function rightType(value: unknown, expected: string): string | undefined {
  const isScalar = typeof value === "number" || typeof value === "boolean";
  if (isScalar && expected.includes("text")) return `"${String(value)}"`;
  const isNumeric = typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value);
  return isNumeric && expected.includes("number") ? `${value}        (without quotes)` : undefined;
}

function unknownKey(key: string, parent: ProblemPath, data: unknown): Finding {
  const path = [...parent, key];
  const base = { path, at: "key" } as const;
  if (parent.length === 0 && (notInThisVersion.keys as readonly string[]).includes(key)) {
    return { ...base, ...later(`\`${key}\``) };
  }
  const known = keysAt(parent, valueAt(data, parent));
  const expected = known.length === 0 ? "no such key" : `one of ${known.join(", ")}`;
  const found = {
    ...base,
    code: "CONFIG_UNKNOWN_KEY",
    message: `"${key}" is not a known key`,
    expected,
  } as const;
  if (isRatio(parent, data) && (key === "from" || key === "by")) {
    const fix = `remove it: a ratio has the sources and groups of the metric it is \`of\``;
    return { ...found, message: `"${key}" does not belong to a ratio`, fix };
  }
  const free = known.filter((name) => valueAt(data, [...parent, name]) === undefined);
  const near = nearestName(key, free);
  const place = rightPlace(key, parent);
  return { ...found, fix: place ?? (near === undefined ? "remove it" : `${near}:`) };
}

function isRatio(path: ProblemPath, data: unknown): boolean {
  return path[0] === "metrics" && path.length === 2 && valueAt(data, [...path, "kind"]) === "ratio";
}

/** A `type` or `kind` that names nothing. */
function wrongWord(path: ProblemPath, data: unknown): Finding {
  const word = valueAt(data, path);
  if (word === undefined) return missing(path);
  const [known, coming] = wordsFor(path);
  if ((coming as readonly unknown[]).includes(word)) return { path, at: "value", ...later(show(word)) };
  return {
    code: "CONFIG_VALUE",
    path,
    at: "value",
    message: `${show(word)} is not known`,
    expected: known.join(", "),
    fix: `${String(path[path.length - 1])}: ${nearestName(String(word), known) ?? known[0]}`,
  };
}

function wordsFor(path: ProblemPath): readonly [readonly string[], readonly string[]] {
  if (path[0] === "sources") return [sourceTypes, notInThisVersion.sourceTypes];
  if (path[0] === "store") return [storeTypes, notInThisVersion.storeTypes];
  return [metricKinds, notInThisVersion.metricKinds];
}

function later(what: string): Pick<Finding, "code" | "message" | "expected" | "fix"> {
  return {
    code: "CONFIG_NOT_IN_THIS_VERSION",
    message: `${what} is not in this version of Poundlock`,
    expected: "what this version has: see docs/reference/config.md",
    fix: "remove it, or use a later version",
  };
}

/** A key that has to be there; the caret stands under the mapping that lacks it. */
export function missing(path: ProblemPath): Finding {
  const key = String(path[path.length - 1]);
  const parent = path.slice(0, -1);
  const hint = (Object.hasOwn(missingHints, key) ? missingHints[key] : undefined) ?? {
    expected: `\`${key}\``,
    fix: `${key}: …`,
  };
  return {
    code: key === "unit" ? "CONFIG_UNIT" : "CONFIG_MISSING",
    path: parent,
    at: "key",
    message: `\`${key}\` is missing`,
    expected: hint.expected,
    fix: hint.fix,
  };
}

const missingHints: Readonly<Record<string, { readonly expected: string; readonly fix: string }>> = {
  NAME: { expected: "at least one source", fix: "app: { type: file, path: ./app.jsonl, time: ts }" },
  version: { expected: "`version: 1`", fix: "version: 1" },
  sources: {
    expected: "at least one source",
    fix: "sources: { app: { type: file, path: ./app.jsonl, time: ts } }",
  },
  type: { expected: "`type`, which says what it is", fix: "type: file" },
  kind: { expected: `\`kind\`: ${metricKinds.join(", ")}`, fix: "kind: count" },
  path: { expected: "`path`: a file, a folder or a glob", fix: "path: ./logs/*.jsonl" },
  time: {
    expected: "`time`: the field that holds the event's time, or `arrival`, or `none`",
    fix: "time: ts        (or arrival, or none)",
  },
  value: { expected: "`value`: a field or an expression", fix: "value: duration_ms" },
  unit: { expected: unitExpected, fix: "unit: ms" },
  of: { expected: "`of`: the name of a count", fix: "of: requests" },
  where: { expected: "`where`: the condition that is counted", fix: "where: 'status >= 500'" },
  field: { expected: "`field`", fix: "field: ts" },
};

function typeWords(type: string): string {
  switch (type) {
    case "string":
      return "text";
    case "array":
      return "a list";
    case "object":
    case "record":
      return "a mapping";
    case "int":
      return "a whole number";
    case "number":
      return "a number";
    default:
      return type;
  }
}

const examples: Readonly<Record<string, string>> = {
  "a mapping": "{ … }",
  "a list": "[ … ]",
};

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

/** What stands at `path`; undefined when nothing does. */
export function valueAt(data: unknown, path: ProblemPath): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

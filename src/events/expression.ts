import { type ASTNode, TypeError as CelTypeError, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import { messageOf } from "../base/index.js";
import { boundedMatches, celEnvironment, patternOf } from "./cel-environment.js";
import { ExpressionError, type ExpressionPlace } from "./errors.js";
import { type Rewritten, rewriteExpression } from "./expression-rewrite.js";
import type { FieldPath } from "./field-path.js";
import { quickExpression, unsure } from "./quick-expression.js";

/** A compiled CEL expression. */
export interface Expression {
  readonly source: string;
  /** What it reads; evaluate gets their values in this order. */
  readonly paths: readonly FieldPath[];
  /**
   * Its value: string, number, boolean, null, list or map; undefined when a field it needed is absent.
   * @throws ExpressionError for every other failure of evaluation
   */
  evaluate(values: readonly unknown[]): unknown;
}

/** 4,096 characters: more is no condition but a program, and the parser's recursion grows with it. */
const sourceLengthMax = 4096;
/** Errors that mean: something that was asked for is not there. */
const absences = new Set(["unknown_variable", "no_such_key", "index_out_of_bounds"]);

/** @throws ExpressionError with line and column when it does not compile */
export function compileExpression(source: string): Expression {
  return compileTyped(source).expression;
}

/**
 * An expression that answers true, false or, when a field that it needs is absent or null, neither. Anything else it comes to is a
 * mistake: taken for false, `where: status` would drop every event without a word.
 *
 * @throws ExpressionError as `compileExpression`, and when it can only be something else
 */
export function compileCondition(source: string): Expression {
  const { expression, type } = compileTyped(source);
  const fault = (what: string): { reason: string; hint: string } => ({
    reason: `a condition is true or false, and this is ${what}`,
    hint: "Compare it with something: status == 'open'",
  });
  if (type !== "bool" && type !== "dyn" && type !== "null")
    throw new ExpressionError("compile", source, fault(`of type ${type}`));
  return {
    ...expression,
    evaluate(values) {
      const answer = expression.evaluate(values);
      if (typeof answer === "boolean" || answer === undefined || answer === null) return answer;
      const kind = Array.isArray(answer) ? "list" : typeof answer === "object" ? "map" : typeof answer;
      throw new ExpressionError("evaluate", source, fault(`a ${kind}`));
    },
  };
}

function compileTyped(source: string): { readonly expression: Expression; readonly type: string } {
  if (source.length > sourceLengthMax) {
    const reason = `it has ${source.length} characters, at most ${sourceLengthMax} are read`;
    throw new ExpressionError("compile", `${source.slice(0, 40)}…`, { reason });
  }
  const root = parse(source);
  checkPatterns(source, root);
  const rewritten = rewriteExpression(source, root);
  const run = parseRewritten(source, rewritten);
  const checked = run.check();
  if (!checked.valid) throw failure("compile", source, rewritten, checked.error);
  const quick = quickExpression(run.ast, rewritten.variables);
  const evaluateSlowly = interpreter(source, rewritten, run);
  const expression: Expression = {
    source,
    paths: rewritten.paths,
    evaluate(values) {
      const answer = quick === undefined ? unsure : quick(values);
      return answer === unsure ? evaluateSlowly(values) : answer;
    },
  };
  return { expression, type: String(checked.type) };
}

function interpreter(
  source: string,
  rewritten: Rewritten,
  run: (context: Record<string, unknown>) => unknown,
): Expression["evaluate"] {
  const context: Record<string, unknown> = Object.create(null);
  return (values) => {
    try {
      for (const { name, index, kind } of rewritten.variables) {
        const value = values[index];
        context[name] = kind === "presence" ? value !== undefined : guarded(value);
      }
      return plainResult(run(context));
    } catch (error) {
      if (error instanceof EvaluationError && absences.has(error.code)) return undefined;
      throw failure("evaluate", source, rewritten, error);
    }
  };
}

function parse(source: string): ASTNode {
  try {
    return celEnvironment.parse(source).ast;
  } catch (error) {
    throw failure("compile", source, undefined, error);
  }
}

/** Fails only where the rewriting's few parentheses exceed the library's limit of depth. */
function parseRewritten(source: string, rewritten: Rewritten): ReturnType<typeof celEnvironment.parse> {
  try {
    return celEnvironment.parse(rewritten.source);
  } catch (error) {
    throw failure("compile", source, rewritten, error);
  }
}

/** A literal pattern that is wrong is found now, not on the first event. */
function checkPatterns(source: string, node: ASTNode): void {
  if (node.op === "rcall" && node.args[0] === "matches") {
    const pattern = node.args[2][0];
    if (pattern?.op === "value" && typeof pattern.args === "string") {
      try {
        patternOf(pattern.args);
      } catch (error) {
        const place = placeOf(source, pattern.start, pattern.end);
        throw new ExpressionError("compile", source, { reason: messageOf(error), place });
      }
    }
  }
  for (const child of childrenOf(node.args)) checkPatterns(source, child);
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === "object" && args !== null && "op" in args ? [args as ASTNode] : [];
}

/**
 * The library tells a map by its `constructor`, so a field of that name would make an object something unknown to it. As a Map it
 * is safe. Only objects that have one pay for the copy.
 */
function guarded(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !hasConstructorKey(value)) return value;
  return asMap(value);
}

function hasConstructorKey(value: object): boolean {
  if (!Array.isArray(value) && Object.hasOwn(value, "constructor")) return true;
  return Object.values(value).some(
    (inner) => typeof inner === "object" && inner !== null && hasConstructorKey(inner),
  );
}

function asMap(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asMap);
  return new Map(Object.entries(value).map(([key, inner]) => [key, asMap(inner)]));
}

function plainResult(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return Number(value);
  }
  if (value === null || Array.isArray(value) || value instanceof Map) return value;
  if (typeof value === "object") {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return value;
    // Unsigned integers are a class of the library's that it does not export.
    const primitive: unknown = value.valueOf();
    if (typeof primitive === "bigint") return Number(primitive);
  }
  throw new EvaluationError(`the result is ${describe(value)}, which is no value of an event`);
}

function describe(value: unknown): string {
  if (value instanceof Date) return "a timestamp";
  return Object.prototype.toString.call(value).includes("Duration") ? "a duration" : "of a type apart";
}

function failure(
  phase: "compile" | "evaluate",
  source: string,
  rewritten: Rewritten | undefined,
  error: unknown,
): ExpressionError {
  const isOurs =
    error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError;
  const reason = (isOurs ? error.summary : messageOf(error))
    .replaceAll(boundedMatches, "matches")
    .replaceAll(/dyn<(\w+)>/g, "$1");
  const range = isOurs ? error.range : undefined;
  const shown =
    range === undefined || rewritten === undefined ? range : rewritten.rangeAt(range.start, range.end);
  const hint = phase === "compile" ? hintFor(source, reason, shown?.start ?? 0) : undefined;
  return new ExpressionError(phase, source, {
    reason,
    place: shown === undefined ? undefined : placeOf(source, shown.start, shown.end),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

function placeOf(source: string, start: number, end: number): ExpressionPlace {
  const lineStart = source.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = source.indexOf("\n", start);
  const text = source.slice(lineStart, lineEnd < 0 ? source.length : lineEnd);
  return {
    line: source.slice(0, lineStart).split("\n").length,
    column: start - lineStart + 1,
    length: Math.max(1, Math.min(end, lineStart + text.length) - start),
    text,
  };
}

/** What people write who know another language. */
function hintFor(source: string, reason: string, start: number): string | undefined {
  const reserved = /^Reserved identifier: (\w+)/.exec(reason)?.[1];
  if (reserved !== undefined) return `Write event.${reserved} for a field of that name`;
  const around = source.slice(Math.max(0, start - 1), start + 4);
  if (/^.?=[^=~]/.test(around)) return "Write == to compare";
  if (/\band\b/i.test(around)) return "Write && for and";
  if (/\bor\b/i.test(around)) return "Write || for or";
  if (/\bnot\b/i.test(source.slice(0, start + 4))) return "Write ! for not";
  return undefined;
}

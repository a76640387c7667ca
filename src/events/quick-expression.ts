import type { ASTNode } from "@marcbachmann/cel-js";
import type { FieldVariable } from "./expression-rewrite.js";

/** Marks what only the interpreter can answer. */
export const unsure: unique symbol = Symbol("unsure");

/** The value of the expression, undefined for an absent field, or `unsure`. */
export type QuickExpression = (values: readonly unknown[]) => unknown;

type Truth = true | false | undefined | typeof unsure;
type Test = (values: readonly unknown[]) => Truth;
type Scalar = string | number | boolean | null;

/**
 * Answers without the interpreter: a field alone, and comparisons of fields with literals joined by `&&`, `||` and `!`.
 * It answers only where CEL's answer is plain, and says `unsure` for every other type of value, so errors are the
 * interpreter's too. Undefined when the expression is of another shape.
 */
export function quickExpression(
  root: ASTNode,
  variables: readonly FieldVariable[],
): QuickExpression | undefined {
  const byName = new Map(variables.map((variable) => [variable.name, variable]));
  const variable = root.op === "id" ? byName.get(root.args) : undefined;
  if (variable?.kind === "value") return (values) => values[variable.index];
  return compileTest(root, byName);
}

type Variables = ReadonlyMap<string, FieldVariable>;

function compileTest(node: ASTNode, variables: Variables): Test | undefined {
  switch (node.op) {
    case "id":
      return truthOfField(variables.get(node.args));
    case "!_":
      return negate(compileTest(node.args, variables));
    case "&&":
      return join(false, compileTest(node.args[0], variables), compileTest(node.args[1], variables));
    case "||":
      return join(true, compileTest(node.args[0], variables), compileTest(node.args[1], variables));
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compileComparison(node.op, node.args[0], node.args[1], variables);
    case "in":
      return compileMembership(node.args[0], node.args[1], variables);
    default:
      return undefined;
  }
}

function truthOfField(variable: FieldVariable | undefined): Test | undefined {
  if (variable === undefined) return undefined;
  const { index, kind } = variable;
  if (kind === "presence") return (values) => values[index] !== undefined;
  return (values) => {
    const value = values[index];
    return typeof value === "boolean" || value === undefined ? value : unsure;
  };
}

function negate(test: Test | undefined): Test | undefined {
  if (test === undefined) return undefined;
  return (values) => {
    const truth = test(values);
    return typeof truth === "boolean" ? !truth : truth;
  };
}

/** CEL's `&&` (decided by false) and `||` (decided by true): the deciding value on either side outweighs an error on the other. */
function join(deciding: boolean, left: Test | undefined, right: Test | undefined): Test | undefined {
  if (left === undefined || right === undefined) return undefined;
  return (values) => {
    const first = left(values);
    if (first === deciding) return deciding;
    const second = right(values);
    if (second === deciding) return deciding;
    if (first === unsure || second === unsure) return unsure;
    return first === undefined || second === undefined ? undefined : !deciding;
  };
}

const mirrored = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;
type Comparison = keyof typeof mirrored;

function compileComparison(
  operator: Comparison,
  left: ASTNode,
  right: ASTNode,
  variables: Variables,
): Test | undefined {
  const isMirrored = left.op !== "id";
  const field = isMirrored ? right : left;
  const variable = field.op === "id" ? variables.get(field.args) : undefined;
  const literal = literalOf(isMirrored ? left : right);
  if (variable?.kind !== "value" || literal === undefined) return undefined;
  return compare(isMirrored ? mirrored[operator] : operator, variable.index, literal);
}

function compare(operator: Comparison, index: number, literal: Scalar): Test {
  const type = typeof literal;
  if (operator === "==" || operator === "!=") {
    const isNegated = operator === "!=";
    return (values) => {
      const value = values[index];
      if (value === undefined) return undefined;
      if (typeof value === "object" && value !== null) return unsure;
      return (value === literal) !== isNegated;
    };
  }
  if (literal === null) return () => unsure;
  const holds = ordered[operator];
  return (values) => {
    const value = values[index];
    if (value === undefined) return undefined;
    return typeof value === type ? holds(value as string, literal as string) : unsure;
  };
}

/** JavaScript orders two strings, two numbers and two booleans as the interpreter does, which calls the same operators. */
const ordered: Readonly<Record<"<" | "<=" | ">" | ">=", (a: string, b: string) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function compileMembership(field: ASTNode, list: ASTNode, variables: Variables): Test | undefined {
  const variable = field.op === "id" ? variables.get(field.args) : undefined;
  if (variable?.kind !== "value" || list.op !== "list" || list.args.length === 0) return undefined;
  const literals = new Set<unknown>(list.args.map(literalOf));
  const types = new Set([...literals].map((literal) => typeof literal));
  const type = [...types][0]!;
  if (types.size !== 1 || (type !== "string" && type !== "number")) return undefined;
  const { index } = variable;
  return (values) => {
    const value = values[index];
    if (value === undefined) return undefined;
    return typeof value === type ? literals.has(value) : unsure;
  };
}

/** The literal's value as a field of JSON would have it; undefined when no number of JSON equals it exactly. */
function literalOf(node: ASTNode): Scalar | undefined {
  if (node.op === "-_") {
    const literal = literalOf(node.args);
    return typeof literal === "number" ? -literal : undefined;
  }
  if (node.op !== "value") return undefined;
  const { args } = node;
  if (typeof args === "bigint") return BigInt(Number(args)) === args ? Number(args) : undefined;
  const isScalar =
    args === null || typeof args === "string" || typeof args === "number" || typeof args === "boolean";
  return isScalar ? args : undefined;
}

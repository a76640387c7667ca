import type { ASTNode } from "@marcbachmann/cel-js";
import { assertInvariant } from "../base/index.js";
import { boundedMatches } from "./cel-environment.js";
import { type FieldPath, wholeEvent } from "./field-path.js";

/** What a variable of a rewritten expression stands for. */
export interface FieldVariable {
  readonly name: string;
  /** Which of the paths. */
  readonly index: number;
  /** The field's value, or whether it is there at all (`has`). */
  readonly kind: "value" | "presence";
}

/** An expression in which every field is one variable. */
export interface Rewritten {
  readonly source: string;
  readonly paths: readonly FieldPath[];
  readonly variables: readonly FieldVariable[];
  /** Where in the original source stands what the rewritten one has at `start..end`. */
  rangeAt(start: number, end: number): { readonly start: number; readonly end: number };
}

/** Binding strength of operators, weakest first; what is not named here binds like a primary. */
const levels = new Map<string, number>(
  [
    ["?:"],
    ["||"],
    ["&&"],
    ["==", "!="],
    ["<", "<=", ">", ">=", "in"],
    ["+", "-"],
    ["*", "/", "%"],
    ["!_", "-_"],
  ].flatMap((operators, level) => operators.map((operator): [string, number] => [operator, level])),
);
const ternaryLevel = 0;
const orLevel = 1;
const unaryLevel = 7;
const postfixLevel = 8;

const comprehensions = new Set(["all", "exists", "exists_one", "map", "filter"]);
const typeNames = new Set([
  "string",
  "bool",
  "int",
  "uint",
  "double",
  "map",
  "list",
  "bytes",
  "null_type",
  "type",
  "google",
]);

type Scope = ReadonlySet<string>;

/**
 * Writes an expression again with one variable for each field that it reads.
 *
 * - The decoder can then take out just these, and a path means the same here as everywhere (`order.coin` also finds the flat
 *   key `order.coin`).
 * - The library knows `type`, `string`, `map`… as constants, which would hide fields of these names. They stay types only
 *   where they are compared with `type(…)`.
 * - `has(field)` becomes a variable too, since the library fails on an absent top-level name.
 */
export function rewriteExpression(source: string, root: ASTNode): Rewritten {
  const rewriter = new Rewriter(source);
  rewriter.emit(root, ternaryLevel, new Set());
  return rewriter.finish();
}

class Rewriter {
  readonly #source: string;
  readonly #prefix: string;
  readonly #paths: FieldPath[] = [];
  readonly #variables: FieldVariable[] = [];
  readonly #spans: { start: number; end: number; from: number; to: number }[] = [];
  #out = "";

  constructor(source: string) {
    this.#source = source;
    let prefix = "v";
    while (source.includes(prefix)) prefix += "_";
    this.#prefix = prefix;
  }

  finish(): Rewritten {
    const spans = this.#spans;
    const whole = { start: 0, end: this.#source.length };
    return {
      source: this.#out,
      paths: this.#paths,
      variables: this.#variables,
      rangeAt(start, end) {
        // Inner nodes are recorded before outer ones, so the first hit is the innermost.
        const span = spans.find((candidate) => candidate.start <= start && end <= candidate.end);
        return span === undefined ? whole : { start: span.from, end: span.to };
      },
    };
  }

  emit(node: ASTNode, levelMin: number, scope: Scope): void {
    const start = this.#out.length;
    const isWrapped = (levels.get(node.op) ?? postfixLevel) < levelMin;
    if (isWrapped) this.#out += "(";
    const keys = staticKeys(node, scope);
    if (keys === undefined) this.#emitNode(node, scope);
    else this.#out += this.#variable(keys, "value");
    if (isWrapped) this.#out += ")";
    this.#spans.push({ start, end: this.#out.length, from: node.start, to: node.end });
  }

  #emitNode(node: ASTNode, scope: Scope): void {
    switch (node.op) {
      case "value":
        this.#out += this.#source.slice(node.start, node.end);
        return;
      case "id":
        this.#out += node.args;
        return;
      case ".":
        this.#emitReceiver(node.args[0], scope);
        this.#out += `.${node.args[1]}`;
        return;
      case "[]":
        this.#emitReceiver(node.args[0], scope);
        this.#emitList("[", [node.args[1]], "]", scope);
        return;
      case "list":
        this.#emitList("[", node.args, "]", scope);
        return;
      case "map":
        this.#emitMap(node.args, scope);
        return;
      case "call":
        this.#emitCall(node.args[0], node.args[1], scope);
        return;
      case "rcall":
        this.#emitMethod(node.args[0], node.args[1], node.args[2], scope);
        return;
      default:
        this.#emitOperator(node, scope);
    }
  }

  #emitOperator(node: ASTNode, scope: Scope): void {
    const level = levels.get(node.op);
    assertInvariant(level !== undefined, `no rewriting for the operator ${node.op}`);
    if (node.op === "!_" || node.op === "-_") {
      // A space, so that no two signs run together.
      this.#out += `${node.op[0]} `;
      this.emit(node.args, unaryLevel, scope);
    } else if (node.op === "?:") {
      this.emit(node.args[0], orLevel, scope);
      this.#out += " ? ";
      this.emit(node.args[1], ternaryLevel, scope);
      this.#out += " : ";
      this.emit(node.args[2], ternaryLevel, scope);
    } else {
      const [left, right] = node.args as [ASTNode, ASTNode];
      this.#emitOperand(left, level, scope, right);
      this.#out += ` ${node.op} `;
      this.#emitOperand(right, level + 1, scope, left);
    }
  }

  /** Beside `type(…)`, names of types are types. */
  #emitOperand(node: ASTNode, level: number, scope: Scope, other: ASTNode): void {
    if (isTypeCall(other) && isTypes(node)) this.#out += `(${this.#source.slice(node.start, node.end)})`;
    else this.emit(node, level, scope);
  }

  /** A number before a dot would run into it. */
  #emitReceiver(node: ASTNode, scope: Scope): void {
    if (node.op !== "value") {
      this.emit(node, postfixLevel, scope);
      return;
    }
    this.#out += "(";
    this.emit(node, ternaryLevel, scope);
    this.#out += ")";
  }

  #emitCall(name: string, args: readonly ASTNode[], scope: Scope): void {
    const keys = name === "has" && args.length === 1 ? staticKeys(args[0]!, scope) : undefined;
    if (keys !== undefined) {
      this.#out += this.#variable(keys, "presence");
      return;
    }
    this.#out += name;
    if (name === "has" && args[0]?.op === ".") {
      // The macro wants the selection as it stands; its root is bound by a comprehension, else it had been a field.
      this.#out += `(${this.#source.slice(args[0].start, args[0].end)})`;
    } else this.#emitList("(", args, ")", scope);
  }

  #emitMethod(name: string, receiver: ASTNode, args: readonly ASTNode[], scope: Scope): void {
    const isBind = name === "bind" && receiver.op === "id" && receiver.args === "cel";
    if (isBind) this.#out += "cel";
    else this.#emitReceiver(receiver, scope);
    this.#out += `.${name === "matches" ? boundedMatches : name}`;
    const [first, ...rest] = args;
    if (first?.op !== "id" || !(isBind || comprehensions.has(name))) {
      this.#emitList("(", args, ")", scope);
      return;
    }
    const inner = new Set(scope).add(first.args);
    this.#out += `(${first.args}`;
    for (const [index, arg] of rest.entries()) {
      this.#out += ", ";
      this.emit(arg, ternaryLevel, isBind && index === 0 ? scope : inner);
    }
    this.#out += ")";
  }

  #emitList(open: string, nodes: readonly ASTNode[], close: string, scope: Scope): void {
    this.#out += open;
    for (const [index, node] of nodes.entries()) {
      if (index > 0) this.#out += ", ";
      this.emit(node, ternaryLevel, scope);
    }
    this.#out += close;
  }

  #emitMap(entries: readonly (readonly [ASTNode, ASTNode])[], scope: Scope): void {
    this.#out += "{";
    for (const [index, [key, value]] of entries.entries()) {
      if (index > 0) this.#out += ", ";
      this.emit(key, ternaryLevel, scope);
      this.#out += ": ";
      this.emit(value, ternaryLevel, scope);
    }
    this.#out += "}";
  }

  #variable(keys: readonly string[], kind: FieldVariable["kind"]): string {
    const index = this.#pathIndex(keys);
    const known = this.#variables.find((variable) => variable.index === index && variable.kind === kind);
    if (known !== undefined) return known.name;
    const name = `${this.#prefix}${this.#variables.length}`;
    this.#variables.push({ name, index, kind });
    return name;
  }

  #pathIndex(keys: readonly string[]): number {
    const path = keys.length === 0 ? wholeEvent : { text: pathText(keys), keys };
    const known = this.#paths.findIndex(({ text }) => text === path.text);
    return known >= 0 ? known : this.#paths.push(path) - 1;
  }
}

/** A text that is different for different keys: `order.coin`, but `event["order.coin"]`. */
function pathText(keys: readonly string[]): string {
  const isPlain = keys.every((key) => /^\w+$/.test(key)) && keys[0] !== "event";
  return isPlain ? keys.join(".") : `event${keys.map((key) => `[${JSON.stringify(key)}]`).join("")}`;
}

/** The keys of a chain of selections that starts at a field or at `event`, when all of them are known now. */
function staticKeys(node: ASTNode, scope: Scope): readonly string[] | undefined {
  if (node.op === "id") {
    if (scope.has(node.args)) return undefined;
    return node.args === "event" ? [] : [node.args];
  }
  if (node.op !== "." && node.op !== "[]") return undefined;
  const key = node.op === "." ? node.args[1] : literalKey(node.args[1]);
  const keys = key === undefined ? undefined : staticKeys(node.args[0], scope);
  return keys === undefined || key === undefined ? undefined : [...keys, key];
}

function literalKey(node: ASTNode): string | undefined {
  if (node.op !== "value") return undefined;
  return typeof node.args === "string" || typeof node.args === "bigint" ? String(node.args) : undefined;
}

function isTypeCall(node: ASTNode): boolean {
  return node.op === "call" && node.args[0] === "type";
}

function isTypes(node: ASTNode): boolean {
  if (node.op === "list") return node.args.every(isTypes);
  if (node.op === ".") return isTypes(node.args[0]);
  return node.op === "id" && typeNames.has(node.args);
}

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from "yaml";
import { messageOf } from "../base/index.js";
import { type Environment, interpolate } from "./environment.js";
import type { ConfigProblem, Finding, ProblemPath } from "./problem.js";
import { pathText } from "./problem.js";
import { sourceOffset } from "./scalar-offset.js";

/** A YAML text as data, with the way back from the data to the text. */
export interface ConfigDocument {
  readonly data: unknown;
  /** Mistakes of the text itself; when there are any, `data` says nothing. */
  readonly problems: readonly ConfigProblem[];
  locate(finding: Finding): ConfigProblem;
}

/** Longest text read, in characters: far above any configuration written by hand. */
const textMax = 1_048_576;
/** Nodes that aliases may stand for, so that a small file cannot unfold into gigabytes. */
const aliasesMax = 1_000;

export function readDocument(file: string, text: string, environment: Environment): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text.slice(0, textMax), { lineCounter: lines, prettyErrors: false });
  const place = new Places(file, text, lines, document);
  const problems = place.syntax(document.errors);
  if (problems.length > 0) return { data: undefined, problems, locate: (finding) => place.of(finding) };
  problems.push(...interpolateAll(document, environment, place));
  const data = problems.length > 0 ? undefined : unfold(document, place, problems);
  return { data, problems, locate: (finding) => place.of(finding) };
}

function unfold(document: Document, places: Places, problems: ConfigProblem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasesMax });
  } catch (error) {
    problems.push(unresolvedAlias(document, places) ?? places.aliases(messageOf(error)));
    return undefined;
  }
}

function unresolvedAlias(document: Document, places: Places): ConfigProblem | undefined {
  let problem: ConfigProblem | undefined;
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document) !== undefined) return undefined;
      problem = places.unresolved(node.source, node.range ?? [0, 1]);
      return visit.BREAK;
    },
  });
  return problem;
}

function interpolateAll(document: Document, environment: Environment, places: Places): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === "key" || typeof node.value !== "string") return;
      const result = interpolate(node.value, environment);
      if (result.kind === "text") {
        if (result.isChanged) node.value = typed(node, result.text);
        return;
      }
      problems.push(places.environment(node, pathOf(ancestors, node), result));
    },
  });
  return problems;
}

/** A plain scalar that became a number or a word of YAML's is one, as if it had been written there. */
function typed(node: Scalar, text: string): unknown {
  if (node.type !== Scalar.PLAIN) return text;
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}

function pathOf(ancestors: readonly unknown[], node: Node): ProblemPath {
  const path: (string | number)[] = [];
  const chain = [...ancestors, node];
  chain.forEach((ancestor, i) => {
    if (isPair(ancestor)) path.push(String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key));
    else if (isSeq(ancestor)) path.push(ancestor.items.indexOf(chain[i + 1]));
  });
  return path;
}

class Places {
  readonly #file: string;
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #document: Document;

  constructor(file: string, text: string, lines: LineCounter, document: Document) {
    this.#file = file;
    this.#text = text;
    this.#lines = lines;
    this.#document = document;
  }

  of(finding: Finding): ConfigProblem {
    const { path, at } = finding;
    const [start, end] = this.#range(path, at, finding.offset);
    return this.#problem(start, end, { ...finding, path: pathText(path) });
  }

  /** One mistake for each line, and few: what follows the first is often only its consequence. */
  syntax(errors: Document["errors"]): ConfigProblem[] {
    const problems = errors.map((error) => this.#syntaxOf(error));
    const first = problems.filter(
      (problem, i) => problems.findIndex(({ line }) => line === problem.line) === i,
    );
    return first.slice(0, syntaxProblemsMax);
  }

  #syntaxOf(error: Document["errors"][number]): ConfigProblem {
    const [start, end] = error.pos;
    const isReference = this.#text[start - 1] === "$" && this.#text[start] === "{";
    const advice = isReference ? unquotedReference : syntaxAdvice[error.code];
    return this.#problem(isReference ? start - 1 : start, end, {
      code: "CONFIG_SYNTAX",
      path: "",
      message: error.message.replace(/ at line \d+, column \d+.*$/s, "").replace(/\.$/, ""),
      expected: advice?.expected ?? "valid YAML",
      fix: advice?.fix ?? "see the line above it too: YAML often notices a mistake one line late",
    });
  }

  unresolved(name: string, [start, end]: readonly number[]): ConfigProblem {
    return this.#problem(start ?? 0, end ?? 1, {
      code: "CONFIG_SYNTAX",
      path: "",
      message: `there is no anchor &${name} above`,
      expected: "the name of an anchor, or quotes around a text that begins with *",
      fix: `"*${name}"`,
    });
  }

  aliases(message: string): ConfigProblem {
    return this.#problem(0, 1, {
      code: "CONFIG_SYNTAX",
      path: "",
      message,
      expected: `aliases that stand for at most ${aliasesMax} values`,
      fix: "write the values out",
    });
  }

  environment(
    node: Scalar,
    path: ProblemPath,
    fault:
      | { kind: "unset"; name: string; index: number; length: number }
      | { kind: "malformed"; index: number; length: number },
  ): ConfigProblem {
    const from = sourceOffset(this.#text, node, fault.index) ?? node.range?.[0] ?? 0;
    const name = fault.kind === "unset" ? fault.name : "NAME";
    return this.#problem(from, from + fault.length, {
      code: "CONFIG_ENVIRONMENT",
      path: pathText(path),
      message: fault.kind === "unset" ? `the environment has no ${name}` : "is not the name of a variable",
      expected:
        fault.kind === "unset" ? "a variable that is set, or a default" : `\${NAME} or \${NAME:-default}`,
      fix:
        fault.kind === "unset"
          ? `export ${name}=…        (or \${${name}:-default})`
          : "write $${ for a literal ${",
    });
  }

  #problem(
    start: number,
    end: number,
    what: Pick<ConfigProblem, "code" | "path" | "message" | "expected" | "fix">,
  ): ConfigProblem {
    const at = Math.min(start, Math.max(0, this.#text.length));
    const position = this.#lines.linePos(at);
    const line = Math.max(1, position.line);
    const lineStart = this.#lines.lineStarts[line - 1] ?? 0;
    const lineEnd = this.#text.indexOf("\n", lineStart);
    const text = this.#text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd).replace(/\r$/, "");
    const column = Math.min(Math.max(1, position.col), text.length + 1);
    const width = Math.max(1, Math.min(end - at, text.length - column + 1));
    const { code, path, message, expected, fix } = what;
    return { code, file: this.#file, line, column, width, text, path, message, expected, fix };
  }

  /** Where the thing at `path` stands; for a path that leads nowhere, the nearest thing around it. */
  #range(path: ProblemPath, at: "key" | "value", offset: number | undefined): readonly [number, number] {
    let node = this.#document.contents as Node | null;
    let key: Node | null = null;
    for (const part of path) {
      const resolved = isAlias(node) ? node.resolve(this.#document) : node;
      if (isMap(resolved)) {
        const pair = resolved.items.find(
          (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(part),
        );
        if (pair === undefined) break;
        key = pair.key as Node;
        node = pair.value as Node | null;
      } else if (isSeq(resolved)) {
        node = (resolved.items[Number(part)] ?? null) as Node | null;
        key = node;
      } else break;
    }
    const target = at === "value" && node?.range ? node : (key ?? node);
    const range = target?.range;
    if (!range) return [0, 1];
    if (offset !== undefined && isScalar(target)) {
      const exact = sourceOffset(this.#text, target, offset);
      if (exact !== undefined) return [exact, exact + 1];
    }
    return [range[0], range[1]];
  }
}

const syntaxProblemsMax = 5;

const unquotedReference = { expected: "quotes around it", fix: `"\${NAME}": a { begins a mapping` };

const syntaxAdvice: Readonly<Record<string, { readonly expected: string; readonly fix: string }>> = {
  DUPLICATE_KEY: { expected: "each key once", fix: "remove one of the two, or rename it" },
  TAB_AS_INDENT: { expected: "spaces", fix: "indent with spaces: YAML knows no tabs" },
  BAD_INDENT: {
    expected: "the same indentation as its neighbours",
    fix: "line it up with the keys beside it",
  },
  MULTIPLE_DOCS: { expected: "one document", fix: "remove the `---`" },
  MISSING_CHAR: { expected: "the closing quote or bracket", fix: "close it on the same line" },
  BAD_SCALAR_START: { expected: "a quoted text", fix: "put the text into 'single quotes'" },
};

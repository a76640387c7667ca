import { parse } from "@babel/parser";

/** A TypeScript or JavaScript module as a Babel tree; of a file that is being written, as much as can be read. */
export function parseSource(source) {
  const plugins = ["typescript"];
  return parse(source, { sourceType: "module", plugins, createImportExpressions: true, errorRecovery: true });
}

/**
 * Everything by which a file names another: imports and re-exports, type-only ones and `import("x").T` included,
 * `import()`, `require`, and files named as `new URL("./x.js", import.meta.url)`.
 * @returns {{ kind: "value" | "type" | "file" | "unknown", target: string | undefined, line: number }[]}
 */
export function importsOf(source) {
  const { program } = parseSource(source);
  const found = [];
  visit(program, (node) => {
    const named = namedBy(node);
    if (named !== undefined) found.push({ ...named, line: node.loc.start.line });
  });
  return found;
}

const readers = {
  ImportDeclaration: (node) => ({ kind: kindOf(node, node.importKind), target: node.source.value }),
  ExportAllDeclaration: (node) => ({ kind: kindOf(node, node.exportKind), target: node.source.value }),
  ExportNamedDeclaration: (node) =>
    node.source ? { kind: kindOf(node, node.exportKind), target: node.source.value } : undefined,
  ImportExpression: (node) => literal("value", node.source),
  TSImportType: (node) => literal("type", node.source ?? node.argument),
  TSExternalModuleReference: (node) => literal("value", node.expression),
  CallExpression: (node) =>
    node.callee.type === "Identifier" && node.callee.name === "require"
      ? literal("value", node.arguments[0])
      : undefined,
  NewExpression: (node) => {
    const [path, base] = node.arguments;
    const isRelative = node.callee.name === "URL" && base?.object?.meta?.name === "import";
    return isRelative && path.type === "StringLiteral" ? { kind: "file", target: path.value } : undefined;
  },
};

function namedBy(node) {
  return readers[node.type]?.(node);
}

/** `import { type A }` is erased like `import type { A }` as soon as all names are types. */
function kindOf(node, declaredKind) {
  if (declaredKind === "type") return "type";
  const names = node.specifiers ?? [];
  const areTypes = names.length > 0 && names.every((name) => (name.importKind ?? name.exportKind) === "type");
  return areTypes ? "type" : "value";
}

function literal(kind, node) {
  return node?.type === "StringLiteral"
    ? { kind, target: node.value }
    : { kind: "unknown", target: undefined };
}

/** Shows each node of a tree to `see`, outer ones first. */
export function visit(node, see) {
  if (Array.isArray(node)) for (const child of node) visit(child, see);
  else if (typeof node?.type === "string") {
    see(node);
    for (const [key, child] of Object.entries(node)) if (key !== "loc" && key !== "extra") visit(child, see);
  }
}

/** Words of CEL that cannot stand as a name. */
const reserved = [
  "false",
  "true",
  "null",
  "in",
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
  "var",
  "void",
  "while",
  // Stands for the whole event.
  "event",
];

/** The CEL expression that reads the field at `path`: `order.coin`, or `event["@timestamp"]`. */
export function fieldExpression(path: string): string {
  const keys = path.split(".");
  const isPlain = keys.every((key) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !reserved.includes(key));
  return isPlain ? path : `event${keys.map((key) => `[${JSON.stringify(key)}]`).join("")}`;
}

export type LogfmtValue = string | number | boolean;

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Calls `visit` for each `key=value` and each bare `key` (which is true) of a line, in order.
 * Returns what is wrong with the line, or undefined; then everything visited before is to be thrown away.
 */
export function readLogfmt(
  line: string,
  visit: (key: string, value: LogfmtValue) => void,
): string | undefined {
  let at = 0;
  let pairs = 0;
  for (;;) {
    while (isSpace(line.charCodeAt(at))) at += 1;
    if (at >= line.length) break;
    const keyStart = at;
    while (at < line.length && isKeyPart(line.charCodeAt(at))) at += 1;
    if (at === keyStart) return `expected a key at column ${at + 1}, found ${JSON.stringify(line[at])}`;
    const key = line.slice(keyStart, at);
    if (line[at] === '"') return `a quote inside a key at column ${at + 1}`;
    if (line[at] !== "=") {
      visit(key, true);
      continue;
    }
    pairs += 1;
    at += 1;
    if (line[at] === '"') {
      const quoted = readQuoted(line, at);
      if (typeof quoted === "string") return quoted;
      visit(key, quoted.value);
      at = quoted.end;
      if (at < line.length && !isSpace(line.charCodeAt(at))) return `expected a space at column ${at + 1}`;
      continue;
    }
    const valueStart = at;
    while (at < line.length && !isSpace(line.charCodeAt(at))) at += 1;
    visit(key, plainValue(line.slice(valueStart, at)));
  }
  return pairs === 0 ? "it has no key=value" : undefined;
}

function plainValue(text: string): LogfmtValue {
  if (text === "true") return true;
  if (text === "false") return false;
  return number.test(text) ? Number(text) : text;
}

/** The value between quotes and where it ends, or what is wrong. */
function readQuoted(line: string, start: number): { value: string; end: number } | string {
  let value = "";
  let pieceStart = start + 1;
  for (let at = pieceStart; at < line.length; at++) {
    const char = line[at];
    if (char === '"') return { value: value + line.slice(pieceStart, at), end: at + 1 };
    if (char !== "\\") continue;
    value += line.slice(pieceStart, at);
    const isUnicode = /^u[0-9a-fA-F]{4}/.test(line.slice(at + 1, at + 6));
    const escaped = isUnicode
      ? String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 6), 16))
      : escapes[line[at + 1] ?? ""];
    // Loggers quote Windows paths without doubling the backslash: an unknown escape stands for itself.
    value += escaped ?? "\\";
    at += isUnicode ? 5 : escaped === undefined ? 0 : 1;
    pieceStart = at + 1;
  }
  return `the quote at column ${start + 1} has no end`;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Everything but spaces, control characters, `=` and `"`. */
function isKeyPart(code: number): boolean {
  return code > 0x20 && code !== 0x3d && code !== 0x22;
}

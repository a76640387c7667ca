import { Scalar } from "yaml";

/**
 * Where the character `index` of a scalar's value stands in the text; undefined when the way back is not plain (folded
 * or many-line scalars, unusual escapes).
 */
export function sourceOffset(text: string, node: Scalar, index: number): number | undefined {
  if (!node.range) return undefined;
  const [start, end] = node.range;
  const raw = text.slice(start, end);
  switch (node.type) {
    case Scalar.PLAIN:
      return raw.includes("\n") ? undefined : start + index;
    case Scalar.QUOTE_SINGLE:
      return raw.includes("\n") ? undefined : start + 1 + skipped(raw.slice(1, -1), index, singleStep);
    case Scalar.QUOTE_DOUBLE:
      return raw.includes("\n") ? undefined : start + 1 + skipped(raw.slice(1, -1), index, doubleStep);
    case Scalar.BLOCK_LITERAL:
      return literalOffset(text, start, index);
    default:
      return undefined;
  }
}

/** How many characters of `raw` stand before the value's character `index`. */
function skipped(raw: string, index: number, step: (raw: string, at: number) => number): number {
  let at = 0;
  for (let i = 0; i < index && at < raw.length; i += 1) at += step(raw, at);
  return at;
}

const singleStep = (raw: string, at: number): number => (raw[at] === "'" && raw[at + 1] === "'" ? 2 : 1);

function doubleStep(raw: string, at: number): number {
  if (raw[at] !== "\\") return 1;
  const width: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };
  return width[raw[at + 1] ?? ""] ?? 2;
}

function literalOffset(text: string, start: number, index: number): number | undefined {
  let lineStart = text.indexOf("\n", start) + 1;
  if (lineStart === 0) return undefined;
  const indent = /^ */.exec(text.slice(lineStart))?.[0].length ?? 0;
  let left = index;
  while (lineStart < text.length) {
    const lineEnd = text.indexOf("\n", lineStart);
    const length = (lineEnd === -1 ? text.length : lineEnd) - lineStart - indent;
    if (left <= length) return lineStart + indent + left;
    if (lineEnd === -1) return undefined;
    left -= Math.max(0, length) + 1;
    lineStart = lineEnd + 1;
  }
  return undefined;
}

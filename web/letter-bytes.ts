import type { WireDeadLetter } from "../src/server/index.js";

/** The bytes as text on one line: control characters as escapes, bytes that are no UTF-8 as `\xff`. */
export function letterText(letter: WireDeadLetter): string {
  const text = letter.text ?? latin(letter.base64);
  const isBytes = letter.text === undefined;
  const shown = [...text].map((char) => escaped(char, isBytes)).join("");
  return letter.isCut ? `${shown} …` : shown;
}

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

function escaped(char: string, isByte: boolean): string {
  const code = char.codePointAt(0)!;
  if (named[char] !== undefined) return named[char];
  if (isByte && code > 0x7e) return `\\x${code.toString(16).padStart(2, "0")}`;
  // Also the characters that turn the direction of writing: they could make a line look like another.
  const isUnseen =
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069);
  return isUnseen ? `\\u{${code.toString(16)}}` : char;
}

function latin(base64: string): string {
  return atob(base64);
}

/** Where the message says the trouble is, as an index into the bytes' text; `undefined` when it does not say. */
export function troubleColumn(letter: WireDeadLetter): number | undefined {
  const match = /\b(?:column|position|offset) (\d+)/.exec(letter.newestError);
  if (match === null || letter.text === undefined) return undefined;
  const column = Number(match[1]) - (match[0].startsWith("column") ? 1 : 0);
  return column >= 0 && column <= letter.text.length ? column : undefined;
}

/** How long the text before the trouble is once escaped: where the caret stands. */
export function caretIndent(letter: WireDeadLetter, column: number): number {
  return [...(letter.text ?? "").slice(0, column)].reduce(
    (sum, char) => sum + [...escaped(char, false)].length,
    0,
  );
}

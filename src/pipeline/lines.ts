import { isAscii } from "node:buffer";

/** A line's place in the text of a range: [start, end) without terminator. True ends the visit before this line. */
export type LineVisitor = (start: number, end: number) => boolean;

export interface LineCount {
  /** Lines, blank ones included; an unterminated last one counts. */
  lines: number;
  blank: number;
}

/** Bytes of a range as text, with the way back from a place in the text to a byte. */
export interface RangeText {
  readonly text: string;
  /** Where the first line starts: behind a byte order mark at the start of the file. */
  readonly start: number;
  readonly isAscii: boolean;
}

/** Latin-1 for plain ASCII, which is a memory copy and one byte a character; UTF-8 otherwise, bad bytes becoming U+FFFD. */
export function textOf(bytes: Buffer, isFileStart: boolean): RangeText {
  if (isAscii(bytes)) return { text: bytes.toString("latin1"), start: 0, isAscii: true };
  const text = bytes.toString("utf8");
  return { text, start: isFileStart && text.charCodeAt(0) === 0xfeff ? 1 : 0, isAscii: false };
}

/**
 * Calls `visit` for each line that is not blank, in order. Lines end at "\n"; one "\r" before it belongs to the
 * terminator. A line of spaces and tabs alone is blank. False when the visitor ended it; that line is counted already.
 */
export function visitLines(text: string, from: number, count: LineCount, visit: LineVisitor): boolean {
  let start = from;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const next = newline === -1 ? text.length : newline + 1;
    let end = newline === -1 ? text.length : newline;
    if (end > start && text.charCodeAt(end - 1) === 0x0d) end -= 1;
    count.lines += 1;
    if (isBlank(text, start, end)) count.blank += 1;
    else if (visit(start, end)) return false;
    start = next;
  }
  return true;
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x09) return false;
  }
  return true;
}

/**
 * Finds the bytes of lines by their places in the text. Only failures need them, so nothing is kept per line: for
 * ASCII a place is a byte, else the bytes' newlines are counted, forward only.
 */
export class LineBytes {
  readonly #bytes: Buffer;
  readonly #text: RangeText;
  #textAt = 0;
  #byteAt = 0;

  constructor(bytes: Buffer, text: RangeText) {
    this.#bytes = bytes;
    this.#text = text;
  }

  /** Bytes [start, end) of the line that starts at `lineStart` in the text; ask in rising order. */
  locate(lineStart: number, lineEnd: number): { readonly start: number; readonly end: number } {
    if (this.#text.isAscii) return { start: lineStart, end: lineEnd };
    while (this.#textAt < lineStart) {
      const newline = this.#text.text.indexOf("\n", this.#textAt);
      if (newline === -1 || newline >= lineStart) break;
      this.#textAt = newline + 1;
      this.#byteAt = this.#bytes.indexOf(0x0a, this.#byteAt) + 1;
    }
    const newline = this.#bytes.indexOf(0x0a, this.#byteAt);
    let end = newline === -1 ? this.#bytes.length : newline;
    if (end > this.#byteAt && this.#bytes[end - 1] === 0x0d) end -= 1;
    return { start: this.#byteAt, end };
  }
}

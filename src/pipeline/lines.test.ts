import assert from "node:assert/strict";
import { test } from "node:test";
import { LineBytes, type LineCount, textOf, visitLines } from "./lines.js";

function split(
  bytes: Buffer,
  isFileStart = false,
): { lines: string[]; count: LineCount; places: [number, number][] } {
  const range = textOf(bytes, isFileStart);
  const count = { lines: 0, blank: 0 };
  const finder = new LineBytes(bytes, range);
  const lines: string[] = [];
  const places: [number, number][] = [];
  visitLines(range.text, range.start, count, (start, end) => {
    lines.push(range.text.slice(start, end));
    const place = finder.locate(start, end);
    places.push([place.start, place.end]);
    return false;
  });
  return { lines, count, places };
}

test("visitLines() takes CRLF, LF and an unterminated last line as line ends", () => {
  const { lines, count } = split(Buffer.from("a\r\nb\n\n \t\r\nc\rd\ne"));

  assert.deepEqual(lines, ["a", "b", "c\rd", "e"]);
  assert.deepEqual(count, { lines: 6, blank: 2 });
});

test("textOf() drops a byte order mark at the start of a file only", () => {
  const bytes = Buffer.from("\ufeffa\n");

  assert.deepEqual(split(bytes, true).lines, ["a"]);
  assert.deepEqual(split(bytes, false).lines, ["\ufeffa"]);
});

test("LineBytes.locate() finds the bytes of lines in text of any width", () => {
  const bytes = Buffer.concat([
    Buffer.from("ä😀\r\n\nplain\n€"),
    Buffer.from([0xff, 0x0a]),
    Buffer.from("end"),
  ]);

  const { places } = split(bytes);

  const found = places.map(([start, end]) => bytes.subarray(start, end).toString("latin1"));
  const expected = ["ä😀", "plain"].map((text) => Buffer.from(text).toString("latin1"));
  assert.deepEqual(found, [...expected, `${Buffer.from("€").toString("latin1")}\xff`, "end"]);
});

test("an empty text has no lines", () => {
  assert.deepEqual(split(Buffer.alloc(0)).count, { lines: 0, blank: 0 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { shareText, spanText, valueText } from "./numbers.js";
import { type Column, printable, table, textWidth } from "./table.js";

const columns: readonly Column[] = [
  { title: "name", align: "left", isCuttable: true },
  { title: "n", align: "right" },
  { title: "max", align: "right", drop: 0 },
  { title: "min", align: "right", drop: 1 },
];

test("table() leaves out columns in their stated order, then cuts labels, and never a number", () => {
  const rows = [["a-label-of-thirty-characters-xx", "1,234,567", "999,999", "1"]];

  const wide = table(columns, rows, 80);
  const middle = table(columns, rows, 45);
  const narrow = table(columns, rows, 20);

  assert.equal(wide.header, "name                                     n      max  min");
  assert.equal(middle.header.replace(/ +/g, " "), "name n max");
  assert.equal(narrow.header.replace(/ +/g, " "), "name n");
  assert.deepEqual(narrow.lines, ["a-label-…  1,234,567"]);
});

test("table() counts wide characters as two columns", () => {
  const { lines } = table(
    columns.slice(0, 2),
    [
      ["日本", "1"],
      ["abcd", "2"],
    ],
    80,
  );

  assert.deepEqual(lines, ["日本  1", "abcd  2"]);
  assert.equal(textWidth("e\u0301"), 1);
});

test("printable() lets no control character reach a terminal", () => {
  assert.equal(printable("a\u001b[31mb\tc\r\n\u202e"), "a\\u001b[31mb\\tc\\r\\n\\u202e");
});

test("valueText() keeps whole numbers whole and five digits of others", () => {
  assert.deepEqual(
    [12_480, 0, 0.073521, 1857.7, 123_456.789, 1e-7, Number.NaN, null, -2.5, -1_234_567, 10.00001].map(
      valueText,
    ),
    ["12,480", "0", "0.073521", "1,857.7", "123,457", "1.0000e-7", "NaN", "–", "-2.5", "-1,234,567", "10"],
  );
});

test("shareText() shows neither all nor nothing for what is not quite that", () => {
  assert.deepEqual([0, 0.00001, 0.5, 0.99999, 1].map(shareText), [
    "0.0 %",
    "<0.1 %",
    "50.0 %",
    ">99.9 %",
    "100.0 %",
  ]);
});

test("spanText() uses the unit that a person would", () => {
  assert.deepEqual([400, 12_300, 200_000, 7_800_000].map(spanText), [
    "0.4 s",
    "12 s",
    "3 min 20 s",
    "2 h 10 min",
  ]);
});

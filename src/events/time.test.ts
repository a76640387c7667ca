import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileTime, detectTime, type TimeFormat } from "./time.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));

function read(format: TimeFormat, value: unknown): number | undefined {
  return compileTime(format)(value);
}

test("iso reads every documented form", () => {
  const at = Date.UTC(2024, 6, 26, 8, 31, 48);
  const forms: [string, number][] = [
    ["2024-07-26T08:31:48Z", at],
    ["2024-07-26T08:31:48", at],
    ["2024-07-26 08:31:48", at],
    ["2024-07-26t08:31:48z", at],
    ["2024-07-26T08:31:48.717", at + 717],
    ["2024-07-26 08:31:48,717", at + 717],
    ["2024-07-26T08:31:48.5Z", at + 500],
    ["2024-07-26T10:31:48+02:00", at],
    ["2024-07-26T10:31:48+0200", at],
    ["2024-07-26T10:31:48+02", at],
    ["2024-07-26T03:01:48.000-05:30", at],
    ["2024-07-26 08:31:48 +0000", at],
    ["2024-07-26", Date.UTC(2024, 6, 26)],
    ["2024-07-26T08:31", Date.UTC(2024, 6, 26, 8, 31)],
    ["2024-07-26T08:31Z", Date.UTC(2024, 6, 26, 8, 31)],
    ["2024-07-26T08:31+02:00", Date.UTC(2024, 6, 26, 6, 31)],
    ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
  ];
  for (const [text, expected] of forms) assert.equal(read("iso", text), expected, text);
  assert.ok(
    Math.abs(read("iso", "2025-06-24T02:56:36.241836440")! - (Date.UTC(2025, 5, 24, 2, 56, 36) + 241.83644)) <
      0.001,
  );
});

test("iso refuses what is not a time", () => {
  for (const value of [
    "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2024-01-01T00:00:61Z",
    "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00.0123456789Z",
    "2024-01-01T00:00:00Zx",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+02:",
    "2024-01-01T00:00:00+2",
    "2024-01-01T00:00:0",
    "2024-01-01T00:00:",
    "2024-01-01T",
    "2024-1-1",
    "20240101",
    "yesterday",
    "",
    "+024-01-01",
    1720000000,
    null,
    undefined,
    true,
    {},
  ])
    assert.equal(read("iso", value), undefined, String(value));
});

test("iso agrees with Date for any instant and zone, through one reader with its cache", () => {
  const reader = compileTime("iso");
  fc.assert(
    fc.property(
      fc.date({
        min: new Date("0000-01-01T00:00:00Z"),
        max: new Date("9999-12-31T23:59:59.999Z"),
        noInvalidDate: true,
      }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (date, offsetMinutes) => {
        const iso = date.toISOString();
        const shift = Math.abs(offsetMinutes);
        const zone = `${offsetMinutes < 0 ? "-" : "+"}${String(Math.floor(shift / 60)).padStart(2, "0")}:${String(shift % 60).padStart(2, "0")}`;

        assert.equal(reader(iso), date.getTime());
        assert.equal(reader(iso.replace("Z", zone)), date.getTime() - offsetMinutes * 60_000);
      },
    ),
    { seed, numRuns: 500 },
  );
});

test("clf reads the access-log form", () => {
  assert.equal(read("clf", "10/Oct/2000:13:55:36 -0700"), Date.UTC(2000, 9, 10, 20, 55, 36));
  assert.equal(read("clf", "29/Feb/2024:00:00:00 +0530"), Date.UTC(2024, 1, 28, 18, 30));
  assert.equal(read("clf", "10/Oct/2000:13:55:36"), Date.UTC(2000, 9, 10, 13, 55, 36));
  for (const value of [
    "10/Okt/2000:13:55:36 -0700",
    "32/Oct/2000:13:55:36 -0700",
    "10/Oct/2000 13:55:36",
    "-",
    5,
  ])
    assert.equal(read("clf", value), undefined, String(value));
});

test("epoch formats take numbers and numeric strings", () => {
  assert.equal(read("s", 1721982700), 1721982700000);
  assert.equal(read("s", "1721982700.5"), 1721982700500);
  assert.equal(read("ms", 1721982700270), 1721982700270);
  assert.equal(read("us", "1721982700270123"), 1721982700270.123);
  assert.ok(Math.abs(read("ns", "1721982700270123456")! - 1721982700270.1235) < 0.001);
  for (const value of [
    "",
    " 5",
    "5s",
    "0x10",
    "1e3",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    null,
    true,
    [5],
  ])
    assert.equal(read("ms", value), undefined, String(value));
});

test("a reader's cached second does not leak into a different one", () => {
  const reader = compileTime("iso");
  assert.equal(reader("2024-07-26T08:31:48.1Z"), Date.UTC(2024, 6, 26, 8, 31, 48, 100));
  assert.equal(reader("2024-07-26T08:31:48.1+01:00"), Date.UTC(2024, 6, 26, 7, 31, 48, 100));
  assert.equal(reader("2024-07-26T08:31:49Z"), Date.UTC(2024, 6, 26, 8, 31, 49));
  assert.equal(reader("2024-07-26"), Date.UTC(2024, 6, 26));
  assert.equal(reader("2024-07-26T08:31:48x"), undefined);
});

test("detectTime() takes the format that all samples share", () => {
  assert.equal(detectTime(["2024-07-26T08:31:48.717", undefined, "2024-07-26"]), "iso");
  assert.equal(detectTime(["10/Oct/2000:13:55:36 -0700"]), "clf");
  assert.equal(detectTime([1721982700]), "s");
  assert.equal(detectTime([1721982700.25, "1721982701"]), "s");
  assert.equal(detectTime([1721982700270, null]), "ms");
  assert.equal(detectTime(["1721982700270123"]), "us");
  assert.equal(detectTime(["1721982700270123456"]), "ns");
});

test("detectTime() says nothing when samples disagree, are out of range, or absent", () => {
  for (const samples of [
    [],
    [undefined, null],
    [1721982700, 1721982700270],
    ["2024-07-26", "10/Oct/2000:13:55:36 -0700"],
    [42],
    [12345678901234],
    ["2024-07-26", "soon"],
    [true],
  ])
    assert.equal(detectTime(samples), undefined);
});

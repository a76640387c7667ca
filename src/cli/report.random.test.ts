import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { folderWith, runHere } from "./cli.testkit.js";
import { type Asked, type Expected, expectedReport, find } from "./report-oracle.testkit.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const relativeErrorMax = 0.010831;

interface Row {
  readonly by: Record<string, string | null>;
  readonly [statistic: string]: unknown;
}

const raw = (text: string): fc.Arbitrary<string> => fc.constant(text);
const word = fc.constantFrom(
  "a",
  "b",
  "é",
  "\u{1f600}",
  "\uffff",
  "\ue000",
  "",
  "open",
  "1",
  "null",
  "a.b",
  "\u0000",
);
const written = fc.oneof(
  word.map((text) => JSON.stringify(text)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)),
  fc.integer({ min: -5, max: 1000 }).map(String),
  ...['"12.5"', '"1e3"', '"x"', "1e400", "-0", "0.0", "1E2", "1e308", "5e-324", "true", "null", '""'].map(
    raw,
  ),
  ...['{"b":1}', '{"b":{"c":"deep"}}', "[1,2]", '["x",{"b":"in"}]', "{}", "[]", '"\\u0061"', '"a\\nb"'].map(
    raw,
  ),
);
const key = fc.constantFrom("a", "b", "a.b", "n", "n", "v", "__proto__", "toString", "0");
const member = fc.tuple(key, written, fc.constantFrom(":", ": ", " :")).map(([k, v, sep]) => {
  const name = k === "a" && v.length % 7 === 0 ? '"\\u0061"' : JSON.stringify(k);
  return `${name}${sep}${v}`;
});
const object = fc.array(member, { maxLength: 5 }).map((members) => `{${members.join(",")}}`);
/** Most lines of a log look alike, and the decoder learns how. */
const usual = fc
  .tuple(word, fc.double({ noNaN: true, noDefaultInfinity: true }), written)
  .map(
    ([a, n, v]) =>
      `{"a":${JSON.stringify(a)},"n":${JSON.stringify(n)},"m":${v.length},"v":${v},"c":{"b":${v}}}`,
  );
const line = fc.oneof(
  { weight: 6, arbitrary: usual },
  { weight: 6, arbitrary: object },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(object, written), { maxLength: 3 }).map((all) => `[${all.join()}]`),
  },
  { weight: 1, arbitrary: written },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      " \t",
      "{",
      '{"a":1',
      "{'a':1}",
      "\u0000",
      "\ufeff{}",
      "{}{}",
      '{"a":1}\r',
    ),
  },
);
const ending = fc.constantFrom("\n", "\n", "\n", "\r\n");
const file = fc
  .record({
    start: fc.constantFrom("", "", "\ufeff"),
    lines: fc.array(fc.tuple(line, ending), { minLength: 80, maxLength: 200, size: "max" }),
    end: fc.constantFrom("", '{"a":"last","n":1}', '{"a":"x\xff'),
  })
  .map(({ start, lines, end }) =>
    Buffer.concat([Buffer.from(start + lines.flat().join("")), Buffer.from(end, "latin1")]),
  );

const conditions: readonly [cel: string | undefined, asked: Pick<Asked, "where">][] = [
  ...Array<[undefined, object]>(5).fill([undefined, {}]),
  ["has(a)", { where: (event) => Object.hasOwn(event, "a") }],
  ['v == "open"', { where: (event) => event.v === "open" }],
  ["a.b == 1", { where: (event) => find(event, ["a", "b"]) === 1 }],
  ["type(n) == double && n > 3", { where: ({ n }) => typeof n === "number" && n > 3 }],
];
const question = fc.record({
  by: fc.uniqueArray(fc.constantFrom("a", "a.b", "v", "c.b", "toString", "a.0", "a.1.b"), { maxLength: 2 }),
  values: fc.uniqueArray(fc.constantFrom("n", "n", "m", "v"), { maxLength: 2 }),
  condition: fc.constantFrom(...conditions),
});

test(`report answers what the plainest program computes (POUNDLOCK_SEED=${seed})`, async (t) => {
  const property = fc.asyncProperty(
    fc.array(file, { minLength: 1, maxLength: 2 }),
    question,
    async (files, asked) => {
      const { by, values, condition } = asked;
      const names = files.map((_, i) => `${i}.jsonl`);
      const folder = await folderWith(t, Object.fromEntries(names.map((name, i) => [name, files[i]!])));
      const [cel, where] = condition;

      const { code, out, err } = await runHere([
        "report",
        ...names.map((name) => join(folder, name)),
        "--json",
        ...(cel === undefined && by.length + values.length > 0 ? [] : ["--where", cel ?? "true"]),
        ...by.flatMap((field) => ["--by", field]),
        ...values.flatMap((field) => ["--value", `${field}=x`]),
      ]);

      assert.equal(code, 0, err);
      check(out, expectedReport(files, { by, values, ...where }), { by, values });
    },
  );
  await fc.assert(property, { seed, numRuns: 12 });
});

function check(out: string, expected: Expected, asked: Pick<Asked, "by" | "values">): void {
  const { ledger, metrics } = JSON.parse(out) as {
    ledger: Record<string, number>;
    metrics: { name: string; groups: Row[] }[];
  };
  const { accepted, settled, dead, dropped } = expected;
  const moving = { waiting: 0, leased: 0, retrying: 0, duplicate: 0, lost: 0, unaccounted: 0 };
  assert.deepEqual(ledger, { ...moving, accepted, settled, dead, dropped });
  const named = (by: readonly (string | null)[]): Row["by"] =>
    Object.fromEntries(asked.by.map((field, i) => [field, by[i] ?? null]));
  const counts = expected.groups.map(({ by, events }) => ({ by: named(by), value: events }));
  const isEmpty = counts.length === 0 && asked.by.length === 0;
  assert.deepEqual(metrics[0]?.groups, isEmpty ? [{ by: {}, value: 0 }] : counts);
  assert.deepEqual(
    metrics.map(({ name }) => name),
    ["events", ...asked.values],
  );
  for (const [i] of asked.values.entries()) {
    const measured = expected.groups.filter(({ observed }) => observed[i]!.length > 0);
    const groups = metrics[i + 1]!.groups;
    assert.deepEqual(
      groups.map(({ by, n, min, max }) => ({ by, n, min, max })),
      measured.map(({ by, observed }) => {
        const sorted = observed[i]!;
        // JSON has no -0.
        return { by: named(by), n: sorted.length, min: sorted[0]! + 0, max: sorted.at(-1)! + 0 };
      }),
    );
    for (const [at, group] of groups.entries()) checkShape(group, measured[at]!.observed[i]!);
  }
}

function checkShape(group: Row, sorted: readonly number[]): void {
  // Halves of the mean: the sum of large values may lie outside of the doubles.
  const scale = Math.max(...sorted.map(Math.abs));
  const mean = sorted.reduce((sum, value) => sum + value / sorted.length, 0);
  assert.ok(
    Math.abs((group.mean as number) - mean) <= 1e-9 * scale + Number.MIN_VALUE * sorted.length,
    `mean ${String(group.mean)}, expected ${mean}`,
  );
  for (const q of [50, 90, 95, 99]) {
    const exact = sorted[Math.max(0, Math.ceil((q * sorted.length) / 100) - 1)]!;
    const got = group[`p${q}`] as number;
    const error = Math.abs(got - exact);
    assert.ok(error <= relativeErrorMax * Math.abs(exact) + 5e-324, `p${q} ${got}, expected ${exact}`);
  }
}

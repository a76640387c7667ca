import assert from "node:assert/strict";
import { test } from "node:test";
import { foldText } from "../../test/kit/fold.js";
import { countOf } from "../store/index.js";
import type { MetricRule, Rules, SourceRule } from "./rules.js";

const source: SourceRule = { name: "app", format: { kind: "json" }, time: { kind: "none" } };
const events: MetricRule = { name: "events", kind: "count", from: [], by: ["status"] };

function rulesOf(change: Partial<SourceRule>, ...metrics: MetricRule[]): Rules {
  return { sources: [{ ...source, ...change }], metrics };
}

function counts(folded: ReturnType<typeof foldText>, metric = "events"): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of folded.cells.filter((cell) => cell.metric === metric)) {
    const key = JSON.stringify(one.group);
    sums[key] = (sums[key] ?? 0) + countOf(one.cell);
  }
  return sums;
}

test("Fold counts events by group, an absent and a null field being one group", () => {
  const folded = foldText(
    rulesOf({}, events),
    '{"status":"open"}\n{"status":"open"}\n{"status":null}\n{}\n{"status":1}\n{"status":"1"}\n{"status":true}\n{"status":{"a":1}}\n',
  );

  assert.deepEqual(counts(folded), {
    '["open"]': 2,
    "[null]": 2,
    '["1"]': 2,
    '["true"]': 1,
    '["{\\"a\\":1}"]': 1,
  });
});

test("Fold posts what the splitter counted as accepted and what became of it", () => {
  const lines = [
    '{"status":"a"}',
    "",
    "not json",
    '[{"status":"b"},{"status":"c"},3]',
    "[]",
    '{"status":"x","skip":true}',
  ];
  const folded = foldText(rulesOf({ where: "status != 'x'" }, events), `${lines.join("\n")}\n`);

  const posting = folded.parts[0]?.posting;

  assert.equal(folded.parts.length, 1);
  assert.deepEqual(
    {
      accepted: posting?.accepted,
      settled: posting?.settled,
      dead: posting?.dead,
      dropped: posting?.dropped,
    },
    { accepted: 6, settled: 3, dead: 2, dropped: 1 },
  );
  assert.deepEqual(
    folded.parts[0]?.failures.map(({ reason, at }) => [reason, at.kind === "file" && at.offset, at.index]),
    [
      ["parse", 16, 0],
      ["shape", 25, 2],
    ],
  );
  assert.equal(Buffer.from(folded.parts[0]?.failures[0]?.bytes ?? []).toString(), "not json");
});

test("Fold gives an event all of its effects or none", () => {
  const latency: MetricRule = { name: "ms", kind: "distribution", value: "d", unit: "ms", from: [], by: [] };
  const folded = foldText(
    rulesOf({}, events, latency),
    '{"status":"a","d":5}\n{"status":"a","d":"x"}\n{"status":"a","d":1e400}\n{"status":"a"}\n{"status":"a","d":"2.5"}\n',
  );

  assert.deepEqual(counts(folded), { '["a"]': 3 });
  assert.deepEqual(counts(folded, "ms"), { "[]": 2 });
  assert.deepEqual(folded.parts[0]?.posting.absent, { d: 1 });
  assert.deepEqual(
    folded.parts[0]?.failures.map(({ reason }) => reason),
    ["value", "value"],
  );
});

test("Fold puts an event's cells into the second of its time", () => {
  const rules = rulesOf({ time: { kind: "field", path: "t", format: "ms" } }, events);
  const folded = foldText(rules, '{"t":1000}\n{"t":1999.5}\n{"t":2000}\n{}\n{"t":"yesterday"}\n');

  assert.deepEqual(
    folded.cells.map(({ slot, cell }) => [slot?.startMs, slot?.widthMs, countOf(cell)]),
    [
      [1000, 1000, 2],
      [2000, 1000, 1],
      [undefined, undefined, 1],
    ],
  );
  assert.equal(folded.parts[0]?.newestMs, 2000);
  assert.deepEqual(
    folded.parts[0]?.failures.map(({ reason }) => reason),
    ["time"],
  );
});

test("Fold cuts a range into parts that are each small and together the whole", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `{"status":"é${i % 200}"}`);
  const folded = foldText(rulesOf({}, events), `${lines.join("\n")}\nbroken\n`, { cellsMax: 50 });

  const whole = counts(folded);

  assert.ok(folded.parts.length > 10);
  assert.equal(Object.keys(whole).length, 200);
  assert.ok(Object.values(whole).every((n) => n === 5));
  assert.equal(folded.parts.at(-1)?.end, Buffer.byteLength(`${lines.join("\n")}\nbroken\n`));
  assert.equal(
    folded.parts.reduce((sum, part) => sum + part.posting.accepted, 0),
    1001,
  );
  const ends = folded.parts.map((part) => part.end);
  const text = Buffer.from(`${lines.join("\n")}\nbroken\n`);
  assert.ok(ends.every((end) => text[end - 1] === 0x0a));
});

test("Fold widens old slots before it cuts, as the store would", () => {
  const rules = rulesOf({ time: { kind: "field", path: "t", format: "s" } }, { ...events, by: [] });
  const lines = Array.from({ length: 3600 }, (_, i) => `{"t":${1_700_000_000 + i}}`);
  const folded = foldText(rules, lines.join("\n"), { cellsMax: 1000 });

  const widths = new Set(folded.cells.map(({ slot }) => slot?.widthMs));

  assert.ok(widths.has(1000) && widths.has(10_000));
  assert.equal(
    folded.cells.reduce((sum, { cell }) => sum + countOf(cell), 0),
    3600,
  );
  for (const { slot } of folded.cells) assert.equal((slot?.startMs ?? 0) % (slot?.widthMs ?? 1), 0);
});

test("Fold ends a line that is too long as a dead letter and keeps its first bytes", () => {
  const long = `{"status":"${"ä".repeat(3000)}"}`;
  const folded = foldText(rulesOf({}, events), `{"status":"a"}\n${long}\n{"status":"a"}\n`, {
    lineBytesMax: 4096,
    deadBytesMax: 10,
  });

  const [failure] = folded.parts[0]?.failures ?? [];

  assert.deepEqual(counts(folded), { '["a"]': 2 });
  assert.equal(failure?.reason, "oversize");
  assert.equal(failure?.length, Buffer.byteLength(long));
  assert.equal(failure?.bytes.length, 10);
});

test("Fold takes the gauge that is newest by time, then by place", () => {
  const gauge: MetricRule = { name: "g", kind: "gauge", value: "v", unit: "x", from: [], by: [] };
  const rules = rulesOf({ time: { kind: "field", path: "t", format: "ms" } }, gauge);
  const folded = foldText(
    { ...rules, hasSlots: false },
    '{"t":5,"v":1}\n{"t":9,"v":2}\n{"t":9,"v":3}\n{"t":1,"v":4}\n',
  );

  const cell = folded.cells[0]?.cell;

  assert.equal(cell?.kind === "gauge" ? cell.value : undefined, 3);
  assert.equal(cell?.kind === "gauge" ? cell.n : undefined, 4);
});

test("a condition on an absent field does not hold and is counted", () => {
  const slow: MetricRule = { ...events, name: "events", where: "d > 100" };
  const folded = foldText(
    rulesOf({}, slow),
    '{"status":"a","d":500}\n{"status":"a","d":5}\n{"status":"a"}\n{"status":"a","d":"x"}\n',
  );

  assert.deepEqual(counts(folded), { '["a"]': 1 });
  assert.deepEqual(folded.parts[0]?.posting.absent, { "d > 100": 1 });
  assert.deepEqual(
    folded.parts[0]?.failures.map(({ reason }) => reason),
    ["expression"],
  );
});

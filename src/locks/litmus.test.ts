import assert from "node:assert/strict";
import { test } from "node:test";
import { LitmusWorld, meetings, permutations, runAlone, type Shapes } from "./litmus.testkit.js";

interface Litmus {
  /** Number in the catalogue, for looking it up; several rows of one number are its modes. */
  readonly number: number;
  readonly tasks: readonly string[];
  readonly shapes?: Shapes;
  /** What is said when each task runs while nobody else does. `note`: kept, and nobody is stopped. */
  readonly alone: "clean" | "note" | "LOCK_ORDER" | "LOCK_LEVEL" | "LOCK_SELF_DEADLOCK";
  /** Which task is told, counted from 1, when they run as they stand here. */
  readonly at?: number;
  /** What the finding says beyond that. */
  readonly says?: RegExp;
  /** The tasks that meet, where others than those that ran alone. */
  readonly meeting?: readonly string[];
  /** What becomes of the worst meeting. */
  readonly together: "clean" | "deadlock";
  /** Tasks in each cycle. */
  readonly cycle?: number;
}

const fair = { kind: "fair" } as const;
const first = { kind: "readers first" } as const;
const keyed = { kind: "keyed" } as const;
const allFirst = { A: first, B: first, C: first };
const allFair = { A: fair, B: fair, C: fair };
const ring = ["A B", "B C", "C D", "D E", "E A"];

const catalogue: readonly Litmus[] = [
  { number: 1, tasks: ["A A"], alone: "LOCK_SELF_DEADLOCK", together: "deadlock" },
  { number: 2, tasks: ["A1 A2"], alone: "LOCK_ORDER", says: /one class are nested/, together: "clean" },
  {
    number: 3,
    tasks: ["A1 A2"],
    meeting: ["A1 A2", "A1 A2"],
    shapes: { A: keyed },
    alone: "clean",
    together: "clean",
  },
  { number: 4, tasks: ["A2 A1"], shapes: { A: keyed }, alone: "LOCK_ORDER", together: "clean" },
  { number: 5, tasks: ["A B", "B A"], alone: "LOCK_ORDER", at: 2, together: "deadlock", cycle: 2 },
  { number: 6, tasks: ["A B", "B C", "C A"], alone: "LOCK_ORDER", at: 3, together: "deadlock", cycle: 3 },
  { number: 7, tasks: ["A B", "C A", "B C"], alone: "LOCK_ORDER", at: 3, together: "deadlock", cycle: 3 },
  {
    number: 8,
    tasks: ["A B", "B C", "C D", "D A"],
    alone: "LOCK_ORDER",
    at: 4,
    together: "deadlock",
    cycle: 4,
  },
  {
    number: 9,
    tasks: ["A B", "C D", "B D", "D A"],
    alone: "LOCK_ORDER",
    at: 4,
    says: /A → B → D → A|D → A → B → D|B → D → A → B/,
    together: "deadlock",
    cycle: 3,
  },
  {
    number: 10,
    tasks: ["A B", "C D", "B C", "D A"],
    alone: "LOCK_ORDER",
    at: 4,
    together: "deadlock",
    cycle: 4,
  },
  { number: 11, tasks: ring, alone: "LOCK_ORDER", at: 5, together: "deadlock", cycle: 5 },
  { number: 12, tasks: [...ring.slice(0, 4), "A E"], alone: "clean", together: "clean" },
  {
    number: 13,
    tasks: ["r(A) B r(C)", "W(A) B W(C)", "r(A) r(C)"],
    shapes: { A: fair, C: fair },
    alone: "clean",
    together: "clean",
  },
  {
    number: 13,
    tasks: ["R(A) B R(C)", "W(A) B W(C)", "R(A) R(C)"],
    shapes: { A: first, C: first },
    alone: "clean",
    together: "clean",
  },
  { number: 16, tasks: ["R(A) R(A)", "W(A)"], shapes: { A: first }, alone: "clean", together: "clean" },
  {
    number: 17,
    tasks: ["r(A) r(A)", "W(A)"],
    shapes: { A: fair },
    alone: "LOCK_ORDER",
    says: /a writer stands in line/,
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 18,
    tasks: ["R(A) W(A)"],
    shapes: { A: first },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 18,
    tasks: ["r(A) W(A)"],
    shapes: { A: fair },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 19,
    tasks: ["r(A) up(A)", "r(A) up(A)"],
    shapes: { A: fair },
    alone: "clean",
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 19,
    tasks: ["R(A) up(A)", "R(A) up(A)"],
    shapes: { A: first },
    alone: "clean",
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 20,
    tasks: ["W(A) R(A)"],
    shapes: { A: first },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 20,
    tasks: ["W(A) r(A)"],
    shapes: { A: fair },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 20,
    tasks: ["W(A) W(A)"],
    shapes: { A: fair },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 21,
    tasks: ["R(A) B", "B W(A)"],
    shapes: { A: first },
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 21,
    tasks: ["r(A) B", "B W(A)"],
    shapes: { A: fair },
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 22,
    tasks: ["R(A) B", "B R(A)"],
    meeting: ["R(A) B", "B R(A)", "W(A)"],
    shapes: { A: first },
    alone: "clean",
    together: "clean",
  },
  {
    number: 23,
    tasks: ["r(A) B", "B r(A)"],
    meeting: ["r(A) B", "B r(A)", "W(A)"],
    shapes: { A: fair },
    alone: "LOCK_ORDER",
    says: /a writer stands in line/,
    together: "deadlock",
    cycle: 3,
  },
  {
    number: 24,
    tasks: ["R(A) B", "B R(A)", "B W(A)"],
    shapes: { A: first },
    alone: "LOCK_ORDER",
    at: 3,
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 25,
    tasks: ["W(A) R(B)", "W(B) R(C)", "W(C) R(A)"],
    shapes: allFirst,
    alone: "LOCK_ORDER",
    at: 3,
    together: "deadlock",
    cycle: 3,
  },
  {
    number: 25,
    tasks: ["W(A) r(B)", "W(B) r(C)", "W(C) r(A)"],
    shapes: allFair,
    alone: "LOCK_ORDER",
    at: 3,
    together: "deadlock",
    cycle: 3,
  },
  {
    number: 26,
    tasks: ["W(A) W(B)", "R(B) R(C)", "W(C) R(A)"],
    shapes: allFirst,
    alone: "LOCK_ORDER",
    at: 3,
    together: "deadlock",
    cycle: 3,
  },
  {
    number: 27,
    tasks: ["W(A) W(B)", "R(B) R(C)", "R(C) W(A)"],
    shapes: allFirst,
    alone: "clean",
    together: "clean",
  },
  {
    number: 28,
    tasks: ["W(A) R(B)", "R(B) R(C)", "W(C) W(A)"],
    shapes: allFirst,
    alone: "clean",
    together: "clean",
  },
  {
    number: 29,
    tasks: ["W(A) R(B) W(C)", "W(C) W(A)"],
    shapes: allFirst,
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  { number: 30, tasks: ["G A B", "G B A"], alone: "note", says: /kept apart by G/, together: "clean" },
  {
    number: 31,
    tasks: ["r(G) A B", "r(G) B A"],
    shapes: { G: fair },
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 31,
    tasks: ["R(G) A B", "R(G) B A"],
    shapes: { G: first },
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  { number: 32, tasks: ["X Y1 Z Y2"], meeting: ["X Y1 Z Y2", "X Y2 Z Y1"], alone: "note", together: "clean" },
  { number: 34, tasks: ["try(A) B", "B A"], alone: "LOCK_ORDER", together: "deadlock", cycle: 2 },
  { number: 35, tasks: ["A try(B)", "B A"], alone: "clean", together: "clean" },
  { number: 36, tasks: ["try(A) try(B)", "try(B) try(A)"], alone: "clean", together: "clean" },
  {
    number: 37,
    tasks: ["H L"],
    shapes: { H: { level: 20 }, L: { level: 10 } },
    alone: "LOCK_LEVEL",
    together: "clean",
  },
  { number: 43, tasks: ["A B", "A", "B"], alone: "clean", together: "clean" },
  {
    number: 44,
    tasks: ["W(A)", "r(A) C", "r(A) C", "C"],
    shapes: { A: fair },
    alone: "clean",
    together: "clean",
  },
  { number: 45, tasks: ["A B", "B A", "A"], alone: "LOCK_ORDER", together: "deadlock", cycle: 2 },
  {
    number: 46,
    tasks: ["S S"],
    shapes: { S: { permits: 1 } },
    alone: "LOCK_SELF_DEADLOCK",
    together: "deadlock",
  },
  {
    number: 47,
    tasks: ["S S"],
    meeting: ["S S", "S S"],
    shapes: { S: { permits: 2 } },
    alone: "LOCK_ORDER",
    says: /takes 2 tasks/,
    together: "deadlock",
    cycle: 2,
  },
  {
    number: 48,
    tasks: ["S S"],
    meeting: ["S S", "S S"],
    shapes: { S: { permits: 3 } },
    alone: "LOCK_ORDER",
    says: /takes 3 tasks/,
    together: "clean",
  },
  {
    number: 49,
    tasks: ["S"],
    meeting: ["S S", "S"],
    shapes: { S: { permits: 2 } },
    alone: "clean",
    together: "clean",
  },
  {
    number: 53,
    tasks: ["A1 A2", "A2 A1"],
    shapes: { A: keyed },
    alone: "LOCK_ORDER",
    together: "deadlock",
    cycle: 2,
  },
  { number: 61, tasks: ["A B C", "C A"], alone: "LOCK_ORDER", together: "deadlock", cycle: 2 },
];

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const meetingsMax = process.env.POUNDLOCK_ORACLE === "full" ? 20_000 : 60;

for (const litmus of catalogue) {
  const { number, tasks, shapes = {}, alone, at, says, together, cycle } = litmus;
  const about = `${number}: ${tasks.join(" / ")}${kindsOf(shapes)}`;

  test(`litmus ${about}, one after the other: ${alone}`, async () => {
    const orders = alone === "clean" || at === undefined || number !== 24 ? permutations(tasks) : [tasks];
    for (const order of orders) {
      const throwing = new LitmusWorld(shapes, { onFinding: "throw" });
      const codes = (await runAlone(throwing, order)).map(({ code }) => code);
      const expected = alone === "clean" || alone === "note" ? [] : [alone];
      const said = codes.filter((code) => code !== undefined);
      assert.deepEqual(said, expected, order.join(" / "));
      if (at !== undefined && order.every((task, index) => task === tasks[index]))
        assert.equal(codes[at - 1], alone);

      const collecting = new LitmusWorld(shapes, { onFinding: "collect" });
      const collected = (await runAlone(collecting, order)).map(({ code }) => code);
      const isRefused = alone === "LOCK_SELF_DEADLOCK";
      assert.deepEqual(
        collected.filter((code) => code !== undefined),
        isRefused ? [alone] : [],
      );
      for (const { domain } of [throwing, collecting]) {
        const kinds = domain.findings.map(({ kind }) => kind);
        assert.deepEqual(kinds, findingsOf(alone), order.join(" / "));
        if (says !== undefined) assert.match(domain.findings[0]?.message ?? "", says);
      }
    }
  });

  test(`litmus ${about}, together: ${together} (seed ${seed})`, async () => {
    const programs = litmus.meeting ?? tasks;
    let deadlocks = 0;
    let count = 0;
    for await (const meeting of meetings(shapes, programs, { max: meetingsMax, random: randomFrom(seed) })) {
      count += 1;
      const { ends, schedule, world, isHung } = meeting;
      const context = `${programs.join(" / ")}, steps of ${schedule.join(" ")}`;
      assert.equal(isHung, false, `hangs: ${context}`);
      for (const { code, cycle: tasksOf, message } of ends) {
        if (code === undefined) continue;
        deadlocks += 1;
        assert.ok(together === "deadlock", `${code} ${context}`);
        if (code === "LOCK_DEADLOCK" && cycle !== undefined)
          assert.equal(tasksOf.length, cycle, `${message}\n${context}`);
      }
      assert.deepEqual(world.domain.report().locks, [], `something is held: ${context}`);
    }
    assert.equal(deadlocks > 0, together === "deadlock", `${deadlocks} deadlocks in ${count} meetings`);
  });
}

function findingsOf(alone: Litmus["alone"]): readonly string[] {
  if (alone === "LOCK_ORDER") return ["order"];
  if (alone === "LOCK_LEVEL") return ["level"];
  return alone === "note" ? ["note"] : [];
}

function kindsOf(shapes: Shapes): string {
  const kinds = Object.entries(shapes).map(([name, { kind, permits, level }]) => {
    const what =
      permits === undefined ? (level === undefined ? kind : `level ${level}`) : `${permits} permits`;
    return `${name} ${what}`;
  });
  return kinds.length === 0 ? "" : ` (${kinds.join(", ")})`;
}

/** The same numbers for the same seed. */
function randomFrom(start: number): () => number {
  let state = start | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

import assert from "node:assert/strict";
import test from "node:test";
import { type OrderFinding, OrderGraph } from "./index.js";
import { type ClassShape, World } from "./lock-programs.testkit.js";
import { runAlone } from "./run-alone.testkit.js";

type Verdict = OrderFinding["severity"] | "clean";

interface Litmus {
  /** Number in the catalogue, for looking it up. */
  readonly number: number;
  readonly about: string;
  readonly tasks: readonly string[];
  readonly classes?: Readonly<Record<string, ClassShape>>;
  readonly expect: Verdict;
  readonly kind?: OrderFinding["kind"];
  readonly needs?: number;
  readonly gatedBy?: string;
  /** Which task's run shows it, counted from 1; only where every task stands in the catalogue's order. */
  readonly at?: number;
  /** The verdict holds in whatever order the tasks run. */
  readonly isSameInAnyOrder?: boolean;
}

const ascending: ClassShape = { compare: (held, wanted) => Number(held) - Number(wanted) };
const fair: ClassShape = { kind: "read-write" };
const readersFirst: ClassShape = { kind: "read-write", isReaderPreferring: true };
const permits = (count: number): ClassShape => ({ kind: "semaphore", permits: count });
const allReadersFirst = { A: readersFirst, B: readersFirst, C: readersFirst };

const catalogue: readonly Litmus[] = [
  { number: 1, about: "the same lock twice", tasks: ["A A"], expect: "certain", kind: "nested-self" },
  { number: 2, about: "two locks of a class", tasks: ["A1 A2"], expect: "feasible", kind: "same-class" },
  { number: 3, about: "ascending keys", tasks: ["A1 A2"], classes: { A: ascending }, expect: "clean" },
  {
    number: 4,
    about: "descending keys",
    tasks: ["A2 A1"],
    classes: { A: ascending },
    expect: "feasible",
    kind: "same-class",
  },
  { number: 5, about: "ABBA", tasks: ["A B", "B A"], expect: "feasible", at: 2, isSameInAnyOrder: true },
  {
    number: 6,
    about: "AB BC CA",
    tasks: ["A B", "B C", "C A"],
    expect: "feasible",
    at: 3,
    isSameInAnyOrder: true,
  },
  { number: 7, about: "AB CA BC", tasks: ["A B", "C A", "B C"], expect: "feasible", at: 3 },
  {
    number: 8,
    about: "a cycle of four",
    tasks: ["A B", "B C", "C D", "D A"],
    expect: "feasible",
    at: 4,
    isSameInAnyOrder: true,
  },
  {
    number: 9,
    about: "AB CD BD DA",
    tasks: ["A B", "C D", "B D", "D A"],
    expect: "feasible",
    at: 4,
    isSameInAnyOrder: true,
  },
  {
    number: 10,
    about: "AB CD BC DA",
    tasks: ["A B", "C D", "B C", "D A"],
    expect: "feasible",
    at: 4,
    isSameInAnyOrder: true,
  },
  {
    number: 11,
    about: "five philosophers, left fork first",
    tasks: ["A B", "B C", "C D", "D E", "E A"],
    expect: "feasible",
    at: 5,
    isSameInAnyOrder: true,
  },
  {
    number: 12,
    about: "five philosophers, the last one right fork first",
    tasks: ["A B", "B C", "C D", "D E", "A E"],
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 13,
    about: "always the same order, mixed modes",
    tasks: ["r(A) B r(C)", "W(A) B C", "A C", "B C", "r(A) r(C)"],
    classes: { A: fair, C: fair },
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 16,
    about: "reading twice past a writer",
    tasks: ["R(A) R(A)"],
    classes: { A: readersFirst },
    expect: "clean",
  },
  {
    number: 17,
    about: "reading a fair lock twice",
    tasks: ["r(A) r(A)"],
    classes: { A: fair },
    expect: "feasible",
    kind: "nested-self",
  },
  {
    number: 18,
    about: "reading, then writing",
    tasks: ["R(A) W(A)"],
    classes: { A: readersFirst },
    expect: "certain",
  },
  {
    number: 18,
    about: "reading a fair lock, then writing",
    tasks: ["r(A) W(A)"],
    classes: { A: fair },
    expect: "certain",
  },
  {
    number: 20,
    about: "writing, then reading",
    tasks: ["W(A) R(A)"],
    classes: { A: readersFirst },
    expect: "certain",
  },
  {
    number: 20,
    about: "writing a fair lock, then reading",
    tasks: ["W(A) r(A)"],
    classes: { A: fair },
    expect: "certain",
  },
  {
    number: 21,
    about: "a reader against a writer",
    tasks: ["R(A) B", "B W(A)"],
    classes: { A: readersFirst },
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 21,
    about: "a fair reader against a writer",
    tasks: ["r(A) B", "B W(A)"],
    classes: { A: fair },
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 22,
    about: "readers that pass writers, in opposite orders",
    tasks: ["R(A) B", "B R(A)"],
    classes: { A: readersFirst },
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 23,
    about: "fair readers in opposite orders",
    tasks: ["r(A) B", "B r(A)"],
    classes: { A: fair },
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 24,
    about: "22, then a writer on the same path",
    tasks: ["R(A) B", "B R(A)", "B W(A)"],
    classes: { A: readersFirst },
    expect: "feasible",
    at: 3,
  },
  {
    number: 25,
    about: "W1R2 W2R3 W3R1",
    tasks: ["W(A) R(B)", "W(B) R(C)", "W(C) R(A)"],
    classes: allReadersFirst,
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 26,
    about: "W1W2 R2R3 W3R1",
    tasks: ["W(A) W(B)", "R(B) R(C)", "W(C) R(A)"],
    classes: allReadersFirst,
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 27,
    about: "W1W2 R2R3 R3W1",
    tasks: ["W(A) W(B)", "R(B) R(C)", "R(C) W(A)"],
    classes: allReadersFirst,
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 28,
    about: "W1R2 R2R3 W3W1",
    tasks: ["W(A) R(B)", "R(B) R(C)", "W(C) W(A)"],
    classes: allReadersFirst,
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 29,
    about: "an edge from the outer hold, past a reader",
    tasks: ["W(A) R(B) W(C)", "W(C) W(A)"],
    classes: allReadersFirst,
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 30,
    about: "a gate",
    tasks: ["G A B", "G B A"],
    expect: "gated",
    gatedBy: "G",
    isSameInAnyOrder: true,
  },
  {
    number: 31,
    about: "a gate that both only read",
    tasks: ["r(G) A B", "r(G) B A"],
    classes: { G: fair },
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 32,
    about: "locks of a class under an outer lock",
    tasks: ["X Y1 Z Y2"],
    classes: {},
    expect: "gated",
    gatedBy: "X",
    kind: "same-class",
  },
  {
    number: 34,
    about: "what was tried counts as held",
    tasks: ["try(A) B", "B A"],
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 35,
    about: "trying waits for nobody",
    tasks: ["A try(B)", "B A"],
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 36,
    about: "only trying",
    tasks: ["try(A) try(B)", "try(B) try(A)"],
    expect: "clean",
    isSameInAnyOrder: true,
  },
  {
    number: 40,
    about: "children that don't hold each other's locks",
    tasks: ["A B", "A C", "B", "C"],
    expect: "clean",
    isSameInAnyOrder: true,
  },
  { number: 43, about: "a convoy", tasks: ["A", "A", "B", "A"], expect: "clean", isSameInAnyOrder: true },
  {
    number: 46,
    about: "a limiter of one, nested",
    tasks: ["S S"],
    classes: { S: permits(1) },
    expect: "certain",
  },
  {
    number: 47,
    about: "a limiter of two, nested",
    tasks: ["S S"],
    classes: { S: permits(2) },
    expect: "feasible",
    needs: 2,
  },
  {
    number: 48,
    about: "a limiter of three, nested",
    tasks: ["S S"],
    classes: { S: permits(3) },
    expect: "feasible",
    needs: 3,
  },
  {
    number: 53,
    about: "keys one by one in both orders",
    tasks: ["A1 A2", "A2 A1"],
    classes: { A: ascending },
    expect: "feasible",
    isSameInAnyOrder: true,
  },
  {
    number: 54,
    about: "a condition's lock taken again",
    tasks: ["A B -A A"],
    expect: "feasible",
    kind: "order",
  },
  {
    number: 61,
    about: "an order past a lock that is gone",
    tasks: ["A B C", "C A"],
    expect: "feasible",
    isSameInAnyOrder: true,
  },
];

for (const litmus of catalogue) {
  const tasks = litmus.tasks.map((text, index) => ({ text, name: `task ${index + 1}` }));
  const orders = litmus.isSameInAnyOrder === true ? permutations(tasks) : [tasks];
  test(`OrderGraph says ${litmus.expect} of litmus ${litmus.number}: ${litmus.about} (${orders.length} orders)`, () => {
    for (const order of orders) {
      const world = new World(litmus.classes);
      const graph = new OrderGraph();
      const said = order.map(({ name, text }) => runAlone(graph, world.program(name, text)));

      const context = `${order.map(({ text }) => text).join(" / ")}\n${graph.findings.map((one) => one.message()).join("\n")}`;
      const worst = said.flat().at(-1);
      assert.equal(worst?.severity ?? "clean", litmus.expect, context);
      assert.equal(worst?.needs, litmus.needs, context);
      assert.equal(worst?.gatedBy, litmus.gatedBy, context);
      if (litmus.kind !== undefined) assert.equal(worst?.kind, litmus.kind, context);
      if (litmus.at !== undefined && order === tasks)
        assert.deepEqual(
          said.map((findings) => findings.length),
          tasks.map((_, index) => (index + 1 === litmus.at ? 1 : 0)),
          context,
        );
      // Everything that could be said was said: a second time says no more, except where the task hangs at once.
      const again = order.flatMap(({ name, text }) => runAlone(graph, world.program(name, text)));
      if (litmus.expect !== "certain") assert.deepEqual(again, [], context);
    }
  });
}

function permutations<T>(of: readonly T[]): readonly (readonly T[])[] {
  if (of.length <= 1) return [of];
  return of.flatMap((first, index) =>
    permutations([...of.slice(0, index), ...of.slice(index + 1)]).map((rest) => [first, ...rest]),
  );
}

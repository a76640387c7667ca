import assert from "node:assert/strict";
import test from "node:test";
import { ManualClock } from "../../base/index.js";
import {
  diffOrders,
  isOrderExport,
  mergeOrders,
  type OrderExport,
  OrderGraph,
  toDot,
  toMermaid,
} from "./index.js";
import { type ClassShape, World } from "./lock-programs.testkit.js";
import { runAlone } from "./run-alone.testkit.js";

const readersFirst: ClassShape = { kind: "read-write", isReaderPreferring: true };

test("mergeOrders() finds the cycle that no single process saw, with the tasks and sites of all of them", () => {
  const exports = [exportOf(["A B"], "shop"), exportOf(["B C"], "stock"), exportOf(["C A"], "billing")];

  const found = mergeOrders(exports);

  assert.deepEqual(
    exports.map(({ findings }) => findings.length),
    [0, 0, 0],
  );
  assert.equal(found.length, 1);
  assert.equal(found[0]!.severity, "feasible");
  assert.deepEqual(found[0]!.edges.map(({ task }) => task).sort(), ["billing", "shop", "stock"]);
});

test("mergeOrders() leaves out what one of them found itself", () => {
  const found = mergeOrders([exportOf(["A B", "B A"], "shop"), exportOf(["B A"], "stock")]);

  assert.deepEqual(found, []);
});

test("mergeOrders() tells that a gate of one process is none in another", () => {
  const gated = exportOf(["G A B", "G B A"], "shop");
  const found = mergeOrders([gated, exportOf(["B A"], "stock")]);

  assert.deepEqual(
    gated.findings.map(({ severity }) => severity),
    ["gated"],
  );
  assert.deepEqual(
    found.map(({ severity }) => severity),
    ["feasible"],
  );
});

test("mergeOrders() keeps the modes apart, and heeds suppressions", () => {
  const shapes = { A: readersFirst };
  const readers = [exportOf(["R(A) B"], "shop", shapes), exportOf(["B R(A)"], "stock", shapes)];
  const writer = exportOf(["B W(A)"], "billing", shapes);

  assert.deepEqual(mergeOrders(readers), []);
  assert.equal(mergeOrders([...readers, writer]).length, 1);
  const suppressions = [{ cycle: ["B", "A"], reason: "known", until: "2026-12-01" }];
  const inTime = new ManualClock(Date.parse("2026-11-21"));
  const late = new ManualClock(Date.parse("2026-12-02"));
  assert.deepEqual(mergeOrders([...readers, writer], { suppressions, clock: inTime }), []);
  assert.equal(mergeOrders([...readers, writer], { suppressions, clock: late }).length, 1);
});

test("OrderGraph.export() survives JSON, with classes, edges by mode and who did it", () => {
  const exported = exportOf(["R(A) B", "W(A) C"], "shop", { A: readersFirst });

  const again: unknown = JSON.parse(JSON.stringify(exported));

  assert.ok(isOrderExport(again));
  assert.deepEqual(again, exported);
  assert.deepEqual(
    exported.classes.map(({ name }) => name),
    ["A", "B", "C"],
  );
  assert.deepEqual(
    exported.edges.map(({ from, to, modes }) => [from, to, modes]),
    [
      ["A", "B", [{ held: "shared", wanted: "exclusive" }]],
      ["A", "C", [{ held: "exclusive", wanted: "exclusive" }]],
    ],
  );
  assert.equal(exported.acquisitions[exported.edges[0]!.witnesses[0]!]?.task, "shop");
  assert.equal(isOrderExport({ schema: "poundlock.locks.order/2" }), false);
  assert.equal(isOrderExport([]), false);
});

test("diffOrders() shows edges that came and went", () => {
  const before = exportOf(["A B", "B C"], "shop");
  const after = exportOf(["A B", "C D"], "shop");

  const { added, removed } = diffOrders(before, after);

  assert.deepEqual(
    added.map(({ from, to }) => [from, to]),
    [["C", "D"]],
  );
  assert.deepEqual(
    removed.map(({ from, to }) => [from, to]),
    [["B", "C"]],
  );
});

test("toDot() and toMermaid() draw every class and edge, and mark the one that contradicts", () => {
  const exported = exportOf(["A B", "B A"], "shop");
  const named: OrderExport = JSON.parse(
    JSON.stringify(exported).replaceAll('"A"', '"a \\"quoted\\" [name]"'),
  );

  assert.equal(
    toDot(named),
    'digraph order {\n  node [shape=box];\n  "a \\"quoted\\" [name]";\n  "B";\n  "a \\"quoted\\" [name]" -> "B";\n  "B" -> "a \\"quoted\\" [name]" [color=red];\n}\n',
  );
  assert.equal(
    toMermaid(named),
    'flowchart TD\n  c0["a #34;quoted#34; #91;name#93;"]\n  c1["B"]\n  c0 --> c1\n  c1 --> c0\n  linkStyle 1 stroke:red\n',
  );
});

function exportOf(
  tasks: readonly string[],
  name: string,
  shapes: Readonly<Record<string, ClassShape>> = {},
): OrderExport {
  const world = new World(shapes);
  const graph = new OrderGraph();
  for (const text of tasks) runAlone(graph, world.program(name, text));
  return graph.export();
}

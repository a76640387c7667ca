import assert from "node:assert/strict";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ManualClock } from "../../base/index.js";
import type { LockClass } from "../kinds.js";
import { type OrderDrop, OrderGraph, type OrderHold } from "./index.js";
import { type ClassShape, World } from "./lock-programs.testkit.js";
import { runAlone } from "./run-alone.testkit.js";

const once = { task: "task", isTimed: false };

test("OrderGraph.push() knows the same chain again, and tells order, mode, attempts and sizes of holds apart", () => {
  const world = new World({ A: { kind: "read-write" }, S: { permits: 9 } });
  const graph = new OrderGraph();
  const [a, s] = [holdOf(world, "A"), holdOf(world, "S")];
  const chainOf = (...holds: readonly OrderHold[]): unknown =>
    holds.reduce((chain, hold) => graph.push(chain, hold), graph.root);

  assert.equal(chainOf(a, s), chainOf(a, s));
  const others = [
    chainOf(s, a),
    chainOf({ ...a, mode: "shared" }, s),
    chainOf({ ...a, isTry: true }, s),
    ...[2, 4, 9].map((weight) => chainOf(a, { ...s, weight })),
  ];
  assert.equal(new Set([chainOf(a, s), ...others]).size, 7);
  assert.equal(chainOf(a, { ...s, weight: 4 }), chainOf(a, { ...s, weight: 7 }));
});

test("OrderGraph.isValidated() answers true once the same was checked, and never for nesting within a class", () => {
  const world = new World({ K: { compare: (held, wanted) => Number(held) - Number(wanted) } });
  const graph = new OrderGraph();
  const [a, b, k1, k2] = [
    holdOf(world, "A"),
    holdOf(world, "B"),
    holdOf(world, "K", 1),
    holdOf(world, "K", 2),
  ];
  const underA = graph.push(graph.root, a);
  assert.equal(graph.isValidated(graph.root, a), true);
  assert.equal(graph.isValidated(underA, b), false);

  graph.check(underA, [a], b, once);

  assert.equal(graph.isValidated(underA, b), true);
  const underK = graph.push(graph.root, k1);
  assert.equal(graph.check(underK, [k1], k2, once), undefined);
  assert.equal(graph.isValidated(underK, k2), false);
  const found = graph.check(graph.push(graph.root, k2), [k2], k1, once);
  assert.equal(found?.kind, "same-class");
  assert.match(found?.message() ?? "", /1 does not come after 2/);
});

test("OrderGraph.check() says the worse when a cycle that only stalled turns out to hang for ever", () => {
  const world = new World();
  const graph = new OrderGraph();
  runAlone(graph, world.program("first", "A B"));

  const [stall] = runAlone(graph, world.program("second", "B A"), true);
  const again = runAlone(graph, world.program("second", "B A"), true);
  const [forever] = runAlone(graph, world.program("third", "B A"), false);

  assert.equal(stall?.severity, "stall");
  assert.deepEqual(again, []);
  assert.equal(forever?.severity, "feasible");
  assert.deepEqual(forever?.edges.map(({ task }) => task).sort(), ["first", "third"]);
});

test("OrderGraph.sawMany() reports what a gate excluded as long as it was the only one", () => {
  const world = new World();
  const graph = new OrderGraph();
  for (const [index, text] of ["G A B", "G B A"].entries())
    runAlone(graph, world.program(`task ${index}`, text));
  assert.equal(graph.findings[0]?.severity, "gated");

  const found = graph.sawMany(world.classOf("G"));

  assert.equal(found?.severity, "feasible");
  assert.equal(graph.sawMany(world.classOf("G")), undefined);
});

test("OrderGraph.check() notices that a second task comes past the gate", () => {
  const world = new World();
  const graph = new OrderGraph();
  for (const text of ["G A B", "G B A"]) runAlone(graph, world.program("gated", text));

  const [found] = runAlone(graph, world.program("past it", "B A"));

  assert.equal(found?.severity, "feasible");
});

test("OrderGraph.check() finds a cycle through an edge that another cycle's gate had excluded", () => {
  const world = new World();
  const graph = new OrderGraph();
  for (const text of ["G A B", "G B A", "A C"]) runAlone(graph, world.program(text, text));

  const [found] = runAlone(graph, world.program("C B", "C B"));

  assert.equal(found?.severity, "feasible");
  assert.deepEqual(found?.edges.map(({ task }) => task).sort(), ["A C", "C B", "G B A"]);
});

test("OrderGraph takes the permits that a limiter shares out for a gate", () => {
  const shapes: Record<string, ClassShape> = { S: { kind: "semaphore", permits: 2 } };
  const tasks = ["S A B", "S B C", "S C A"];
  const world = new World(shapes);
  const graph = new OrderGraph();

  const found = tasks.flatMap((text) => runAlone(graph, world.program(text, text)));

  assert.deepEqual(
    found.map(({ severity, gatedBy }) => [severity, gatedBy]),
    [["gated", "S"]],
  );
  assert.equal(runAlone(graph, world.program("past it", "C A"))[0]?.severity, "feasible");
});

test("OrderGraph lets several permits in one hand count for a gate as far as they are certain to be held", () => {
  const run = (tasks: readonly string[]) => {
    const world = new World({ S: { kind: "semaphore", permits: 5 }, T: { kind: "semaphore", permits: 2 } });
    const graph = new OrderGraph();
    for (const text of tasks) runAlone(graph, world.program(text, text));
    const cycles = graph.findings.filter(({ kind }) => kind === "order");
    return cycles.map(({ severity, gatedBy }) => [severity, gatedBy]);
  };

  assert.deepEqual(run(["S*5 A B", "S B A"]), [["gated", "S"]]);
  assert.deepEqual(run(["S*4 A B", "S*2 B A"]), [["gated", "S"]]);
  assert.deepEqual(run(["S*2 S*2 A B", "S*2 B A"]), [["gated", "S"]]);
  assert.deepEqual(run(["S*3 A B", "S*2 B A"]), [["feasible", undefined]]);
  // Both permits of T in one hand: nobody else is needed for none to be left.
  assert.deepEqual(run(["A T", "T try(T) A"]), [["feasible", undefined]]);
  // The second holder that T needs to run out can't come while somebody holds all of S.
  assert.deepEqual(run(["S T A", "S*5 A T"]), [["gated", "S"]]);
  // What was seen with much is seen with little as well.
  assert.deepEqual(run(["S*5 A B", "S A B", "S B A"]), [["feasible", undefined]]);
  assert.deepEqual(run(["S*5 A B", "S B A", "S A B"]), [
    ["gated", "S"],
    ["feasible", undefined],
  ]);
});

test("OrderGraph tells of suppressions that matched nothing, and reports again when one is over", () => {
  const world = new World();
  const clock = new ManualClock(Date.parse("2026-11-21"));
  const known = { cycle: ["B", "A"], reason: "both run in one queue", until: "2026-12-01" };
  const useless = { cycle: ["A", "C"], reason: "gone" };
  const graph = new OrderGraph({ clock, suppressions: [known] });
  graph.allow(useless);

  for (const text of ["A B", "B A"]) runAlone(graph, world.program(text, text));

  assert.deepEqual(graph.findings, []);
  assert.deepEqual(graph.unusedSuppressions(), [useless]);
  clock.advance(30 * 86_400_000);
  const late = new OrderGraph({ clock, suppressions: [known] });
  for (const text of ["A B", "B A"]) runAlone(late, world.program(text, text));
  assert.equal(late.findings.length, 1);
});

test("OrderGraph still finds worse cycles through an edge of one that is accepted", () => {
  const world = new World();
  const graph = new OrderGraph({ suppressions: [{ cycle: ["A", "B"], reason: "known" }] });
  for (const text of ["A B", "B A", "C B"]) runAlone(graph, world.program(text, text));

  const [found] = runAlone(graph, world.program("A C", "A C"));

  assert.deepEqual(found?.edges.map(({ task }) => task).sort(), ["A C", "B A", "C B"]);
});

test("OrderGraph.expectOrder() reports the first acquisition that contradicts it", () => {
  const world = new World();
  const graph = new OrderGraph();
  graph.expectOrder(world.classOf("A"), world.classOf("B"));

  assert.deepEqual(runAlone(graph, world.program("right", "A B")), []);
  const [found] = runAlone(graph, world.program("wrong", "B A"));

  assert.deepEqual(found?.edges.map(({ task }) => task).sort(), ["the declared order", "wrong"]);
});

test("OrderGraph.forget() unlearns a class and keeps what was learnt past it", () => {
  const world = new World();
  const graph = new OrderGraph();
  runAlone(graph, world.program("first", "A B C"));

  graph.forget(world.classOf("B"));

  assert.deepEqual(runAlone(graph, world.program("second", "C B")), []);
  assert.equal(runAlone(graph, world.program("third", "C A")).length, 1);
});

test("OrderFinding.message() names every task and site, and explains the queued writer", () => {
  const world = new World({ A: { kind: "read-write" } });
  const graph = new OrderGraph();
  const [a, b] = [{ ...holdOf(world, "A"), mode: "shared" as const }, holdOf(world, "B")];
  const at = (line: number) => ({
    here: `at shop.js:${line}`,
    frames: [`at shop.js:${line}`, "at main.js:1"],
  });
  const order = (outer: OrderHold, inner: OrderHold, task: string, line: number) => {
    const held = { ...outer, site: at(line) };
    return graph.check(
      graph.push(graph.root, held),
      [held],
      { ...inner, site: at(line + 1) },
      { task, isTimed: false },
    );
  };
  order(a, b, "first", 10);

  const text = order(b, a, "second", 20)?.message() ?? "";

  for (const part of [
    "first read A, taken at shop.js:10",
    "second held B, taken at shop.js:20",
    "at shop.js:11",
    "at shop.js:21",
    "writer stands in line",
  ])
    assert.ok(text.includes(part), text);
});

test("OrderGraph past its limits counts what it drops, and goes on finding cycles", () => {
  const drops: OrderDrop[] = [];
  const world = new World();
  const graph = new OrderGraph({
    chainsMax: 3,
    classesMax: 5,
    findingsMax: 1,
    onDrop: (what) => drops.push(what),
  });

  for (const text of ["A B", "C D", "B A", "D C", "E F", "F E"]) runAlone(graph, world.program(text, text));

  assert.equal(graph.findings.length, 1);
  assert.equal(graph.findingsDropped, 1);
  assert.equal(graph.chains, 3);
  assert.equal(graph.push(graph.push(graph.root, holdOf(world, "C")), holdOf(world, "D")).depth, -1);
  assert.deepEqual([...new Set(drops)].sort(), ["chain", "class", "finding"]);
});

test("OrderGraph keeps few acquisitions of an edge, and none that another makes superfluous", () => {
  let drops = 0;
  const world = new World();
  const graph = new OrderGraph({ witnessesMax: 3, onDrop: () => (drops += 1) });
  for (const gate of ["G", "H", "I", "J", "K"]) runAlone(graph, world.program(gate, `${gate} A B`));
  const edge = () => graph.export().edges.find(({ from, to }) => from === "A" && to === "B");
  assert.ok(edge()!.witnesses.length <= 3);
  assert.ok(drops > 0);

  // All were gated, each in another way: what can't be kept apart must not pass as excluded.
  const [found] = runAlone(graph, world.program("reverse", "K B A"));

  assert.equal(found?.severity, "feasible");
  runAlone(graph, world.program("plain", "A B"));
  assert.equal(edge()!.witnesses.length, 1);
});

test("OrderGraph.push() and isValidated() cost nanoseconds on a hit, and 10,000 edges few megabytes", (context) => {
  const classes = Array.from({ length: 1_000 }, (_, id) => classOf(id));
  const holds = classes.map(
    (lockClass): OrderHold => ({ ...holdOf(new World(), "A"), lockClass, lock: lockClass }),
  );
  const before = heapBytes();
  const graph = new OrderGraph();
  let random = 1;
  while (graph.edges < 10_000) {
    random = (random * 48_271) % 2_147_483_647;
    const outer = random % 989;
    const held = [holds[outer]!];
    const wanted = holds[outer + 1 + ((random >> 8) % 11)]!;
    graph.check(graph.push(graph.root, held[0]!), held, wanted, once);
  }
  const bytes = heapBytes() - before;
  const [a, b] = [holds[0]!, holds[1]!];
  graph.check(graph.push(graph.root, a), [a], b, once);
  const stepNs = Math.min(...Array.from({ length: 5 }, () => hitNs(graph, a, b)));
  context.diagnostic(`${(bytes / 2 ** 20).toFixed(1)} MiB, ${stepNs.toFixed(1)} ns for push and isValidated`);
  assert.equal(graph.findings.length, 0);
  assert.ok(bytes < 8 * 2 ** 20, `${bytes} bytes`);
  assert.ok(stepNs < 1_000, `${stepNs} ns`);
});

function holdOf(world: World, name: string, key: number = 1): OrderHold {
  const lock = world.lock(name, key);
  return {
    lockClass: lock.lockClass,
    lock,
    key,
    mode: "exclusive",
    weight: 1,
    isTry: false,
    site: undefined,
  };
}

function classOf(id: number): LockClass {
  const kind = "mutex";
  return {
    id,
    name: `c${id}`,
    kind,
    permits: 1,
    isReaderPreferring: false,
    level: undefined,
    compare: undefined,
  };
}

/** Of one `push` and one `isValidated` together. */
function hitNs(graph: OrderGraph, a: OrderHold, b: OrderHold): number {
  const rounds = 200_000;
  let hits = 0;
  const startNs = process.hrtime.bigint();
  for (let round = 0; round < rounds; round += 1) {
    const chain = graph.push(graph.root, a);
    if (graph.isValidated(chain, b)) hits += 1;
  }
  const tookNs = Number(process.hrtime.bigint() - startNs) / rounds;
  assert.equal(hits, rounds);
  return tookNs;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  return process.memoryUsage().heapUsed;
}

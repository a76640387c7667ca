import assert from "node:assert/strict";
import test from "node:test";
import { AcyclicGraph, type Arc } from "./acyclic-graph.js";
import { randomFrom } from "./random-programs.testkit.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);

test(`AcyclicGraph refuses exactly the arcs that would close a cycle (seed ${seed})`, () => {
  for (let round = 0; round < 200; round += 1) {
    const random = randomFrom(seed + round);
    const nodes = 2 + random(30);
    const graph = new AcyclicGraph<Arc>();
    const naive: Arc[] = [];
    for (let step = 0; step < 4 * nodes; step += 1) {
      if (random(25) === 0) {
        const node = random(nodes);
        graph.isolate(node);
        naive.splice(0, naive.length, ...naive.filter(({ from, to }) => from !== node && to !== node));
      }
      const arc = { from: random(nodes), to: random(nodes) };
      if (graph.find(arc.from, arc.to) !== undefined) continue;

      const isAdded = graph.add(arc);

      assert.equal(isAdded, !reaches(naive, arc.to, arc.from), `POUNDLOCK_SEED=${seed + round}`);
      if (isAdded) naive.push(arc);
      assert.equal(graph.arcs, naive.length);
    }
    assert.deepEqual([...graph].map(nameOf).sort(), naive.map(nameOf).sort());
    for (const arc of naive) assert.ok(graph.in(arc.to).includes(graph.find(arc.from, arc.to)!));
  }
});

test("AcyclicGraph goes on after a refusal as if it had not been asked", () => {
  const graph = new AcyclicGraph<Arc>();
  graph.add({ from: 0, to: 1 });
  graph.add({ from: 1, to: 2 });

  assert.equal(graph.add({ from: 2, to: 0 }), false);

  assert.equal(graph.find(2, 0), undefined);
  assert.equal(graph.add({ from: 0, to: 2 }), true);
  assert.equal(graph.add({ from: 2, to: 1 }), false);
});

function reaches(arcs: readonly Arc[], from: number, to: number): boolean {
  const reached = new Set([from]);
  for (const node of reached) for (const arc of arcs) if (arc.from === node) reached.add(arc.to);
  return reached.has(to);
}

function nameOf({ from, to }: Arc): string {
  return `${from}-${to}`;
}

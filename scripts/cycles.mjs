/**
 * A shortest cycle through each node that lies on one, unless a cycle found before already shows the node.
 * @param {Map<string, string[]>} graph edges to unknown nodes are ignored
 * @returns {string[][]} each in order of its edges, beginning with its first name in the alphabet
 */
export function cyclesOf(graph) {
  const cycles = [];
  const isDone = new Set();
  for (const start of [...graph.keys()].sort()) {
    if (isDone.has(start)) continue;
    const cycle = shortestWayBack(graph, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const node of cycle) isDone.add(node);
  }
  return cycles;
}

/** Breadth first from `start` to the nearest node with an edge to `start`. */
function shortestWayBack(graph, start) {
  const cameFrom = new Map([[start, undefined]]);
  for (const node of cameFrom.keys()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return wayTo(cameFrom, node);
      if (!cameFrom.has(next) && graph.has(next)) cameFrom.set(next, node);
    }
  }
  return undefined;
}

function wayTo(cameFrom, node) {
  const way = [];
  for (let at = node; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
  return way;
}

/** Edges at powers of two, `2 ** exponentMin`, then every `step` powers up to `2 ** exponentMax`; and 0 below them. */
export interface PowerLadder {
  readonly exponentMin: number;
  readonly exponentMax: number;
  readonly step: number;
}

/** A piece of a finer histogram; `upper` is inclusive. */
export interface FineBucket {
  readonly upper: number;
  readonly count: number;
}

/**
 * Merges fine buckets into the ladder's. Exact when every edge of the ladder is also an edge of the fine buckets, as for
 * base-2 exponential ones: no observation is moved across an edge. What lies above the last edge is left for `+Inf`.
 *
 * @param fine ascending by `upper`
 */
export function climbLadder(ladder: PowerLadder, fine: readonly FineBucket[]): FineBucket[] {
  const edges = ladderEdges(ladder);
  const merged = edges.map((upper) => ({ upper, count: 0 }));
  let at = 0;
  for (const bucket of fine) {
    while (at < edges.length && bucket.upper > edges[at]!) at += 1;
    if (at === edges.length) break;
    merged[at]!.count += bucket.count;
  }
  return merged;
}

function ladderEdges(ladder: PowerLadder): number[] {
  const edges = [0];
  for (let exponent = ladder.exponentMin; exponent <= ladder.exponentMax; exponent += ladder.step)
    edges.push(2 ** exponent);
  return edges;
}

import type { Arc } from "./acyclic-graph.js";
import { dominates, type Evidence, sourceOf } from "./evidence.js";

/**
 * "Somebody who held `from` wanted `to`." Nodes are classes, split in two where readers pass waiting writers: a lock is one node as
 * what an exclusive acquisition waits for (`2 × id`), and another as what a shared one waits for (`2 × id + 1`), because what a reader holds
 * blocks only the first. Plain cycles of this graph are the ones that can hang.
 */
export class Edge implements Arc {
  readonly from: number;
  readonly to: number;
  /** Not one that another of them makes superfluous. */
  #evidence: readonly Evidence[];

  constructor(from: number, to: number, first: Evidence) {
    this.from = from;
    this.to = to;
    this.#evidence = [first];
  }

  get evidence(): readonly Evidence[] {
    return this.#evidence;
  }

  /** @returns whether it says something new */
  add(evidence: Evidence, max: number, onFull: () => void): boolean {
    const source = this.from >> 1;
    if (this.#evidence.some((known) => dominates(known, evidence, source))) return false;
    const kept = this.#evidence.filter((known) => !dominates(evidence, known, source));
    if (kept.length < max) {
      this.#evidence = [...kept, evidence];
      return true;
    }
    onFull();
    // Only what excludes the fewest is safe to keep when not all can be: else a deadlock would pass as excluded.
    const wild = wildOf([...kept, evidence], evidence, source);
    this.#evidence = [...kept.filter((known) => !dominates(wild, known, source)), wild];
    return true;
  }
}

function wildOf(all: readonly Evidence[], evidence: Evidence, classId: number): Evidence {
  const source = sourceOf(evidence, classId);
  const weight = Math.max(...all.map((one) => one.wanted.weight));
  return {
    ...evidence,
    held: source === undefined ? [] : [{ ...source, weight: 1 }],
    wanted: { ...evidence.wanted, weight },
  };
}

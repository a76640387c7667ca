import { OptionError } from "../../base/index.js";
import { bucketUpperAt, type ExponentialHistogram } from "../../sketch/index.js";
import type { HistogramFamily } from "../snapshot.js";
import { unitWord } from "./unit-words.js";

/** Edges at powers of two, `2 ** exponentMin`, then every `step` powers up to `2 ** exponentMax`; and 0 below them. */
export interface PowersOfTwo {
  readonly exponentMin: number;
  readonly exponentMax: number;
  readonly step: number;
}

/**
 * Where classic buckets end. Numbers ascend and are 0 or more; each is moved to the nearest edge that the histogram has, so that
 * no observation lands on the wrong side: at schema 5 by at most 1.1 %, a power of two not at all.
 */
export type BucketEdges = PowersOfTwo | readonly number[];

const seconds: PowersOfTwo = { exponentMin: -10, exponentMax: 12, step: 1 };
const other: PowersOfTwo = { exponentMin: -8, exponentMax: 32, step: 2 };
const byUnit: ReadonlyMap<string, PowersOfTwo> = new Map([
  ["seconds", seconds],
  ["milliseconds", { exponentMin: 0, exponentMax: 22, step: 1 }],
  ["bytes", { exponentMin: 4, exponentMax: 40, step: 2 }],
]);

/** The edges of a family that says nothing else: fixed by its unit, so that they are the same for every series and restart. */
export function edgesByUnit(unit: string | undefined): PowersOfTwo {
  return byUnit.get(unitWord(unit) ?? "") ?? other;
}

interface Edge {
  /** Inclusive. */
  readonly upper: number;
  /** Buckets of the family's schema with an index below this lie under the edge. */
  readonly indexEnd: number;
}

/**
 * The classic buckets of a family, taken from its exponential histograms. Every edge is one of the coarsest histogram too, so each
 * count is exact; all series have the same edges.
 */
export class ClassicBuckets {
  readonly #edges: readonly Edge[];
  readonly #schema: number;

  /** @throws OptionError when the edges do not ascend or are negative or not finite */
  constructor(family: HistogramFamily, edges: BucketEdges = edgesByUnit(family.unit)) {
    this.#schema = family.points.reduce((least, { histogram }) => Math.min(least, histogram.schema), 8);
    this.#edges =
      "exponentMin" in edges ? powerEdges(edges, this.#schema) : nearestEdges(edges, this.#schema);
  }

  /** Ascending, inclusive; without the infinite one that every histogram ends with. */
  get uppers(): readonly number[] {
    return this.#edges.map(({ upper }) => upper);
  }

  /** Of each edge, how many observations are at most that. */
  cumulative({ schema, zeroCount, negative, positive }: ExponentialHistogram): number[] {
    const finer = 2 ** (schema - this.#schema);
    let running = negative.counts.reduce((sum, count) => sum + count, zeroCount);
    let at = 0;
    return this.#edges.map(({ indexEnd }) => {
      for (; at < positive.indexes.length && positive.indexes[at]! < indexEnd * finer; at += 1)
        running += positive.counts[at]!;
      return running;
    });
  }
}

/** Below schema 0 only some powers of two are edges: 2^e is where e is a multiple of 2^-schema. */
function powerEdges({ exponentMin, exponentMax, step }: PowersOfTwo, schema: number): Edge[] {
  const edges: Edge[] = [{ upper: 0, indexEnd: Number.NEGATIVE_INFINITY }];
  for (let exponent = exponentMin; exponent <= exponentMax; exponent += step) {
    const indexEnd = exponent * 2 ** schema;
    if (Number.isInteger(indexEnd)) edges.push({ upper: 2 ** exponent, indexEnd });
  }
  return edges;
}

function nearestEdges(wanted: readonly number[], schema: number): Edge[] {
  const edges: Edge[] = [];
  for (const [at, value] of wanted.entries()) {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY && (at === 0 || value > wanted[at - 1]!)))
      throw new OptionError("edges", `Cannot use edges ${wanted.join(", ")}: expected 0 or more, ascending`);
    const edge = nearestEdge(value, schema);
    // Edges that lie close together may have the same nearest one.
    if (edge.upper > (edges.at(-1)?.upper ?? -1) && edge.upper < Number.POSITIVE_INFINITY) edges.push(edge);
  }
  return edges;
}

function nearestEdge(value: number, schema: number): Edge {
  if (value === 0) return { upper: 0, indexEnd: Number.NEGATIVE_INFINITY };
  const indexEnd = Math.round(Math.log2(value) * 2 ** schema);
  return { upper: bucketUpperAt(schema, indexEnd - 1), indexEnd };
}

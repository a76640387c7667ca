/** Used buckets only: ascending indexes, each with a count above 0, both of one length. */
export interface BucketRun {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

export const emptyRun: BucketRun = { indexes: [], counts: [] };

export function countOfRun(run: BucketRun): number {
  let count = 0;
  for (const each of run.counts) count += each;
  return count;
}

/** The same values in buckets of a schema lower by `steps`. */
export function downscaleRun(run: BucketRun, steps: number): BucketRun {
  if (steps === 0) return run;
  const indexes: number[] = [];
  const counts: number[] = [];
  let last = -1;
  for (let at = 0; at < run.indexes.length; at += 1) {
    const coarse = run.indexes[at]! >> steps;
    if (last >= 0 && indexes[last] === coarse) {
      counts[last]! += run.counts[at]!;
    } else {
      last = indexes.push(coarse) - 1;
      counts.push(run.counts[at]!);
    }
  }
  return { indexes, counts };
}

/** All counts of all. */
export function mergeRuns(runs: readonly BucketRun[]): BucketRun {
  const used = runs.filter(({ indexes }) => indexes.length > 0);
  if (used.length < 2) return used[0] ?? emptyRun;
  const lowest = Math.min(...used.map(({ indexes }) => indexes[0]!));
  const highest = Math.max(...used.map(({ indexes }) => indexes[indexes.length - 1]!));
  if (highest - lowest < dense.length) return mergeDense(used, lowest, highest);
  return used.reduce((a, b) => combineRuns(a, b, (ofA, ofB) => ofA + ofB));
}

/** Room for the counts of neighbouring buckets, all 0 between two uses: the common case, in a third of the time. 4 KiB. */
const dense = new Float64Array(512);

function mergeDense(runs: readonly BucketRun[], lowest: number, highest: number): BucketRun {
  let used = 0;
  for (const { indexes, counts } of runs)
    for (let at = 0; at < indexes.length; at += 1) {
      const place = indexes[at]! - lowest;
      if (dense[place] === 0) used += 1;
      dense[place]! += counts[at]!;
    }
  // Made in their length: what grows leaves twice as much behind.
  const indexes = new Array<number>(used);
  const counts = new Array<number>(used);
  let at = 0;
  for (let place = 0; place <= highest - lowest; place += 1) {
    const count = dense[place]!;
    if (count === 0) continue;
    dense[place] = 0;
    indexes[at] = lowest + place;
    counts[at] = count;
    at += 1;
  }
  return { indexes, counts };
}

/** What `newer` has more than `older`; nothing where it has less. */
export function subtractRuns(newer: BucketRun, older: BucketRun): BucketRun {
  if (older.indexes.length === 0) return newer;
  return combineRuns(newer, older, (ofNewer, ofOlder) => Math.max(0, ofNewer - ofOlder));
}

/** Goes over the indexes of both, ascending; a bucket that one has not counts 0 there. */
function combineRuns(a: BucketRun, b: BucketRun, combine: (ofA: number, ofB: number) => number): BucketRun {
  const indexes: number[] = [];
  const counts: number[] = [];
  let atA = 0;
  let atB = 0;
  while (atA < a.indexes.length || atB < b.indexes.length) {
    // Never read past an end, which makes an array slow for good.
    const hasA = atA < a.indexes.length && (atB >= b.indexes.length || a.indexes[atA]! <= b.indexes[atB]!);
    const index = hasA ? a.indexes[atA]! : b.indexes[atB]!;
    const hasB = atB < b.indexes.length && b.indexes[atB]! === index;
    const count = combine(hasA ? a.counts[atA]! : 0, hasB ? b.counts[atB]! : 0);
    if (hasA) atA += 1;
    if (hasB) atB += 1;
    if (count === 0) continue;
    indexes.push(index);
    counts.push(count);
  }
  return { indexes, counts };
}

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

export function mergeRuns(a: BucketRun, b: BucketRun): BucketRun {
  if (a.indexes.length === 0) return b;
  if (b.indexes.length === 0) return a;
  return combineRuns(a, b, (ofA, ofB) => ofA + ofB);
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

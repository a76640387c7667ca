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
  for (const [i, index] of run.indexes.entries()) {
    const coarse = index >> steps;
    if (indexes.at(-1) === coarse) {
      counts[counts.length - 1]! += run.counts[i]!;
    } else {
      indexes.push(coarse);
      counts.push(run.counts[i]!);
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

/** Visits the indexes of both, ascending; a bucket that one has not counts 0. */
function combineRuns(a: BucketRun, b: BucketRun, combine: (ofA: number, ofB: number) => number): BucketRun {
  const indexes: number[] = [];
  const counts: number[] = [];
  let atA = 0;
  let atB = 0;
  while (atA < a.indexes.length || atB < b.indexes.length) {
    const index = Math.min(
      a.indexes[atA] ?? Number.POSITIVE_INFINITY,
      b.indexes[atB] ?? Number.POSITIVE_INFINITY,
    );
    const ofA = a.indexes[atA] === index ? a.counts[atA++]! : 0;
    const ofB = b.indexes[atB] === index ? b.counts[atB++]! : 0;
    const count = combine(ofA, ofB);
    if (count === 0) continue;
    indexes.push(index);
    counts.push(count);
  }
  return { indexes, counts };
}

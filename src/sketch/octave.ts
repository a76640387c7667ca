/** Binary digits after the point: 76 more than a double has, of which the roundings below take fewer than 10. */
const fraction = 128n;
const one = 1n << fraction;

/**
 * Where buckets of schema 8 meet within the octave 1..2, ascending: 2^(k/256) for k in 0..255. Of every lower schema the
 * boundaries are among them. All but the first are irrational and given as the largest double below, so comparing doubles
 * with it is exact. Whole numbers alone make them, so they are the same on every processor.
 */
export const octaveBoundaries: readonly number[] = makeBoundaries();

function makeBoundaries(): number[] {
  let root = 2n * one;
  let boundaries = [one];
  while (boundaries.length < 256) {
    root = squareRoot(root);
    boundaries = boundaries.flatMap((boundary) => [boundary, (boundary * root) >> fraction]);
  }
  return boundaries.map((boundary) => Number(boundary >> (fraction - 52n)) * 2 ** -52);
}

/** Rounded down, of a number in 1..2: Newton's method, from above. */
function squareRoot(x: bigint): bigint {
  const square = x << fraction;
  let root = x;
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

import { OptionError } from "../base/index.js";

/** The schemas of Prometheus' native histograms; OTLP's scales go further, and can be brought into them by merging buckets. */
export const schemaMin = -4;
export const schemaMax = 8;

const octaves = new Map<number, readonly number[]>();

/**
 * Where buckets of a schema meet within the octave 1..2, ascending, beginning with 1: 2^(k / n) for k below n = 2^schema, one
 * boundary for schemas up to 0. All but the first are irrational and given as the largest double below, so comparing doubles
 * with it is exact.
 *
 * @throws OptionError when the schema is not a whole number in -4..8
 */
export function octaveBoundaries(schema: number): readonly number[] {
  const known = octaves.get(schema);
  if (known !== undefined) return known;
  if (!(Number.isInteger(schema) && schema >= schemaMin && schema <= schemaMax))
    throw new OptionError("schema", `Cannot make buckets: schema = ${schema} is not a whole number in -4..8`);
  const boundaries = schema <= 0 ? [1] : halved(octaveBoundaries(schema - 1));
  octaves.set(schema, boundaries);
  return boundaries;
}

/** The boundaries of the next schema: those of this one, and one between each two. */
function halved(boundaries: readonly number[]): number[] {
  const n = 2 * boundaries.length;
  return boundaries.flatMap((boundary, i) => [boundary, root(2 * i + 1, n)]);
}

/** The largest double that is not above 2^(k/n): a whole number g of 2^-52, with g^n ≤ 2^(52n + k) < (g + 1)^n. */
function root(k: number, n: number): number {
  const power = 1n << BigInt(52 * n + k);
  // Math.pow may err by a few units in the last place, more or fewer on other processors.
  let guess = BigInt(Math.floor(2 ** (52 + k / n)));
  while (guess ** BigInt(n) > power) guess -= 1n;
  while ((guess + 1n) ** BigInt(n) <= power) guess += 1n;
  return Number(guess) * 2 ** -52;
}

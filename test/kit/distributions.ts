import fc from "fast-check";

export const anyDouble: fc.Arbitrary<number> = fc.double({ noDefaultInfinity: true, noNaN: true });
/** Evenly spread, which doubles made by fc.double are not. */
export const share: fc.Arbitrary<number> = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((n) => n / 2 ** 31);
const normal = fc
  .tuple(share, share)
  .map(([a, b]) => Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b));

/** What sketches must summarize, each hard in its own way. */
export const distributions: Readonly<Record<string, fc.Arbitrary<number>>> = {
  lognormal: normal.map((x) => Math.exp(2 + x)),
  "wide lognormal": normal.map((x) => Math.exp(20 * x)),
  Pareto: share.map((u) => u ** (-1 / 1.2)),
  "heavy Pareto": share.map((u) => u ** -20),
  bimodal: fc.tuple(fc.boolean(), normal).map(([isSlow, x]) => (isSlow ? 5000 + 10 * x : 3 + 0.1 * x)),
  constant: fc.constant(7.3),
  "zeros among others": fc.oneof(fc.constantFrom(0, -0), fc.integer({ min: 0, max: 9 })),
  negatives: normal.map((x) => -Math.exp(x)),
  "both signs": normal.map((x) => x * 1e6),
  "whole milliseconds": fc.integer({ min: 0, max: 100_000 }),
  "powers of two": fc.integer({ min: -1000, max: 1023 }).map((e) => 2 ** e),
  "around 1e308": fc.double({ min: 1e307, max: Number.MAX_VALUE, noNaN: true }),
  subnormals: fc.double({ min: -(2 ** -1022), max: 2 ** -1022, noNaN: true }),
  "few subnormals": fc.integer({ min: -300, max: 300 }).map((n) => n * Number.MIN_VALUE),
  mixed: fc.oneof(anyDouble, fc.integer(), fc.constantFrom(1e308, -1e308, 5e-324, 0, 1)),
};

/** From any one of the distributions. */
export const anyValues: fc.Arbitrary<number[]> = fc
  .constantFrom(...Object.values(distributions))
  .chain((values) => fc.array(values, { maxLength: 300, size: "max" }));

/** Of exponential histograms. */
export const schemas: readonly number[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
export const anySchema: fc.Arbitrary<number> = fc.constantFrom(...schemas);

/** Values of labels, by name. */
export type Labels = Readonly<Record<string, string>>;

/** Every combination of `counts[0]` values of the first label, `counts[1]` of the second, …: a, b, c are the names. */
export function labelSets(counts: readonly number[]): Labels[] {
  let sets: Labels[] = [{}];
  for (const [at, count] of counts.entries()) {
    const name = labelNames(counts)[at]!;
    sets = sets.flatMap((set) =>
      Array.from({ length: count }, (_, value) => ({ ...set, [name]: `${name}-value-${value}` })),
    );
  }
  return sets;
}

export function labelNames(counts: readonly number[]): string[] {
  return counts.map((_, at) => String.fromCharCode(97 + at));
}

/** Those of prom-client's own benchmarks, 64 sets each but the first: none, one label, two, four, six. */
export const labelShapes: Readonly<Record<string, readonly number[]>> = {
  "0": [],
  "1x64": [64],
  "2x8": [8, 8],
  "4+4+2+2": [4, 4, 2, 2],
  "6x2": [2, 2, 2, 2, 2, 2],
};

/** Durations in seconds as services have them: log-normal around 50 ms; the same in every run. */
export function durations(count: number): number[] {
  let state = 0x2545f491;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return 0.05 * Math.exp(normal);
  });
}

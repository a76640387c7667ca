import { mergeRuns } from "./bucket-run.js";
import { ExactSum } from "./exact-sum.js";
import { downscale, type ExponentialHistogram, emptyExponential } from "./exponential.js";

/**
 * All values of all, in the lowest of their schemas, that of empty ones included. The order makes no difference: counts are
 * exact up to 2^53, and the sum is that of all sums, rounded once.
 */
export function mergeExponential(
  first: ExponentialHistogram,
  ...others: readonly ExponentialHistogram[]
): ExponentialHistogram {
  const all = [first, ...others];
  const schema = Math.min(...all.map((each) => each.schema));
  const used = all.filter((each) => each.count > 0).map((each) => downscale(each, schema));
  if (used.length === 0) return emptyExponential(schema);
  const total = (of: (each: ExponentialHistogram) => number): number =>
    used.reduce((sum, each) => sum + of(each), 0);
  return {
    schema,
    count: total((each) => each.count),
    sum: sumOf(used.map((each) => each.sum)),
    min: Math.min(...used.map((each) => each.min)),
    max: Math.max(...used.map((each) => each.max)),
    ...(used.some((each) => each.hasLooseRange) ? { hasLooseRange: true } : {}),
    zeroCount: total((each) => each.zeroCount),
    positive: mergeRuns(used.map((each) => each.positive)),
    negative: mergeRuns(used.map((each) => each.negative)),
  };
}

function sumOf(sums: readonly number[]): number {
  // Beside a sum that has left the range of doubles the others count nothing, lest they leave it in one order and not in another.
  const outside = sums.filter((sum) => !Number.isFinite(sum));
  if (outside.length > 0) return outside.reduce((a, b) => a + b);
  const exact = new ExactSum();
  for (const sum of sums) exact.add(sum);
  return exact.value();
}

import { type BucketRun, downscaleRun, emptyRun } from "./bucket-run.js";
import { checkSchema, schemaMax } from "./schema.js";

/**
 * A base-2 exponential histogram as plain data: what is shown, merged between processes and exported.
 *
 * Bucket `index` of schema s holds base^index < |value| <= base^(index + 1), with base = 2^(2^-s): OTLP's index (its scale is
 * the schema); Prometheus' native histograms name the same bucket index + 1 (OpenTelemetry metrics data model, "Exponential
 * Histogram"; Prometheus native histograms specification).
 */
export interface ExponentialHistogram {
  /** -4..8; a histogram of a lower schema has fewer, wider buckets: two of schema s make one of s - 1. */
  readonly schema: number;
  /** Of all values: zeros and both signs; always the sum of all buckets' counts. */
  readonly count: number;
  readonly sum: number;
  /** NaN when empty, as max. */
  readonly min: number;
  readonly max: number;
  /** True when min and max are bounds that no value need have; only differences of histograms have such. */
  readonly hasLooseRange?: true;
  readonly zeroCount: number;
  readonly positive: BucketRun;
  /** By the index of the absolute value. */
  readonly negative: BucketRun;
}

/** @throws OptionError when the schema is not a whole number in -4..8 */
export function emptyExponential(schema: number): ExponentialHistogram {
  checkSchema(schema);
  const range = { min: Number.NaN, max: Number.NaN };
  return { schema, count: 0, sum: 0, ...range, zeroCount: 0, positive: emptyRun, negative: emptyRun };
}

/**
 * The same values in wider buckets: what recording them with that schema would have given. The histogram's own schema may be
 * above 8, as scales of OTLP are.
 *
 * @throws OptionError when the schema is not a whole number in -4..8, or above the histogram's
 */
export function downscale(histogram: ExponentialHistogram, schema: number): ExponentialHistogram {
  checkSchema(schema, Math.min(histogram.schema, schemaMax));
  const steps = histogram.schema - schema;
  if (steps === 0) return histogram;
  const { positive, negative } = histogram;
  return {
    ...histogram,
    schema,
    positive: downscaleRun(positive, steps),
    negative: downscaleRun(negative, steps),
  };
}

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
  readonly zeroCount: number;
  readonly positive: BucketRun;
  /** By the index of the absolute value. */
  readonly negative: BucketRun;
}

/** Used buckets only: ascending indexes, each with a count above 0, both of one length. */
export interface BucketRun {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

import type { MetricFamily, MetricsSnapshot, WindowFamily } from "../metrics/index.js";
import { ownFaults } from "./error-class.js";
import type { ServiceFamilies } from "./families.js";

/** The numbers whose names never change. All are of one snapshot. */
export interface FrozenNumbers {
  /** Requests that have begun. */
  readonly requests_total: number;
  /** Of those that ended, the ones that failed by the service's own fault: exceptions, 5xx, timeouts. */
  readonly errors_total: number;
  readonly cache_hits_total: number;
  readonly rate_limited_total: number;
  /** Mean over the newest requests that ended, in milliseconds with two decimals; 0 when there are none. */
  readonly avg_latency_ms: number;
  /** The value of rank ceil(0.95 n) of the n newest, as above. */
  readonly p95_latency_ms: number;
  /** How many are in the window: n. Never more than `requests_total`. */
  readonly latency_samples: number;
}

export function frozenNumbers(snapshot: MetricsSnapshot, names: ServiceFamilies): FrozenNumbers {
  const family = (name: string): MetricFamily | undefined =>
    snapshot.families.find((one) => one.name === name);
  const total = (name: string, isCounted?: (labels: readonly string[]) => boolean): number =>
    sumOf(family(name), isCounted);
  const { begun, leftOut, errors, rateLimited, cache, latency } = names;
  const samples = samplesOf(family(latency.name));
  return {
    // Not those that ended and those in flight, which are the same as long as no process is killed with requests in flight.
    requests_total: total(begun.name) - total(leftOut.name),
    errors_total: total(errors.name, ([, , errorClass]) => ownFaults.has(errorClass!)),
    cache_hits_total: total(cache.name, ([, result]) => result === "hit"),
    rate_limited_total: total(rateLimited.name),
    avg_latency_ms: twoDecimals(mean(samples)),
    p95_latency_ms: twoDecimals(samples[Math.ceil(0.95 * samples.length) - 1] ?? 0),
    latency_samples: samples.length,
  };
}

/** A histogram's numbers are its counts. */
function sumOf(family: MetricFamily | undefined, isCounted?: (labels: readonly string[]) => boolean): number {
  let sum = 0;
  for (const point of family?.points ?? []) {
    if (isCounted !== undefined && !isCounted(point.labels)) continue;
    if ("value" in point) sum += point.value;
    else if ("histogram" in point) sum += point.histogram.count;
  }
  return sum;
}

function samplesOf(family: MetricFamily | undefined): readonly number[] {
  const [point] = (family as WindowFamily | undefined)?.points ?? [];
  return point?.values.kind === "samples" ? point.values.sorted : [];
}

function mean(samples: readonly number[]): number {
  let sum = 0;
  for (const sample of samples) sum += sample;
  return samples.length === 0 ? 0 : sum / samples.length;
}

function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100;
}

import fc from "fast-check";
import type { MetricFamily, MetricsSnapshot } from "../../src/metrics/index.js";
import { bucketIndexerOf, type ExponentialHistogram, emptyExponential } from "../../src/sketch/index.js";

/** A histogram of values, by counting them one by one; fewer lines than the product's and much slower. */
export function histogramOf(schema: number, values: readonly number[]): ExponentialHistogram {
  const indexOf = bucketIndexerOf(schema);
  const run = (of: readonly number[]): { indexes: number[]; counts: number[] } => {
    const counts = new Map<number, number>();
    for (const value of of) counts.set(indexOf(value), (counts.get(indexOf(value)) ?? 0) + 1);
    const indexes = [...counts.keys()].sort((a, b) => a - b);
    return { indexes, counts: indexes.map((index) => counts.get(index)!) };
  };
  if (values.length === 0) return emptyExponential(schema);
  return {
    schema,
    count: values.length,
    sum: values.reduce((sum, value) => sum + value, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    zeroCount: values.filter((value) => value === 0).length,
    positive: run(values.filter((value) => value > 0)),
    negative: run(values.filter((value) => value < 0).map((value) => -value)),
  };
}

/** Without -0, which some formats write as 0. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const usual = fc.double({ min: 1e-6, max: 1e4, noNaN: true });
const either = fc.oneof(
  { weight: 8, arbitrary: usual },
  { weight: 1, arbitrary: usual.map((value) => -value) },
  { weight: 1, arbitrary: fc.constant(0) },
);
/** The ends of the doubles are far apart, and so only in wide buckets: 67,136 of them at schema 5. */
const extreme = fc.oneof({ weight: 20, arbitrary: either }, { weight: 1, arbitrary: finite });
const anyHistogram = fc
  .integer({ min: -4, max: 8 })
  .chain((schema) =>
    fc.array(schema > 5 ? either : extreme, { maxLength: 30 }).map((values) => histogramOf(schema, values)),
  );

const text = fc.string({ unit: "binary", maxLength: 8 });
/** With fractions of a millisecond, as clocks have them. */
const anyMs = fc.double({ min: 1.7e12, max: 1.8e12, noNaN: true });

function familyOf(kind: MetricFamily["kind"]): fc.Arbitrary<MetricFamily> {
  const labelNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 3 });
  return fc
    .tuple(text, fc.option(fc.constantFrom("s", "By", "1", "{request}")), labelNames)
    .chain(([help, unit, names]) => {
      const head = fc
        .record({
          labels: fc.array(text, { minLength: names.length, maxLength: names.length }),
          startedMs: anyMs,
          isOverflow: fc.boolean(),
        })
        .map(({ isOverflow, ...point }) =>
          isOverflow ? { ...point, labels: names.map(() => ""), isOverflow } : point,
        );
      const family = { help, labelNames: names, ...(unit === null ? {} : { unit }), name: "", kind };
      const points = fc.uniqueArray(
        fc.tuple(head, measured(kind)).map(([point, value]) => ({ ...point, ...value })),
        { maxLength: 4, selector: (point) => JSON.stringify(point.labels) },
      );
      return points.map((all) => ({ ...family, points: all }) as unknown as MetricFamily);
    });
}

function measured(kind: MetricFamily["kind"]): fc.Arbitrary<object> {
  if (kind === "histogram") return fc.record({ histogram: anyHistogram });
  if (kind === "counter") return fc.record({ value: fc.oneof(fc.nat(), usual) });
  if (kind !== "window") return fc.record({ value: fc.double().map((value) => value + 0) });
  const samples = fc.array(finite, { maxLength: 9 }).map((values) => ({
    kind: "samples",
    samplesMax: 9,
    sorted: values.sort((a, b) => a - b),
  }));
  const recent = anyHistogram.map((histogram) => ({ kind: "recent", forMs: 60_000, histogram }));
  return fc.record({ values: fc.oneof(samples, recent) });
}

/** Any snapshot of these kinds of families, whose names are `name.0`, `name.1`, … */
export function anySnapshotOf(...kinds: readonly MetricFamily["kind"][]): fc.Arbitrary<MetricsSnapshot> {
  const family = fc.constantFrom(...kinds).chain(familyOf);
  return fc
    .record({ atMs: anyMs, families: fc.array(family, { maxLength: 5 }) })
    .map(({ atMs, families }) => ({
      atMs,
      isExact: true,
      families: families.map((one, at) => ({ ...one, name: `name.${at}` })),
    }));
}

import fc from "fast-check";
import type { MetricFamily, MetricsSnapshot } from "../../src/metrics/index.js";
import { emptyExponential, Histogram, mergeExponential } from "../../src/sketch/index.js";

/** Any text: separators, lone surrogates, nothing. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("", "a", "b", "1:a", "\ud800", "\udfff\u0000", "__proto__", "|", "é"),
);
/** Without -0, which no sum keeps. */
const anyNumber = fc.oneof(fc.integer({ min: -5, max: 1000 }), fc.double()).map((value) => value + 0);
const timeMs = fc.integer({ min: 0, max: 2 ** 42 });
const histogram = fc
  .tuple(
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 6 }),
    fc.integer({ min: -4, max: 5 }),
  )
  .map(([values, schema]) => {
    const recorded = new Histogram();
    for (const value of values) recorded.record(value);
    return mergeExponential(emptyExponential(schema), recorded.toExponential());
  });

function pointsOf<Values extends object>(labels: number, values: fc.Arbitrary<Values>) {
  const one = fc.record({
    labels: fc.array(text, { minLength: labels, maxLength: labels }),
    startedMs: timeMs,
  });
  return fc.uniqueArray(
    fc.tuple(one, values).map(([head, rest]) => ({ ...head, ...rest })),
    { maxLength: 4, selector: ({ labels: values }) => JSON.stringify(values) },
  );
}

const windowValues = fc.oneof(
  fc.array(fc.double({ noNaN: true }), { maxLength: 4 }).map((values) => ({
    values: { kind: "samples" as const, samplesMax: 4, sorted: values.sort((a, b) => a - b) },
  })),
  fc
    .record({ forMs: fc.constant(60_000), histogram })
    .map((one) => ({ values: { kind: "recent" as const, ...one } })),
);

const anyFamily: fc.Arbitrary<MetricFamily> = fc
  .record({
    name: text,
    help: text,
    unit: fc.option(text, { nil: undefined }),
    labelNames: fc.uniqueArray(text, { maxLength: 3 }),
    kind: fc.constantFrom("counter", "upDownCounter", "gauge", "histogram", "window"),
    across: fc.constantFrom(undefined, "latest", "sum", "min", "max"),
    hasOverflow: fc.boolean(),
  })
  .chain(({ unit, across, kind, hasOverflow, ...rest }) => {
    const labels = rest.labelNames.length;
    const values: fc.Arbitrary<object> =
      kind === "histogram"
        ? fc.record({ histogram })
        : kind === "window"
          ? windowValues
          : fc.record({ value: anyNumber, setMs: timeMs }, { requiredKeys: ["value"] });
    const extras = {
      ...(unit === undefined ? {} : { unit }),
      ...(kind === "gauge" && across !== undefined ? { across } : {}),
    };
    return pointsOf(labels, values).map((points) => {
      const overflow = points.slice(0, hasOverflow ? 1 : 0).map((point) => ({
        ...point,
        labels: rest.labelNames.map(() => ""),
        isOverflow: true,
      }));
      return { ...rest, ...extras, kind, points: [...points, ...overflow] } as unknown as MetricFamily;
    });
  });

/** Snapshots of every shape, with texts that look like each other. */
export const anySnapshot: fc.Arbitrary<MetricsSnapshot> = fc.record(
  {
    atMs: timeMs,
    isExact: fc.boolean(),
    families: fc.uniqueArray(anyFamily, { maxLength: 5, selector: ({ name }) => name }),
  },
  { noNullPrototype: true },
);

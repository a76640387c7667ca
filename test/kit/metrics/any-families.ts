import fc from "fast-check";
import type {
  HistogramFamily,
  MetricFamily,
  NumberFamily,
  WindowFamily,
} from "../../../src/metrics/index.js";
import { histograms, numbers, recentWindow, samplesWindow } from "./sample-families.js";

/** Values that formats have trouble with. */
const awkward = [
  "",
  "a,b",
  'a="b"',
  "}",
  "\\",
  "\\n",
  "\n",
  "\r",
  "a\r\nb\rc",
  '"',
  '\\"',
  "\u0000",
  "\u2028",
  " # {} 1",
  "\ud800",
  "x\udfffy",
  "🙂",
  "__proto__",
  "+Inf",
];
const anyText = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string(),
);
const anyName = fc.oneof(
  fc.constantFrom(
    "a",
    "a.b",
    "a b",
    "9a",
    "_a",
    "a:b",
    "x_total",
    "x",
    "x_count",
    "x_s",
    "x_seconds",
    "🙂",
    "",
    "le",
  ),
  fc.string({ maxLength: 6 }),
);
const anyNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, 1e21, 2 ** 53, 1e-7, Number.MAX_VALUE, Number.MIN_VALUE),
);
const anyValues = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -3, max: 1000 })), {
  maxLength: 12,
});

/** Families of every kind with any text and number in them; names may be alike, label sets of one family are not. */
export const anyFamilies: fc.Arbitrary<readonly MetricFamily[]> = fc.array(
  fc.oneof(anyNumbers(), anyHistograms(), anyWindow()),
  { maxLength: 6 },
);

function anyHead(): fc.Arbitrary<{
  name: string;
  help: string;
  unit?: string;
  labelNames: readonly string[];
}> {
  return fc
    .record({
      name: anyName,
      help: anyText,
      unit: fc.constantFrom(undefined, "s", "By", "1", "{request}", "🙂", "By/s"),
      labelNames: fc.uniqueArray(fc.oneof(anyName, fc.constantFrom("__proto__", "constructor")), {
        maxLength: 3,
      }),
    })
    .map(({ unit, ...head }) => (unit === undefined ? head : { ...head, unit }));
}

function withPoints<V, F>(
  value: fc.Arbitrary<V>,
  make: (head: Parameters<typeof numbers>[1], points: [string[], V][]) => F,
): fc.Arbitrary<F> {
  return anyHead().chain((head) => {
    const labels = fc.array(anyText, {
      minLength: head.labelNames?.length ?? 0,
      maxLength: head.labelNames?.length ?? 0,
    });
    const points = fc.uniqueArray(fc.tuple(labels, value), {
      maxLength: 5,
      selector: ([labels]) => JSON.stringify(labels),
    });
    return points.map((all) => make(head, all));
  });
}

function anyNumbers(): fc.Arbitrary<NumberFamily> {
  return fc
    .constantFrom("counter" as const, "upDownCounter" as const, "gauge" as const)
    .chain((kind) => withPoints(anyNumber, (head, points) => numbers(kind, head, points)));
}

function anyHistograms(): fc.Arbitrary<HistogramFamily> {
  return withPoints(anyValues, histograms);
}

function anyWindow(): fc.Arbitrary<WindowFamily> {
  const finite = anyValues.map((values) => values.filter(Number.isFinite));
  return fc.oneof(withPoints(finite, samplesWindow), withPoints(finite, recentWindow));
}

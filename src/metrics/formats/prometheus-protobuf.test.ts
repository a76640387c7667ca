import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import protobuf from "protobufjs";
import { anySnapshot } from "../../../test/kit/any-snapshot.js";
import { anySnapshotOf, histogramOf } from "../../../test/kit/format-snapshots.js";
import { messageType } from "../../../test/kit/schemas.js";
import { bucketUpperAt, type ExponentialHistogram } from "../../sketch/index.js";
import type { HistogramFamily, MetricFamily, MetricsSnapshot } from "../snapshot.js";
import { negotiate } from "./negotiate.js";
import { numberText } from "./number-text.js";
import { renderPrometheusProtobuf } from "./prometheus-protobuf.js";
import { renderPrometheusText } from "./prometheus-text.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);
const familyType = messageType("io/prometheus/client/metrics.proto", "io.prometheus.client.MetricFamily");

interface Timestamp {
  readonly seconds: string;
  readonly nanos?: number;
}

interface Span {
  readonly offset: number;
  readonly length: number;
}

interface NativeHistogram {
  readonly sampleCount: string;
  readonly sampleSum: number;
  readonly bucket?: readonly { readonly cumulativeCount: string; readonly upperBound: number }[];
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: string;
  readonly negativeSpan?: readonly Span[];
  readonly negativeDelta?: readonly string[];
  readonly positiveSpan?: readonly Span[];
  readonly positiveDelta?: readonly string[];
  readonly createdTimestamp?: Timestamp;
}

/** As the schema has it: only what the bytes said. */
interface Family {
  readonly name: string;
  readonly help?: string;
  readonly type: string;
  readonly unit?: string;
  readonly metric: readonly {
    readonly label?: readonly { readonly name: string; readonly value: string }[];
    readonly gauge?: { readonly value: number };
    readonly counter?: { readonly value: number; readonly createdTimestamp?: Timestamp };
    readonly histogram?: NativeHistogram;
  }[];
}

function decoded(families: readonly MetricFamily[]): Family[] {
  const reader = protobuf.Reader.create(Buffer.concat([...renderPrometheusProtobuf(families)]));
  const read: Family[] = [];
  while (reader.pos < reader.len)
    read.push(
      familyType.toObject(familyType.decodeDelimited(reader), { longs: String, enums: String }) as Family,
    );
  return read;
}

/** What the text format writes of the same, without HELP. */
function asText({ name, type, metric }: Family): string {
  const lines = metric.flatMap(({ label = [], gauge, counter, histogram }) => {
    const pairs = label.map(({ name, value }) => `${name}="${value.replace(/[\\"\n]/g, escapeChar)}"`);
    const labels = (...more: string[]): string =>
      pairs.length + more.length === 0 ? "" : `{${[...pairs, ...more].join(",")}}`;
    if (histogram === undefined)
      return [`${name}${labels()} ${numberText(gauge?.value ?? counter?.value ?? Number.NaN)}`];
    const { bucket = [], sampleCount, sampleSum } = histogram;
    return [
      ...bucket.map(
        ({ upperBound, cumulativeCount }) =>
          `${name}_bucket${labels(`le="${numberText(upperBound)}"`)} ${cumulativeCount}`,
      ),
      `${name}_bucket${labels('le="+Inf"')} ${sampleCount}`,
      `${name}_sum${labels()} ${numberText(sampleSum)}`,
      `${name}_count${labels()} ${sampleCount}`,
    ];
  });
  return [`# TYPE ${name} ${type.toLowerCase()}`, ...lines, ""].join("\n");
}

function escapeChar(char: string): string {
  return char === "\n" ? "\\n" : `\\${char}`;
}

const anyFamilies = fc
  .oneof(anySnapshotOf("counter", "upDownCounter", "gauge", "histogram", "window"), anySnapshot)
  .map(({ families }) => families.filter(({ points }) => points.length > 0));

test("renderPrometheusProtobuf() says what the text format says", () => {
  fc.assert(
    fc.property(anyFamilies, (families) => {
      const read = decoded(families);

      const text = [...renderPrometheusText(families)].join("");
      assert.equal(read.map(asText).join(""), text.replace(/^# HELP.*\n/gm, ""));
    }),
    { seed, numRuns: 200 },
  );
});

/** Buckets by Prometheus' index, from spans and deltas. */
function bucketsOf(spans: readonly Span[] = [], deltas: readonly string[] = []): Map<number, number> {
  const buckets = new Map<number, number>();
  let index = 0;
  let count = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (const end = index + length; index < end; index += 1) {
      count += Number(deltas[at++]);
      if (count !== 0) buckets.set(index, count);
    }
  }
  assert.equal(at, deltas.length);
  return buckets;
}

function expectedBuckets(
  { schema }: ExponentialHistogram,
  { indexes, counts }: ExponentialHistogram["positive"],
): Map<number, number> {
  const isCounted = (index: number): boolean => bucketUpperAt(schema, index) > 2 ** -128;
  return new Map(
    indexes.map((index, at) => [index + 1, counts[at]!] as const).filter(([i]) => isCounted(i - 1)),
  );
}

test("renderPrometheusProtobuf() writes native histograms with every bucket", () => {
  fc.assert(
    fc.property(anySnapshotOf("histogram"), (snapshot) => {
      const families = snapshot.families.filter(({ points }) => points.length > 0) as HistogramFamily[];

      const read = decoded(families);

      assert.equal(read.length, families.length);
      for (const [f, { points }] of families.entries()) {
        assert.equal(read[f]!.metric.length, points.length);
        for (const [p, { histogram, startedMs }] of points.entries()) {
          const native = read[f]!.metric[p]!.histogram!;
          const positive = bucketsOf(native.positiveSpan, native.positiveDelta);
          const negative = bucketsOf(native.negativeSpan, native.negativeDelta);
          assert.deepEqual(positive, expectedBuckets(histogram, histogram.positive));
          assert.deepEqual(negative, expectedBuckets(histogram, histogram.negative));
          const sum = [...positive.values(), ...negative.values()].reduce((a, b) => a + b, 0);
          assert.equal(Number(native.zeroCount), histogram.count - sum);
          assert.deepEqual(
            [native.schema, native.zeroThreshold, native.sampleCount, native.sampleSum],
            [histogram.schema, 2 ** -128, String(histogram.count), histogram.sum],
          );
          assert.deepEqual(native.createdTimestamp, timestampOf(startedMs));
        }
      }
    }),
    { seed, numRuns: 200 },
  );
});

function timestampOf(ms: number): Timestamp {
  const nanos = BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1e6));
  const seconds = String(nanos / 1_000_000_000n);
  // As the format has it, 0 is left out.
  return nanos % 1_000_000_000n === 0n ? { seconds } : { seconds, nanos: Number(nanos % 1_000_000_000n) };
}

const startedMs = 1_795_000_000_250.5;

function histogramFamily(...histograms: readonly ExponentialHistogram[]): HistogramFamily {
  const points = histograms.map((histogram, at) => ({ labels: [`${at}`], startedMs, histogram }));
  return { kind: "histogram", name: "wait.seconds", help: "Wait", unit: "s", labelNames: ["l"], points };
}

test("renderPrometheusProtobuf() writes every field as the schema has it", () => {
  const point = { labels: ["x"], startedMs, value: 3 };
  const overflow = { labels: [""], startedMs: 0, value: 4, isOverflow: true };
  const counter = { kind: "counter", name: "orders", help: "Orders", labelNames: ["a.b"] } as const;

  const [orders, waits] = decoded([
    { ...counter, points: [point, overflow] },
    histogramFamily(histogramOf(0, [1, 2, 3, 4, 100, 0, -1])),
  ]);

  const createdTimestamp = { seconds: "1795000000", nanos: 250_500_000 };
  assert.deepEqual(orders, {
    name: "orders_total",
    help: "Orders",
    type: "COUNTER",
    metric: [
      { label: [{ name: "a_b", value: "x" }], counter: { value: 3, createdTimestamp } },
      { label: [{ name: "otel_metric_overflow", value: "true" }], counter: { value: 4 } },
    ],
  });
  const { bucket, ...native } = waits!.metric[0]!.histogram!;
  assert.deepEqual(
    { ...waits, metric: native },
    {
      name: "wait_seconds",
      help: "Wait",
      type: "HISTOGRAM",
      unit: "seconds",
      metric: {
        sampleCount: "7",
        sampleSum: 109,
        schema: 0,
        zeroThreshold: 2 ** -128,
        zeroCount: "1",
        negativeSpan: [{ offset: 0, length: 1 }],
        negativeDelta: ["1"],
        // Buckets up to 1, 2 and 4; then, four empty ones later, up to 128.
        positiveSpan: [
          { offset: 0, length: 3 },
          { offset: 4, length: 1 },
        ],
        positiveDelta: ["1", "0", "1", "-1"],
        createdTimestamp,
      },
    },
  );
  assert.deepEqual(
    bucket!.find(({ upperBound }) => upperBound === 2),
    { cumulativeCount: "4", upperBound: 2 },
  );
});

test("renderPrometheusProtobuf() writes short gaps as empty buckets and starts a span after longer ones", () => {
  const [family] = decoded([histogramFamily(histogramOf(0, [1, 8, 128]))]);

  const { positiveSpan, positiveDelta } = family!.metric[0]!.histogram!;
  assert.deepEqual(positiveSpan, [
    { offset: 0, length: 4 },
    { offset: 3, length: 1 },
  ]);
  assert.deepEqual(positiveDelta, ["1", "-1", "0", "1", "0"]);
});

test("renderPrometheusProtobuf() counts as zeros what is not above the threshold, in every schema", () => {
  for (let schema = -4; schema <= 8; schema += 1) {
    const values = [2 ** -128, -(2 ** -128), 2 ** -1000, 0, 2 ** -127.9];

    const [family] = decoded([histogramFamily(histogramOf(schema, values))]);

    const { zeroCount, positiveSpan, negativeSpan } = family!.metric[0]!.histogram!;
    assert.deepEqual(
      [zeroCount, positiveSpan?.length, negativeSpan],
      ["4", 1, undefined],
      `schema ${schema}`,
    );
  }
});

test("renderPrometheusProtobuf() marks an empty histogram as native by its threshold", () => {
  const [family] = decoded([histogramFamily(histogramOf(5, []))]);

  const { schema, zeroThreshold, sampleCount, positiveSpan } = family!.metric[0]!.histogram!;
  assert.deepEqual([schema, zeroThreshold, sampleCount, positiveSpan], [5, 2 ** -128, "0", undefined]);
});

test("renderPrometheusProtobuf() leaves out a family without points, which libraries refuse", () => {
  const families = decoded([histogramFamily(), { ...histogramFamily(histogramOf(0, [1])), name: "other" }]);

  assert.deepEqual(
    families.map(({ name }) => name),
    ["other"],
  );
});

test("renderPrometheusProtobuf() comes in small pieces, with pauses in a large family", () => {
  const values = Array.from({ length: 500 }, (_, at) => 1.01 ** at);
  const family = histogramFamily(...Array.from({ length: 300 }, () => histogramOf(5, values)));

  const pieces = [...renderPrometheusProtobuf([family])];

  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const pauses = pieces.filter((piece) => piece.length === 0).length;
  assert.ok(bytes > 150_000, `${bytes}`);
  assert.ok(pauses >= Math.floor(bytes / 40_000), `${pauses} pauses in ${bytes} bytes`);
  assert.ok(
    pieces.every((piece) => piece.length < 50_000),
    `${Math.max(...pieces.map(({ length }) => length))}`,
  );
});

test("negotiate() gives protobuf to who asks for delimited MetricFamily, and to nobody else", () => {
  const type = "application/vnd.google.protobuf";
  const native = `${type};proto=io.prometheus.client.MetricFamily;encoding=delimited`;
  const prometheus242 = `${native},application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`;
  const snapshot: MetricsSnapshot = {
    atMs: startedMs,
    isExact: true,
    families: [histogramFamily(histogramOf(0, [1]))],
  };

  const format = negotiate(prometheus242);

  assert.equal(format.name, "prometheus-protobuf");
  assert.equal(format.contentType, native.replaceAll(";", "; "));
  assert.deepEqual(
    Buffer.concat([...format.render(snapshot)].map((piece) => Buffer.from(piece))),
    Buffer.concat([...renderPrometheusProtobuf(snapshot.families)]),
  );
  for (const accept of [
    type,
    "application/*",
    "*/*",
    `${type};proto=io.prometheus.client.MetricFamily;encoding=text`,
    `${type};proto=other;encoding=delimited`,
  ])
    assert.notEqual(negotiate(accept).name, "prometheus-protobuf", accept);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HrTime, ValueType } from "@opentelemetry/api";
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { anySnapshot } from "../../../test/kit/any-snapshot.js";
import { anySnapshotOf, histogramOf } from "../../../test/kit/format-snapshots.js";
import { messageType, plain } from "../../../test/kit/schemas.js";
import type { ExponentialHistogram } from "../../sketch/index.js";
import type { HistogramFamily, MetricsSnapshot, NumberFamily } from "../snapshot.js";
import { encodeOtlp, renderOtlp } from "./encode-otlp.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);
const requestType = messageType(
  "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
  "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
);
const resource = {
  "service.name": "shop",
  "service.instance.id": "a\ud83d\ude00",
  replicas: 3,
  share: 0.5,
  on: true,
};
const scope = { name: "poundlock", version: "1.2.3" };

/** The same data as OpenTelemetry's own SDK hands it to its transformer. */
function asSdkData(snapshot: MetricsSnapshot, temporality: AggregationTemporality): ResourceMetrics {
  const metrics = snapshot.families.map((family) =>
    sdkMetric(family as NumberFamily | HistogramFamily, snapshot.atMs, temporality),
  );
  const withPoints = metrics.filter(({ dataPoints }) => dataPoints.length > 0);
  return { resource: resourceFromAttributes(resource), scopeMetrics: [{ scope, metrics: withPoints }] };
}

function sdkMetric(
  family: NumberFamily | HistogramFamily,
  atMs: number,
  aggregationTemporality: AggregationTemporality,
): MetricData {
  const head = (point: (typeof family.points)[number]) => ({
    startTime: hrTime(point.startedMs),
    endTime: hrTime(atMs),
    attributes: point.isOverflow
      ? { "otel.metric.overflow": true }
      : Object.fromEntries(family.labelNames.map((name, at) => [name, point.labels[at]])),
  });
  const { name, help: description, unit = "" } = family;
  const descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  if (family.kind === "histogram")
    return {
      descriptor,
      aggregationTemporality,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: family.points.map((point) => ({ ...head(point), value: sdkHistogram(point.histogram) })),
    };
  const dataPoints = family.points.map((point) => ({ ...head(point), value: point.value }));
  if (family.kind === "gauge")
    return { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints };
  const isMonotonic = family.kind === "counter";
  return { descriptor, aggregationTemporality, dataPointType: DataPointType.SUM, isMonotonic, dataPoints };
}

function sdkHistogram({ schema, count, sum, min, max, zeroCount, positive, negative }: ExponentialHistogram) {
  const dense = ({ indexes, counts }: typeof positive) => {
    const [first = 0, last = -1] = [indexes[0], indexes.at(-1)];
    const bucketCounts = new Array<number>(last - first + 1).fill(0);
    for (const [at, index] of indexes.entries()) bucketCounts[index - first] = counts[at]!;
    return { offset: first, bucketCounts };
  };
  const range = count === 0 ? {} : { min, max };
  const total = negative.indexes.length > 0 ? {} : { sum };
  return {
    count,
    ...total,
    ...range,
    scale: schema,
    zeroCount,
    positive: dense(positive),
    negative: dense(negative),
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

/** An object can hold these labels in their order; the SDK has attributes as an object. */
function fitsObject({ families }: MetricsSnapshot): boolean {
  const names = families.flatMap(({ labelNames }) => labelNames);
  return !names.some((name) => /^\d+$|^__proto__$/.test(name));
}

/** What the SDK has no equal of: windows. */
const comparable = anySnapshotOf("counter", "upDownCounter", "gauge", "histogram").filter(fitsObject);

function decoded(bytes: Uint8Array): Record<string, unknown> {
  return plain(requestType, requestType.decode(bytes));
}

test("encodeOtlp() writes the bytes that OpenTelemetry's transformer writes", () => {
  fc.assert(
    fc.property(
      comparable,
      fc.constantFrom("cumulative" as const, "delta" as const),
      (snapshot, temporality) => {
        const options = { resource, scope, temporality, bucketsMax: 100_000 };
        const sdkTemporality =
          temporality === "delta" ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
        const data = asSdkData(snapshot, sdkTemporality);
        // Without a metric we send an empty message, and the transformer an envelope around nothing.
        fc.pre(data.scopeMetrics[0]!.metrics.length > 0);

        const bytes = encodeOtlp(snapshot, options);

        const expected = ProtobufMetricsSerializer.serializeRequest(data)!;
        if (Buffer.compare(bytes, expected) !== 0) assert.deepEqual(decoded(bytes), decoded(expected));
        assert.equal(Buffer.compare(bytes, expected), 0);
      },
    ),
    { seed, numRuns: 300 },
  );
});

test("encodeOtlp() writes the JSON that OpenTelemetry's transformer writes, with strings where OTLP wants them", () => {
  fc.assert(
    fc.property(comparable, (snapshot) => {
      const data = asSdkData(snapshot, AggregationTemporality.CUMULATIVE);
      fc.pre(data.scopeMetrics[0]!.metrics.length > 0);

      const json = encodeOtlp(snapshot, { resource, scope, bucketsMax: 100_000, encoding: "json" });

      const expected = Buffer.from(JsonMetricsSerializer.serializeRequest(data)!).toString();
      assert.deepEqual(JSON.parse(json, asTransformer), JSON.parse(expected, asTransformer));
    }),
    { seed, numRuns: 100 },
  );
});

/**
 * The transformer writes counts and integer attributes as numbers, where protobuf's JSON mapping has decimal strings so that none is
 * rounded, and null for NaN and the infinities, where it has strings.
 */
function asTransformer(key: string, value: unknown): unknown {
  if (["count", "zeroCount", "intValue"].includes(key)) return Number(value);
  if (key === "bucketCounts") return (value as unknown[]).map(Number);
  if (key === "asDouble" || key === "sum") return typeof value === "string" ? null : value;
  return value;
}

test("encodeOtlp() says the same in JSON as in protobuf, by the schema", () => {
  fc.assert(
    fc.property(
      fc.oneof(anySnapshotOf("counter", "gauge", "histogram", "window"), anySnapshot),
      (snapshot) => {
        const options = { resource, scope };

        const json = JSON.parse(encodeOtlp(snapshot, { ...options, encoding: "json" }));

        const fromJson = requestType.fromObject(json);
        assert.deepEqual(plain(requestType, fromJson), decoded(encodeOtlp(snapshot, options)));
      },
    ),
    { seed, numRuns: 100 },
  );
});

const startedMs = 1_795_000_000_000.25;
const atMs = 1_795_000_060_000.5;

function snapshotOf(...families: MetricsSnapshot["families"]): MetricsSnapshot {
  return { atMs, isExact: true, families };
}

function histogramSnapshot(histogram: ExponentialHistogram): MetricsSnapshot {
  const point = { labels: [], startedMs, histogram };
  return snapshotOf({ name: "h", help: "", labelNames: [], kind: "histogram", points: [point] });
}

interface Point {
  readonly [key: string]: unknown;
}

/** Metrics by name, and all of their points. */
function metricsOf(bytes: Uint8Array): Map<string, { unit: string; points: readonly Point[] }> {
  const request = requestType.toObject(requestType.decode(bytes), {
    longs: String,
    defaults: true,
    oneofs: true,
  });
  const { metrics } = request.resourceMetrics[0].scopeMetrics[0];
  return new Map(
    metrics.map(
      (metric: Record<string, { dataPoints: Point[] }> & { name: string; unit: string; data: string }) => [
        metric.name,
        { unit: metric.unit, points: metric[metric.data]!.dataPoints },
      ],
    ),
  );
}

test("encodeOtlp() keeps times to the nanosecond, above 2^53", () => {
  const point = { labels: [], startedMs, value: 1 };
  const snapshot = snapshotOf({ name: "c", help: "", labelNames: [], kind: "counter", points: [point] });

  const [written] = metricsOf(encodeOtlp(snapshot)).get("c")!.points;

  assert.equal(written!.startTimeUnixNano, "1795000000000250000");
  assert.equal(written!.timeUnixNano, "1795000060000500000");
});

test("encodeOtlp() of differences begins at the former cut, or later where a series does", () => {
  const points = [startedMs, startedMs + 40].map((ms, at) => ({
    labels: [`${at}`],
    startedMs: ms,
    value: 1,
  }));
  const snapshot = snapshotOf({ name: "c", help: "", labelNames: ["l"], kind: "counter", points });

  const bytes = encodeOtlp(snapshot, { temporality: "delta", startedMs: startedMs + 10.5 });

  assert.deepEqual(
    metricsOf(bytes)
      .get("c")!
      .points.map(({ startTimeUnixNano }) => startTimeUnixNano),
    ["1795000000010750000", "1795000000040250000"],
  );
});

test("encodeOtlp() writes wider buckets when a histogram spans too many, and loses no observation", () => {
  const values = [1e-300, 1e-9, 1, 1, 1000, 1e300, -1e-5, 0];
  for (const [bucketsMax, scale] of [
    [67_136, 5],
    [1280, -1],
    [160, -4],
  ] as const) {
    const snapshot = histogramSnapshot(histogramOf(5, values));

    const [point] = metricsOf(encodeOtlp(snapshot, { bucketsMax })).get("h")!.points;

    const { offset, bucketCounts } = point!.positive as { offset: number; bucketCounts: string[] };
    const expected = histogramOf(scale, values).positive;
    const used = bucketCounts.flatMap((count, at) => (count === "0" ? [] : [offset + at]));
    assert.equal(point!.scale, scale);
    assert.ok(bucketCounts.length <= bucketsMax);
    assert.deepEqual(used, expected.indexes);
    assert.deepEqual(bucketCounts.filter((count) => count !== "0").map(Number), expected.counts);
  }
  assert.throws(() => encodeOtlp(snapshotOf(), { bucketsMax: 159 }), { code: "OPTION_INVALID" });
});

test("encodeOtlp() takes a span of exactly bucketsMax as it is, for either sign", () => {
  for (const sign of [1, -1])
    for (const [last, scale] of [
      [2 ** 20, 3],
      [2 ** 20.01, 2],
    ] as const) {
      const snapshot = histogramSnapshot(histogramOf(3, [sign * 2 ** 0.01, sign * last]));

      const [point] = metricsOf(encodeOtlp(snapshot, { bucketsMax: 160 })).get("h")!.points;

      assert.equal(point!.scale, scale, `${sign} ${last}`);
    }
});

test("encodeOtlp() writes NaN and the infinities as strings in JSON", () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5];
  const points = values.map((value, at) => ({ labels: [`${at}`], startedMs, value }));
  const snapshot = snapshotOf({ name: "g", help: "", labelNames: ["l"], kind: "gauge", points });

  const json = JSON.parse(encodeOtlp(snapshot, { encoding: "json" }));

  const { dataPoints } = json.resourceMetrics[0].scopeMetrics[0].metrics[0].gauge;
  assert.deepEqual(
    dataPoints.map(({ asDouble }: { asDouble: unknown }) => asDouble),
    ["NaN", "Infinity", "-Infinity", 1.5],
  );
});

test("encodeOtlp() leaves out a range that is only a bound, and a sum of negative values", () => {
  const loose = { ...histogramOf(5, [1, 2]), hasLooseRange: true } as const;
  const [ofLoose] = metricsOf(encodeOtlp(histogramSnapshot(loose))).get("h")!.points;
  const [ofNegative] = metricsOf(encodeOtlp(histogramSnapshot(histogramOf(5, [1, -2])))).get("h")!.points;

  assert.deepEqual([ofLoose!.sum, "min" in ofLoose!, "max" in ofLoose!], [3, false, false]);
  assert.deepEqual(["sum" in ofNegative!, ofNegative!.min, ofNegative!.max], [false, -2, 1]);
});

test("encodeOtlp() writes a window as gauges by quantile, with its average and count", () => {
  const head = { help: "", unit: "s", labelNames: [], kind: "window" as const };
  const sorted = Array.from({ length: 100 }, (_, at) => at + 1);
  const samples = { kind: "samples" as const, samplesMax: 100, sorted };
  const empty = { ...samples, sorted: [] };
  const snapshot = snapshotOf(
    { name: "w", ...head, points: [{ labels: [], startedMs, values: samples }] },
    { name: "none", ...head, points: [{ labels: [], startedMs, values: empty }] },
    {
      name: "w.count",
      help: "",
      labelNames: [],
      kind: "gauge",
      points: [{ labels: [], startedMs, value: 5 }],
    },
  );

  const metrics = metricsOf(encodeOtlp(snapshot));

  const quantiles = metrics.get("w_2")!.points.map(({ attributes, asDouble }) => {
    const [{ key, value }] = attributes as [{ key: string; value: { stringValue: string } }];
    return [key, value.stringValue, asDouble];
  });
  assert.deepEqual(quantiles, [
    ["quantile", "0", 1],
    ["quantile", "0.5", 50],
    ["quantile", "0.95", 95],
    ["quantile", "0.99", 99],
    ["quantile", "1", 100],
  ]);
  assert.deepEqual(
    [...metrics].map(([name, { unit, points }]) => [name, unit, points.at(-1)!.asDouble]),
    [
      ["w_2", "s", 100],
      ["w_2.avg", "s", 50.5],
      ["w_2.count", "{observation}", 100],
      ["none.count", "{observation}", 0],
      ["w.count", "", 5],
    ],
  );
});

test("encodeOtlp() marks the overflow series, and writes what UTF-8 can't tell apart once", () => {
  const points = [
    { labels: ["\ud800"], startedMs, value: 1 },
    { labels: ["\udc00"], startedMs, value: 2 },
    { labels: [""], startedMs, value: 4, isOverflow: true },
    { labels: [""], startedMs, value: 8 },
  ];
  const snapshot = snapshotOf({ name: "c", help: "", labelNames: ["l"], kind: "counter", points });

  const { points: written } = metricsOf(encodeOtlp(snapshot)).get("c")!;

  const attributesOf = ({ attributes }: Point) =>
    (attributes as { key: string; value: Record<string, unknown> }[]).map(({ key, value }) => [
      key,
      value[value.value as string],
    ]);
  assert.deepEqual(
    written.map((point) => [attributesOf(point), point.asDouble]),
    [
      [[["l", "\ufffd"]], 3],
      [[["otel.metric.overflow", true]], 4],
      [[["l", ""]], 8],
    ],
  );
});

test("encodeOtlp() of nothing is an empty request", () => {
  assert.equal(encodeOtlp(snapshotOf()).length, 0);
  assert.equal(encodeOtlp(snapshotOf(), { encoding: "json" }), '{"resourceMetrics":[]}');
});

test("renderOtlp() comes in small pieces, or with pauses, and joined is what encodeOtlp() gives", () => {
  const values = Array.from({ length: 500 }, (_, at) => 1.01 ** at);
  const histogram = histogramOf(5, values);
  const points = Array.from({ length: 300 }, (_, at) => ({ labels: [`${at}`], startedMs, histogram }));
  const snapshot = snapshotOf({ name: "h", help: "", labelNames: ["l"], kind: "histogram", points });

  const json = [...renderOtlp(snapshot, { encoding: "json" })] as string[];
  const pieces = [...renderOtlp(snapshot)] as Uint8Array[];

  assert.equal(json.join(""), encodeOtlp(snapshot, { encoding: "json" }));
  assert.ok(json.length > 20 && json.every(({ length }) => length < 50_000));
  const whole = pieces.pop()!;
  assert.deepEqual(Buffer.from(whole), Buffer.from(encodeOtlp(snapshot)));
  assert.ok(pieces.every(({ length }) => length === 0));
  assert.ok(
    pieces.length >= Math.floor(whole.length / 40_000),
    `${pieces.length} pauses in ${whole.length} bytes`,
  );
});

test("encodeOtlp() writes no -0, and names of windows as UTF-8 can hold them", () => {
  const gauge = { labels: [], startedMs, value: -0 };
  const values = { kind: "samples" as const, samplesMax: 1, sorted: [-0] };
  const snapshot = snapshotOf(
    { name: "g", help: "", labelNames: [], kind: "gauge", points: [gauge] },
    {
      name: "w\ud800",
      help: "",
      labelNames: [],
      kind: "window",
      points: [{ labels: [], startedMs, values }],
    },
  );

  const metrics = metricsOf(encodeOtlp(snapshot));

  assert.deepEqual([...metrics.keys()], ["g", "w\ufffd", "w\ufffd.avg", "w\ufffd.count"]);
  const written = [...metrics.values()].flatMap(({ points }) => points.map(({ asDouble }) => asDouble));
  assert.ok(!written.some((value) => Object.is(value, -0)));
  assert.match(encodeOtlp(snapshot, { encoding: "json" }), /"name":"w\ufffd\.avg"/);
});

import { ProtobufWriter } from "../../protobuf/index.js";
import type { DenseBuckets } from "./dense-buckets.js";
import type {
  OtlpAttribute,
  OtlpAttributeValue,
  OtlpHistogramPoint,
  OtlpMetric,
  OtlpNumberPoint,
  OtlpRequest,
} from "./otlp.js";

/** After so many bytes of points others may have a turn: well under a millisecond. */
const bytesPerPause = 16_384;
const nothing = new Uint8Array();

/**
 * The request as protobuf, in pieces: empty ones, where others may have a turn, and then the whole. Field numbers are those of
 * opentelemetry-proto 1.11 (collector/metrics/v1/metrics_service.proto, metrics/v1, common/v1, resource/v1). Fields come in the order in
 * which OpenTelemetry's JavaScript transformer writes them, and defaults are written where it writes them, so that the bytes can be compared.
 */
export function* renderOtlpProtobuf({
  resource,
  scope,
  metrics,
}: OtlpRequest): Generator<Uint8Array<ArrayBuffer>> {
  const scopeMetrics = new ProtobufWriter(64 * 1024);
  const points = new ProtobufWriter(64 * 1024);
  let isEmpty = true;
  scopeMetrics.message(1, scope, writeScope);
  for (const metric of metrics) {
    if (metric === undefined) {
      yield nothing;
      continue;
    }
    isEmpty = false;
    let pausedAt = 0;
    for (const _ of writePoints(points, metric)) {
      if (points.length - pausedAt < bytesPerPause) continue;
      pausedAt = points.length;
      yield nothing;
    }
    scopeMetrics.message(2, { metric, points: points.finish() }, writeMetric);
    yield nothing;
  }
  if (isEmpty) return;
  const request = new ProtobufWriter(scopeMetrics.length + 1024);
  request.message(1, { resource, scopeMetrics: scopeMetrics.finish() }, writeResourceMetrics);
  yield request.finish();
}

function writeResourceMetrics(
  writer: ProtobufWriter,
  { resource, scopeMetrics }: { resource: readonly OtlpAttribute[]; scopeMetrics: Uint8Array },
): void {
  writer.message(1, resource, writeResource);
  writer.bytes(2, scopeMetrics);
}

function writeResource(writer: ProtobufWriter, attributes: readonly OtlpAttribute[]): void {
  for (const one of attributes) writer.message(1, one, writeAttribute);
  // None was dropped.
  writer.uint(2, 0);
}

function writeScope(writer: ProtobufWriter, { name, version }: OtlpRequest["scope"]): void {
  writer.string(1, name);
  if (version !== undefined) writer.string(2, version);
}

/** The field `data_points` of Gauge, Sum and ExponentialHistogram. Stops after each point. */
function* writePoints(writer: ProtobufWriter, metric: OtlpMetric): Generator<undefined, void> {
  if (metric.kind === "exponentialHistogram") {
    for (const point of metric.points) {
      writer.message(1, point, writeHistogramPoint);
      yield;
    }
  } else {
    for (const point of metric.points) {
      writer.message(1, point, writeNumberPoint);
      yield;
    }
  }
}

interface WrittenMetric {
  readonly metric: OtlpMetric;
  readonly points: Uint8Array;
}

function writeMetric(writer: ProtobufWriter, written: WrittenMetric): void {
  const { name, description, unit, kind } = written.metric;
  writer.string(1, name);
  if (description !== "") writer.string(2, description);
  if (unit !== "") writer.string(3, unit);
  writer.message(dataFields[kind], written, writeData);
}

const dataFields = { gauge: 5, sum: 7, exponentialHistogram: 10 } as const;

/** Gauge, Sum and ExponentialHistogram have these fields as far as they have them. */
function writeData(writer: ProtobufWriter, { metric, points }: WrittenMetric): void {
  writer.raw(points);
  if (metric.kind === "gauge") return;
  writer.uint(2, metric.temporality);
  if (metric.kind === "sum" && metric.isMonotonic) writer.bool(3, true);
}

function writeNumberPoint(writer: ProtobufWriter, point: OtlpNumberPoint): void {
  writer.fixed64(2, point.startTimeUnixNano);
  writer.fixed64(3, point.timeUnixNano);
  writer.double(4, point.asDouble);
  for (const one of point.attributes) writer.message(7, one, writeAttribute);
}

function writeHistogramPoint(writer: ProtobufWriter, point: OtlpHistogramPoint): void {
  for (const one of point.attributes) writer.message(1, one, writeAttribute);
  writer.fixed64(2, point.startTimeUnixNano);
  writer.fixed64(3, point.timeUnixNano);
  writer.fixed64(4, point.count);
  if (point.sum !== undefined) writer.double(5, point.sum);
  if (point.scale !== 0) writer.sint(6, point.scale);
  writer.fixed64(7, point.zeroCount);
  writer.message(8, point.positive, writeBuckets);
  writer.message(9, point.negative, writeBuckets);
  if (point.min !== undefined) writer.double(12, point.min);
  if (point.max !== undefined) writer.double(13, point.max);
}

function writeBuckets(writer: ProtobufWriter, { offset, counts }: DenseBuckets): void {
  if (offset !== 0) writer.sint(1, offset);
  writer.packedUint(2, counts);
}

function writeAttribute(writer: ProtobufWriter, [key, value]: OtlpAttribute): void {
  writer.string(1, key);
  writer.message(2, value, writeAnyValue);
}

function writeAnyValue(writer: ProtobufWriter, value: OtlpAttributeValue): void {
  if (typeof value === "string") writer.string(1, value);
  else if (typeof value === "boolean") writer.bool(2, value);
  else if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) writer.int(3, value);
  else writer.double(4, value);
}

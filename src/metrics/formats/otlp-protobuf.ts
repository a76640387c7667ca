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

/**
 * The request as protobuf. Field numbers are those of opentelemetry-proto 1.11 (collector/metrics/v1/metrics_service.proto, metrics/v1,
 * common/v1, resource/v1). Fields come in the order in which OpenTelemetry's JavaScript transformer writes them, and defaults are written
 * where it writes them, so that the bytes can be compared.
 */
export function writeOtlpProtobuf(request: OtlpRequest): Uint8Array<ArrayBuffer> {
  const writer = new ProtobufWriter(64 * 1024);
  if (request.metrics.length > 0) writer.message(1, request, writeResourceMetrics);
  return writer.finish();
}

function writeResourceMetrics(writer: ProtobufWriter, request: OtlpRequest): void {
  writer.message(1, request.resource, writeResource);
  writer.message(2, request, writeScopeMetrics);
}

function writeResource(writer: ProtobufWriter, attributes: readonly OtlpAttribute[]): void {
  for (const one of attributes) writer.message(1, one, writeAttribute);
  // None was dropped.
  writer.uint(2, 0);
}

function writeScopeMetrics(writer: ProtobufWriter, { scope, metrics }: OtlpRequest): void {
  writer.message(1, scope, writeScope);
  for (const metric of metrics) writer.message(2, metric, writeMetric);
}

function writeScope(writer: ProtobufWriter, { name, version }: OtlpRequest["scope"]): void {
  writer.string(1, name);
  if (version !== undefined) writer.string(2, version);
}

function writeMetric(writer: ProtobufWriter, metric: OtlpMetric): void {
  writer.string(1, metric.name);
  if (metric.description !== "") writer.string(2, metric.description);
  if (metric.unit !== "") writer.string(3, metric.unit);
  switch (metric.kind) {
    case "gauge":
      writer.message(5, metric, writeNumbers);
      break;
    case "sum":
      writer.message(7, metric, writeNumbers);
      break;
    case "exponentialHistogram":
      writer.message(10, metric, writeHistograms);
      break;
  }
}

/** Gauge has the first of Sum's fields only. */
function writeNumbers(writer: ProtobufWriter, metric: Extract<OtlpMetric, { kind: "gauge" | "sum" }>): void {
  for (const point of metric.points) writer.message(1, point, writeNumberPoint);
  if (metric.kind === "gauge") return;
  writer.uint(2, metric.temporality);
  if (metric.isMonotonic) writer.bool(3, true);
}

function writeNumberPoint(writer: ProtobufWriter, point: OtlpNumberPoint): void {
  writer.fixed64(2, point.startTimeUnixNano);
  writer.fixed64(3, point.timeUnixNano);
  writer.double(4, point.asDouble);
  for (const one of point.attributes) writer.message(7, one, writeAttribute);
}

function writeHistograms(
  writer: ProtobufWriter,
  { points, temporality }: Extract<OtlpMetric, { kind: "exponentialHistogram" }>,
): void {
  for (const point of points) writer.message(1, point, writeHistogramPoint);
  writer.uint(2, temporality);
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

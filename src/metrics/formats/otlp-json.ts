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
 * The request as OTLP/JSON: protobuf's JSON mapping with enums as numbers (opentelemetry-proto, docs/specification.md, "JSON Protobuf
 * Encoding"). Keys are in lowerCamelCase, 64-bit integers decimal strings, and NaN and the infinities strings, for which JSON has no number.
 */
export function writeOtlpJson(request: OtlpRequest): string {
  const { resource, scope, metrics } = request;
  if (metrics.length === 0) return JSON.stringify({ resourceMetrics: [] });
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: resource.map(attributeJson), droppedAttributesCount: 0 },
        scopeMetrics: [{ scope, metrics: metrics.map(metricJson) }],
      },
    ],
  });
}

function metricJson(metric: OtlpMetric): object {
  const { name, description, unit } = metric;
  switch (metric.kind) {
    case "gauge":
      return { name, description, unit, gauge: { dataPoints: metric.points.map(numberPointJson) } };
    case "sum": {
      const { temporality: aggregationTemporality, isMonotonic, points } = metric;
      const sum = { aggregationTemporality, isMonotonic, dataPoints: points.map(numberPointJson) };
      return { name, description, unit, sum };
    }
    case "exponentialHistogram": {
      const { temporality: aggregationTemporality, points } = metric;
      const exponentialHistogram = { aggregationTemporality, dataPoints: points.map(histogramPointJson) };
      return { name, description, unit, exponentialHistogram };
    }
  }
}

function numberPointJson(point: OtlpNumberPoint): object {
  return { ...headJson(point), asDouble: doubleJson(point.asDouble) };
}

function histogramPointJson(point: OtlpHistogramPoint): object {
  const { count, sum, scale, zeroCount, positive, negative, min, max } = point;
  return {
    ...headJson(point),
    count: String(count),
    ...(sum === undefined ? {} : { sum: doubleJson(sum) }),
    scale,
    zeroCount: String(zeroCount),
    positive: bucketsJson(positive),
    negative: bucketsJson(negative),
    ...(min === undefined ? {} : { min: doubleJson(min) }),
    ...(max === undefined ? {} : { max: doubleJson(max) }),
  };
}

function headJson(point: OtlpNumberPoint | OtlpHistogramPoint): object {
  return {
    attributes: point.attributes.map(attributeJson),
    startTimeUnixNano: String(point.startTimeUnixNano),
    timeUnixNano: String(point.timeUnixNano),
  };
}

function bucketsJson({ offset, counts }: DenseBuckets): object {
  return { offset, bucketCounts: counts.map(String) };
}

function attributeJson([key, value]: OtlpAttribute): object {
  return { key, value: anyValueJson(value) };
}

function anyValueJson(value: OtlpAttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return { intValue: String(BigInt(value)) };
  return { doubleValue: doubleJson(value) };
}

function doubleJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

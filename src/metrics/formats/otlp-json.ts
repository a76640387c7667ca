import type { DenseBuckets } from "./dense-buckets.js";
import type {
  OtlpAttribute,
  OtlpAttributeValue,
  OtlpHistogramPoint,
  OtlpMetric,
  OtlpNumberPoint,
  OtlpRequest,
} from "./otlp.js";

/** A piece has about so many characters, or one point's if that is more: written in well under a millisecond. */
const pieceChars = 16_384;

/**
 * The request as OTLP/JSON in pieces: protobuf's JSON mapping with enums as numbers (opentelemetry-proto, docs/specification.md, "JSON
 * Protobuf Encoding"). Keys are in lowerCamelCase, 64-bit integers decimal strings, and NaN and the infinities strings, for which JSON has no
 * number. An empty piece is where others may have a turn.
 */
export function* renderOtlpJson(request: OtlpRequest): Generator<string> {
  let piece = "";
  for (const part of jsonParts(request)) {
    piece += part;
    if (part !== "" && piece.length < pieceChars) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

function* jsonParts({ resource, scope, metrics }: OtlpRequest): Generator<string> {
  const head = { attributes: resource.map(attributeJson), droppedAttributesCount: 0 };
  const start = `{"resourceMetrics":[{"resource":${JSON.stringify(head)},"scopeMetrics":[{"scope":${JSON.stringify(scope)},"metrics":[`;
  let isEmpty = true;
  for (const metric of metrics) {
    if (metric === undefined) {
      yield "";
      continue;
    }
    yield isEmpty ? start : ",";
    isEmpty = false;
    yield* metricParts(metric);
  }
  yield isEmpty ? '{"resourceMetrics":[]}' : "]}]}]}";
}

function* metricParts(metric: OtlpMetric): Generator<string> {
  const { name, description, unit, kind } = metric;
  const head = JSON.stringify({ name, description, unit }).slice(0, -1);
  yield `${head},"${kind}":{${aggregationText(metric)}"dataPoints":[`;
  let separator = "";
  for (const point of metric.points) {
    yield separator +
      JSON.stringify("asDouble" in point ? numberPointJson(point) : histogramPointJson(point));
    separator = ",";
  }
  yield "]}}";
}

function aggregationText(metric: OtlpMetric): string {
  if (metric.kind === "gauge") return "";
  const monotonic = metric.kind === "sum" ? `"isMonotonic":${metric.isMonotonic},` : "";
  return `"aggregationTemporality":${metric.temporality},${monotonic}`;
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

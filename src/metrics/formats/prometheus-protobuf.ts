import { ProtobufWriter } from "../../protobuf/index.js";
import type { HistogramPoint, MetricFamily, NumberPoint } from "../snapshot.js";
import { ClassicBuckets } from "./bucket-edges.js";
import { type ExposedFamily, exposeFamilies, overflowLabel } from "./exposed-families.js";
import { type NativeBuckets, nativeHistogram, zeroThreshold } from "./native-histogram.js";
import type { TextOptions } from "./text-lines.js";
import { unixNanos } from "./unix-time.js";

/** A piece has about so many bytes, or one family's or point's if that is more: written in well under a millisecond. */
const pieceBytes = 16_384;
const nothing = new Uint8Array();
const nanosPerSecond = 1_000_000_000n;

/**
 * Prometheus protobuf exposition format in pieces: MetricFamily messages, each after its length (field numbers of
 * io/prometheus/client/metrics.proto; https://prometheus.io/docs/instrumenting/exposition_formats/, "Protobuf format").
 *
 * - Families, names and labels are those of the text format; a family without points is left out.
 * - A histogram is native, with every bucket, and has the classic buckets that the text has beside them; what a server wants it takes.
 * - Counters and histograms say when each series began.
 * - An empty piece is where others may have a turn. A family's length stands before it, so its pieces come when all are written.
 *
 * @throws OptionError when edges do not ascend or are negative or not finite
 */
export function* renderPrometheusProtobuf(
  families: readonly MetricFamily[],
  options: TextOptions = {},
): Generator<Uint8Array> {
  const stream = new ProtobufWriter(2 * pieceBytes);
  const message = new ProtobufWriter(2 * pieceBytes);
  for (const family of exposeFamilies(families)) {
    if (family === undefined) {
      yield nothing;
      continue;
    }
    if (family.points.length === 0) continue;
    const pieces: Uint8Array[] = [];
    for (const _ of writeFamily(message, family, options)) {
      if (message.length < pieceBytes) continue;
      pieces.push(message.finish());
      yield nothing;
    }
    pieces.push(message.finish());
    stream.delimiter(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
    for (const piece of pieces) {
      stream.raw(piece);
      if (stream.length >= pieceBytes) yield stream.finish();
    }
  }
  if (stream.length > 0) yield stream.finish();
}

/** Stops after each point. */
function* writeFamily(
  writer: ProtobufWriter,
  family: ExposedFamily,
  options: TextOptions,
): Generator<undefined, void> {
  const { kind, name, help, unit, labelNames } = family;
  writer.string(1, kind === "counter" ? `${name}_total` : name);
  if (help !== "") writer.string(2, help);
  writer.uint(3, metricTypes[kind]);
  const labelsOf = (point: NumberPoint | HistogramPoint): void => writeLabels(writer, labelNames, point);
  if (kind === "histogram") {
    const classic = new ClassicBuckets(family.family, options.edges?.(family.family));
    for (const point of family.points) {
      writer.message(4, point, () => {
        labelsOf(point);
        writer.message(7, { point, classic }, writeHistogram);
      });
      yield;
    }
  } else {
    for (const point of family.points) {
      writer.message(4, point, () => {
        labelsOf(point);
        if (kind === "counter") writer.message(3, point, writeCounter);
        else writer.message(2, point.value, writeGauge);
      });
      yield;
    }
  }
  if (unit !== undefined) writer.string(5, unit);
}

/** MetricType. */
const metricTypes = { counter: 0, gauge: 1, histogram: 4 } as const;

function writeLabels(
  writer: ProtobufWriter,
  names: readonly string[],
  { labels, isOverflow }: NumberPoint | HistogramPoint,
): void {
  if (isOverflow === true) {
    writer.message(1, [overflowLabel, "true"], writeLabel);
    return;
  }
  for (const [at, name] of names.entries()) writer.message(1, [name, labels[at] ?? ""], writeLabel);
}

function writeLabel(writer: ProtobufWriter, [name, value]: readonly string[]): void {
  writer.string(1, name!);
  writer.string(2, value!);
}

function writeGauge(writer: ProtobufWriter, value: number): void {
  writer.double(1, value);
}

function writeCounter(writer: ProtobufWriter, { value, startedMs }: NumberPoint): void {
  writer.double(1, value);
  writeCreated(writer, 3, startedMs);
}

function writeHistogram(
  writer: ProtobufWriter,
  { point, classic }: { readonly point: HistogramPoint; readonly classic: ClassicBuckets },
): void {
  const { histogram, startedMs } = point;
  const native = nativeHistogram(histogram);
  writer.uint(1, histogram.count);
  writer.double(2, histogram.sum);
  const counts = classic.cumulative(histogram);
  for (const [at, upper] of classic.uppers.entries())
    writer.message(3, { upper, count: counts[at]! }, writeClassicBucket);
  writer.sint(5, native.schema);
  writer.double(6, zeroThreshold);
  writer.uint(7, native.zeroCount);
  writeNativeBuckets(writer, 9, native.negative);
  writeNativeBuckets(writer, 12, native.positive);
  writeCreated(writer, 15, startedMs);
}

function writeClassicBucket(
  writer: ProtobufWriter,
  { upper, count }: { readonly upper: number; readonly count: number },
): void {
  writer.uint(1, count);
  writer.double(2, upper);
}

/** Spans, and in the field after them the deltas. */
function writeNativeBuckets(writer: ProtobufWriter, field: number, { spans, deltas }: NativeBuckets): void {
  for (const span of spans) writer.message(field, span, writeSpan);
  writer.packedSint(field + 1, deltas);
}

function writeSpan(writer: ProtobufWriter, span: NativeBuckets["spans"][number]): void {
  writer.sint(1, span.offset);
  writer.uint(2, span.length);
}

/** google.protobuf.Timestamp; nothing when it is not known. */
function writeCreated(writer: ProtobufWriter, field: number, startedMs: number): void {
  const nanos = unixNanos(startedMs);
  if (nanos === 0n) return;
  writer.message(field, nanos, (timestamp, value) => {
    timestamp.int(1, value / nanosPerSecond);
    if (value % nanosPerSecond !== 0n) timestamp.uint(2, value % nanosPerSecond);
  });
}

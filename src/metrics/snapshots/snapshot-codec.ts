import { ByteReader, ByteWriter } from "../../base/index.js";
import type { BucketRun, ExponentialHistogram } from "../../sketch/index.js";
import type {
  GaugeMerge,
  HistogramPoint,
  MetricFamily,
  MetricsSnapshot,
  NumberPoint,
  WindowPoint,
} from "../snapshot.js";
import { atOnce, eachPoint, pointsPerStep, type Steps } from "./in-turns.js";
import type { SeriesPoint } from "./series-key.js";

/** "PLms", then the version of the layout. */
const magic: readonly number[] = [0x50, 0x4c, 0x6d, 0x73];
const version = 1;

const kinds: readonly MetricFamily["kind"][] = ["counter", "upDownCounter", "gauge", "histogram", "window"];
const merges: readonly GaugeMerge[] = ["latest", "sum", "min", "max"];
const hasUnit = 1;
const hasAcross = 2;
const isOverflowBit = 1;
const hasSetMs = 2;
const samplesForm = 0;
const recentForm = 1;
const isLooseBit = 1;
const noBuckets: BucketRun = { indexes: [], counts: [] };

/**
 * A snapshot as flat bytes, alone in their buffer. Nothing is lost: lone surrogates, NaN and -0 survive.
 *
 *     magic, version    4 bytes, u8
 *     time, isExact     f64, u8
 *     families          count, then each:
 *       head            kind (u8) · parts (u8) · name · help · unit if any · across (u8) if any · label names
 *       points          count, then each:
 *         head          flags (u8) · label values, unless it is the overflow series · startedMs (f64)
 *         values        value (f64), setMs (f64) if any | histogram | form (u8) and window
 *     histogram         schema (zigzag) · flags (u8) · sum, min, max (f64) · zeros · positive run · negative run
 *     run               count; first index (zigzag); then each: count, and before all but the first the indexes left out
 *
 * Counts are LEB128. A text is its number, and the first time it comes, which is when the number is new, the text itself: label
 * values repeat from family to family.
 *
 * @throws RangeError when the snapshot is none: a count that is no whole number, labels that do not fit the names
 */
export function encodeSnapshot(snapshot: MetricsSnapshot): Uint8Array<ArrayBuffer> {
  return atOnce(encodeInSteps(snapshot));
}

/** As `encodeSnapshot`; the snapshot must not change meanwhile. */
export function* encodeInSteps(snapshot: MetricsSnapshot): Steps<Uint8Array<ArrayBuffer>> {
  const writer = new ByteWriter(16 * 1024);
  for (const byte of magic) writer.u8(byte);
  writer.u8(version);
  writer.f64(snapshot.atMs);
  writer.u8(snapshot.isExact ? 1 : 0);
  const encoder = new Encoder(writer);
  writer.varint(snapshot.families.length);
  for (const family of snapshot.families) yield* encoder.family(family);
  return writer.finish();
}

/**
 * What `encodeSnapshot` wrote. Memory is bounded by the number of bytes, whatever they say.
 * @throws RangeError when the bytes are none that it writes
 */
export function decodeSnapshot(bytes: Uint8Array): MetricsSnapshot {
  return atOnce(decodeInSteps(bytes));
}

/** As `decodeSnapshot`; the bytes must not change meanwhile. */
export function* decodeInSteps(bytes: Uint8Array): Steps<MetricsSnapshot> {
  const reader = new ByteReader(bytes);
  const atMs = headTime(reader);
  const isExact = bit(reader.u8());
  const decoder = new Decoder(reader);
  const families: MetricFamily[] = [];
  const names = new Set<string>();
  for (let left = decodedCount(reader.varint()); left > 0; left -= 1) {
    const family = yield* decoder.family();
    if (names.has(family.name)) throw refused("two families share a name");
    names.add(family.name);
    families.push(family);
  }
  if (!reader.isAtEnd) throw refused("something follows the snapshot");
  return { atMs, isExact, families };
}

/** Bytes from the first that say when a snapshot was taken. */
export const snapshotHeadBytes = 13;

/**
 * The time of a snapshot of which only the first bytes have been read.
 * @throws RangeError when it does not begin as one
 */
export function snapshotTime(bytes: Uint8Array): number {
  return headTime(new ByteReader(bytes));
}

function headTime(reader: ByteReader): number {
  const head = magic.map(() => reader.u8());
  if (head.some((byte, index) => byte !== magic[index])) throw refused("they do not begin as one");
  const found = reader.u8();
  if (found !== version) throw refused(`version ${found} is not known`);
  return reader.f64();
}

class Encoder {
  readonly #writer: ByteWriter;
  readonly #texts = new Map<string, number>();

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  *family(family: MetricFamily): Steps<void> {
    const writer = this.#writer;
    const across = family.kind === "gauge" ? family.across : undefined;
    writer.u8(kinds.indexOf(family.kind));
    writer.u8((family.unit === undefined ? 0 : hasUnit) | (across === undefined ? 0 : hasAcross));
    this.#text(family.name);
    this.#text(family.help);
    if (family.unit !== undefined) this.#text(family.unit);
    if (across !== undefined) writer.u8(merges.indexOf(across));
    writer.varint(family.labelNames.length);
    for (const name of family.labelNames) this.#text(name);
    writer.varint(family.points.length);
    const labels = family.labelNames.length;
    yield* eachPoint<SeriesPoint>(family.points, (point) => this.#point(point, labels));
  }

  #point(point: SeriesPoint, labels: number): void {
    const writer = this.#writer;
    const setMs = "value" in point ? point.setMs : undefined;
    const isOverflow = point.isOverflow === true;
    writer.u8((isOverflow ? isOverflowBit : 0) | (setMs === undefined ? 0 : hasSetMs));
    if (!isOverflow) this.#labels(point.labels, labels);
    writer.f64(point.startedMs);
    if ("value" in point) writer.f64(point.value);
    else if ("histogram" in point) this.#histogram(point.histogram);
    else this.#window(point.values);
    if (setMs !== undefined) writer.f64(setMs);
  }

  #labels(values: readonly string[], expected: number): void {
    if (values.length !== expected)
      throw new RangeError(`Cannot encode snapshot: ${values.length} label values for ${expected} names`);
    for (const value of values) this.#text(value);
  }

  #window(values: WindowPoint["values"]): void {
    const writer = this.#writer;
    if (values.kind === "recent") {
      writer.u8(recentForm);
      writer.f64(values.forMs);
      this.#histogram(values.histogram);
      return;
    }
    writer.u8(samplesForm);
    writer.varint(countOf(values.samplesMax));
    writer.varint(values.sorted.length);
    for (const value of values.sorted) writer.f64(value);
  }

  #histogram(histogram: ExponentialHistogram): void {
    const writer = this.#writer;
    writer.signedVarint(histogram.schema);
    writer.u8(histogram.hasLooseRange === true ? isLooseBit : 0);
    writer.f64(histogram.sum);
    writer.f64(histogram.min);
    writer.f64(histogram.max);
    writer.varint(countOf(histogram.zeroCount));
    this.#run(histogram.positive);
    this.#run(histogram.negative);
  }

  #run({ indexes, counts }: BucketRun): void {
    const writer = this.#writer;
    writer.varint(indexes.length);
    let next = 0;
    for (let at = 0; at < indexes.length; at += 1) {
      const index = indexes[at]!;
      if (at === 0) writer.signedVarint(index);
      else writer.varint(countOf(index - next));
      writer.varint(countOf(counts[at]));
      next = index + 1;
    }
  }

  #text(text: string): void {
    const known = this.#texts.get(text);
    this.#writer.varint(known ?? this.#texts.size);
    if (known !== undefined) return;
    this.#texts.set(text, this.#texts.size);
    this.#writer.string(text);
  }
}

class Decoder {
  readonly #reader: ByteReader;
  readonly #texts: string[] = [];

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  *family(): Steps<MetricFamily> {
    const reader = this.#reader;
    const kind = kinds[reader.u8()];
    if (kind === undefined) throw refused("a family has an unknown kind");
    const parts = flags(reader.u8(), kind === "gauge" ? hasUnit | hasAcross : hasUnit);
    const name = this.#text();
    const help = this.#text();
    const unit = parts & hasUnit ? { unit: this.#text() } : {};
    const across = parts & hasAcross ? { across: mergeOf(reader.u8()) } : {};
    const labelNames: string[] = [];
    for (let left = this.#count(); left > 0; left -= 1) labelNames.push(this.#text());
    if (new Set(labelNames).size !== labelNames.length) throw refused("a family has a label twice");
    const points: SeriesPoint[] = [];
    let overflows = 0;
    for (let left = this.#count(); left > 0; left -= 1) {
      const point = this.#point(kind, labelNames.length);
      points.push(point);
      if (point.isOverflow === true) overflows += 1;
      // Its labels take no bytes, so that many of them would be more memory than bytes.
      if (overflows > 1) throw refused("a family has two overflow series");
      if (left % pointsPerStep === 0) yield;
    }
    // Each point was read as the family's kind has them.
    return { kind, name, help, ...unit, ...across, labelNames, points } as MetricFamily;
  }

  #point(kind: MetricFamily["kind"], labelCount: number): SeriesPoint {
    const reader = this.#reader;
    const parts = flags(reader.u8(), isOverflowBit | hasSetMs);
    const isOverflow = (parts & isOverflowBit) !== 0;
    const labels: string[] = [];
    for (let left = labelCount; left > 0; left -= 1) labels.push(isOverflow ? "" : this.#text());
    const head = { labels, ...(isOverflow ? { isOverflow } : {}), startedMs: reader.f64() };
    const values = this.#values(kind);
    if ((parts & hasSetMs) === 0) return { ...head, ...values };
    if (!("value" in values)) throw refused("a histogram has been set");
    return { ...head, ...values, setMs: reader.f64() };
  }

  #values(
    kind: MetricFamily["kind"],
  ): Pick<NumberPoint, "value"> | Pick<HistogramPoint, "histogram"> | Pick<WindowPoint, "values"> {
    if (kind === "histogram") return { histogram: this.#histogram() };
    if (kind === "window") return { values: this.#window() };
    return { value: this.#reader.f64() };
  }

  #window(): WindowPoint["values"] {
    const reader = this.#reader;
    const form = reader.u8();
    if (form === recentForm) return { kind: "recent", forMs: reader.f64(), histogram: this.#histogram() };
    if (form !== samplesForm) throw refused("a window has an unknown form");
    const samplesMax = this.#count();
    const sorted: number[] = [];
    for (let left = this.#count(); left > 0; left -= 1) sorted.push(reader.f64());
    for (let at = 1; at < sorted.length; at += 1)
      if (!(sorted[at - 1]! <= sorted[at]!)) throw refused("samples are not sorted");
    if (sorted.length > samplesMax) throw refused("a window has more samples than it may");
    return { kind: "samples", samplesMax, sorted };
  }

  #histogram(): ExponentialHistogram {
    const reader = this.#reader;
    const schema = reader.signedVarint();
    if (!(schema >= -4 && schema <= 8)) throw refused(`a histogram has schema ${schema}`);
    const isLoose = flags(reader.u8(), isLooseBit) === isLooseBit;
    const sum = reader.f64();
    const min = reader.f64();
    const max = reader.f64();
    const zeroCount = this.#count();
    const positive = this.#run(schema);
    const negative = this.#run(schema);
    let count = zeroCount;
    for (const of of positive.counts) count = decodedCount(count + of);
    for (const of of negative.counts) count = decodedCount(count + of);
    const isRange = count === 0 ? Number.isNaN(min) && Number.isNaN(max) : min <= max;
    if (!isRange) throw refused("a histogram's min and max are not those of its buckets");
    const range = { min, max, ...(isLoose ? { hasLooseRange: true as const } : {}) };
    return { schema, count, sum, ...range, zeroCount, positive, negative };
  }

  #run(schema: number): BucketRun {
    const reader = this.#reader;
    const length = this.#count();
    if (length === 0) return noBuckets;
    // Each takes two bytes at least; only then may it be believed.
    if (length * 2 > reader.bytesLeft) throw refused("a run is longer than the bytes");
    const indexes = new Array<number>(length);
    const counts = new Array<number>(length);
    const { lowest, highest } = indexRange(schema);
    let index = 0;
    for (let at = 0; at < length; at += 1) {
      index = at === 0 ? reader.signedVarint() : index + 1 + reader.varint();
      const count = this.#count();
      if (count === 0 || !(index >= lowest && index <= highest)) throw refused("a bucket is out of range");
      indexes[at] = index;
      counts[at] = count;
    }
    return { indexes, counts };
  }

  #count(): number {
    return decodedCount(this.#reader.varint());
  }

  #text(): string {
    const at = this.#reader.varint();
    if (at < this.#texts.length) return this.#texts[at]!;
    if (at > this.#texts.length) throw refused("a text is not there");
    const text = this.#reader.string();
    this.#texts.push(text);
    return text;
  }
}

/** Indexes of the buckets that the smallest and the largest double lie in. */
function indexRange(schema: number): { readonly lowest: number; readonly highest: number } {
  if (schema < 0) return { lowest: -1075 >> -schema, highest: 1023 >> -schema };
  return { lowest: -1074 * 2 ** schema - 1, highest: 1024 * 2 ** schema - 1 };
}

function mergeOf(code: number): GaugeMerge {
  const merge = merges[code];
  if (merge === undefined) throw refused("a gauge is merged in an unknown way");
  return merge;
}

function bit(value: number): boolean {
  return flags(value, 1) === 1;
}

function flags(value: number, known: number): number {
  if ((value & ~known) !== 0) throw refused(`flags ${value} are not known`);
  return value;
}

function decodedCount(value: number): number {
  if (!Number.isSafeInteger(value)) throw refused("a count is above 2^53");
  return value;
}

function countOf(value: number | undefined): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`Cannot encode snapshot: ${String(value)} is no count`);
}

function refused(why: string): RangeError {
  return new RangeError(`Cannot decode snapshot: ${why}`);
}

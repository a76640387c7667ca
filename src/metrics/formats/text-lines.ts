import type { HistogramFamily, MetricFamily } from "../snapshot.js";
import { type BucketEdges, ClassicBuckets } from "./bucket-edges.js";
import { wellFormed } from "./distinct-points.js";
import {
  type ExposedFamily,
  type ExposedHistograms,
  type ExposedNumbers,
  exposeFamilies,
  overflowLabel,
} from "./exposed-families.js";
import { numberText } from "./number-text.js";

export interface TextOptions {
  /** Where the classic buckets of a histogram end. @default powers of two, by the unit */
  readonly edges?: (family: HistogramFamily) => BucketEdges | undefined;
  /**
   * Whether counters and histograms say when each series began, as `_created`; Prometheus stores that as one more series each.
   * @default false
   */
  readonly created?: boolean;
}

/** Where the two text formats differ. */
export interface TextDialect {
  /** The lines above a family's samples. */
  head(family: ExposedFamily): string;
  /** A value of the label `le`. */
  edge(upper: number): string;
  /** Whether a value may stand in a counter; what may not is left out. */
  isCount(value: number): boolean;
  /** Whether `_created` are lines among the family's own, or a family of gauges. */
  readonly hasCreated: boolean;
  /** The last line. */
  readonly end: string;
}

/**
 * A piece has whole lines, this many characters or a few more, so that one is written in well under a millisecond; only a longer line
 * makes a longer piece.
 */
const pieceChars = 16_384;

/** The lines of both formats in pieces; an empty piece is where others may have a turn. */
export function* textPieces(
  families: readonly MetricFamily[],
  dialect: TextDialect,
  options: TextOptions,
): Generator<string> {
  let piece = "";
  for (const line of textLines(families, dialect, options)) {
    piece += line;
    if (line !== "" && piece.length < pieceChars) continue;
    yield piece;
    piece = "";
  }
  yield piece + dialect.end;
}

function* textLines(
  families: readonly MetricFamily[],
  dialect: TextDialect,
  options: TextOptions,
): Generator<string> {
  for (const family of exposeFamilies(families)) {
    if (family === undefined) {
      yield "";
      continue;
    }
    yield dialect.head(family);
    if (family.kind === "histogram") yield* histogramLines(family, dialect, options);
    else yield* numberLines(family, dialect, options);
    if (options.created === true && !dialect.hasCreated) yield* createdFamily(family, dialect);
  }
}

function* numberLines(family: ExposedNumbers, dialect: TextDialect, options: TextOptions): Generator<string> {
  const isCounter = family.kind === "counter";
  const start = isCounter ? `${family.name}_total` : family.name;
  for (const point of family.points) {
    if (isCounter && !dialect.isCount(point.value)) continue;
    const labels = inBraces(labelText(family.labelNames, point));
    yield `${start}${labels} ${numberText(point.value)}\n`;
    if (isCounter && dialect.hasCreated && options.created === true)
      yield createdLine(family.name, labels, point.startedMs);
  }
}

function* histogramLines(
  family: ExposedHistograms,
  dialect: TextDialect,
  options: TextOptions,
): Generator<string> {
  const buckets = new ClassicBuckets(family.family, options.edges?.(family.family));
  const edges = buckets.uppers.map((upper) => `le="${dialect.edge(upper)}"} `);
  for (const point of family.points) {
    const { histogram } = point;
    const text = labelText(family.labelNames, point);
    const start = `${family.name}_bucket{${text === "" ? "" : `${text},`}`;
    const counts = buckets.cumulative(histogram);
    // Lines of one point together: to hand each on by itself takes as long as to make it.
    let lines = "";
    for (let at = 0; at < edges.length; at += 1) {
      lines += `${start}${edges[at]}${counts[at]}\n`;
      if (lines.length < pieceChars) continue;
      yield lines;
      lines = "";
    }
    yield `${lines}${start}le="+Inf"} ${histogram.count}\n`;
    const labels = inBraces(text);
    // Values below 0 make the sum go down, as no counter may; OpenMetrics wants no count then either.
    if (histogram.negative.indexes.length === 0 ? dialect.isCount(histogram.sum) : dialect.isCount(-1))
      yield `${family.name}_sum${labels} ${numberText(histogram.sum)}\n${family.name}_count${labels} ${histogram.count}\n`;
    if (dialect.hasCreated && options.created === true)
      yield createdLine(family.name, labels, point.startedMs);
  }
}

function* createdFamily(family: ExposedFamily, dialect: TextDialect): Generator<string> {
  if (family.kind === "gauge") return;
  const { name, labelNames } = family;
  const help = `When ${name} began, since 1970`;
  const head = { name: `${name}_created`, help, unit: undefined, labelNames };
  yield dialect.head({ kind: "gauge", ...head, points: [] });
  for (const point of family.points)
    yield createdLine(name, inBraces(labelText(labelNames, point)), point.startedMs);
}

/** In seconds since 1970, with every millisecond. */
function createdLine(name: string, labels: string, startedMs: number): string {
  return `${name}_created${labels} ${numberText(startedMs / 1000)}\n`;
}

function labelText(
  names: readonly string[],
  { labels, isOverflow }: { readonly labels: readonly string[]; readonly isOverflow?: boolean },
): string {
  if (isOverflow === true) return `${overflowLabel}="true"`;
  let text = "";
  for (const [at, name] of names.entries())
    text += `${at === 0 ? "" : ","}${name}="${escapeLabelValue(labels[at] ?? "")}"`;
  return text;
}

function inBraces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

const toEscape = /[\\"\n\ud800-\udfff]/;

function escapeLabelValue(value: string): string {
  if (!toEscape.test(value)) return value;
  return wellFormed(value).replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}

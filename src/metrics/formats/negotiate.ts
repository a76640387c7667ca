import { type MediaRange, parseAccept } from "./accept-header.js";
import { type Format, type FormatRow, formatTable } from "./format-table.js";

interface Match {
  readonly row: FormatRow;
  readonly range: MediaRange;
  /** 0 for any type, 1 for any subtype, 2 for the media type, 3 with a parameter that the format has. */
  readonly closeness: number;
  /** Place of the range in the header. */
  readonly at: number;
}

/**
 * The format that a client wants most, by its own Accept header alone (RFC 9110, section 12.5.1).
 *
 * - The range nearest to a format decides its quality; the highest quality wins, then the nearer range, then the earlier one.
 * - A version that isn't written here, and protobuf other than delimited `io.prometheus.client.MetricFamily`, match nothing.
 * - `escaping=` is accepted with every value, as Prometheus 3 sends it, and answered with `escaping=underscores`: names are always
 *   written that way.
 * - Without a header, with nothing in it that can be answered, and with a malformed one: Prometheus text 0.0.4.
 */
export function negotiate(acceptHeader: string | undefined): Format {
  const ranges = parseAccept(acceptHeader ?? "");
  const matches = formatTable.flatMap((row) => nearest(row, ranges) ?? []);
  const best = matches.filter(({ range }) => range.quality > 0).sort(byLiking)[0];
  if (best === undefined) return formatTable[0].format;
  const { format } = best.row;
  if (!best.range.parameters.has("escaping")) return format;
  return { ...format, contentType: `${format.contentType}; escaping=underscores` };
}

function byLiking(a: Match, b: Match): number {
  return b.range.quality - a.range.quality || b.closeness - a.closeness || a.at - b.at;
}

function nearest(row: FormatRow, ranges: readonly MediaRange[]): Match | undefined {
  let best: Match | undefined;
  for (const [at, range] of ranges.entries()) {
    const closeness = closenessOf(row, range);
    if (closeness !== undefined && closeness > (best?.closeness ?? -1)) best = { row, range, closeness, at };
  }
  return best;
}

function closenessOf(row: FormatRow, { mediaType, parameters }: MediaRange): number | undefined {
  if (mediaType === "*/*") return 0;
  const [type] = row.mediaType.split("/");
  if (mediaType === `${type}/*`) return 1;
  if (mediaType !== row.mediaType) return undefined;
  if (row.required.some((name) => !parameters.has(name))) return undefined;
  const own = [...row.parameters].filter(([name]) => parameters.has(name));
  // Their values have no case that matters: versions are digits, and encodings are lower case with everybody.
  const isWanted = own.every(([name, values]) => values.includes(parameters.get(name) ?? ""));
  if (!isWanted) return undefined;
  return own.length > 0 ? 3 : 2;
}

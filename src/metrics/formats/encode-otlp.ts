import type { MetricsSnapshot } from "../snapshot.js";
import { type OtlpOptions, otlpRequest } from "./otlp.js";
import { renderOtlpJson } from "./otlp-json.js";
import { renderOtlpProtobuf } from "./otlp-protobuf.js";

export interface OtlpEncodeOptions extends OtlpOptions {
  /** `json` is for people and for receivers that know nothing else. @default "protobuf" */
  readonly encoding?: OtlpEncoding;
}

export type OtlpEncoding = "protobuf" | "json";

/** The Content-Type of each encoding over HTTP. */
export const otlpContentTypes: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/**
 * A snapshot as the body of an OTLP request (ExportMetricsServiceRequest), which `otlpRequest` describes: for POST to `/v1/metrics` with
 * the Content-Type of `otlpContentTypes`, or as one line of a file.
 *
 * @throws OptionError when temporality or bucketsMax is not in its range
 */
export function encodeOtlp(
  snapshot: MetricsSnapshot,
  options: OtlpEncodeOptions & { readonly encoding: "json" },
): string;
export function encodeOtlp(
  snapshot: MetricsSnapshot,
  options?: OtlpEncodeOptions & { readonly encoding?: "protobuf" },
): Uint8Array<ArrayBuffer>;
export function encodeOtlp(
  snapshot: MetricsSnapshot,
  options?: OtlpEncodeOptions,
): string | Uint8Array<ArrayBuffer>;
export function encodeOtlp(
  snapshot: MetricsSnapshot,
  options: OtlpEncodeOptions = {},
): string | Uint8Array<ArrayBuffer> {
  const request = otlpRequest(snapshot, options);
  if (options.encoding === "json") return [...renderOtlpJson(request)].join("");
  let body = new Uint8Array();
  for (const piece of renderOtlpProtobuf(request)) if (piece.length > 0) body = piece;
  return body;
}

/**
 * The same in pieces, for many series: joined they are what `encodeOtlp` gives. An empty piece is where others may have a turn;
 * `writeYielding` gives them one.
 */
export function renderOtlp(
  snapshot: MetricsSnapshot,
  options: OtlpEncodeOptions = {},
): Iterable<string> | Iterable<Uint8Array> {
  const request = otlpRequest(snapshot, options);
  return options.encoding === "json" ? renderOtlpJson(request) : renderOtlpProtobuf(request);
}

import type { MetricsSnapshot } from "../snapshot.js";
import { type OtlpOptions, otlpRequest } from "./otlp.js";
import { writeOtlpJson } from "./otlp-json.js";
import { writeOtlpProtobuf } from "./otlp-protobuf.js";

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
  return options.encoding === "json" ? writeOtlpJson(request) : writeOtlpProtobuf(request);
}

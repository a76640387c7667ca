import { type Clock, codeOf, messageOf, printable } from "../../base/index.js";
import { type OtlpEncoding, otlpContentTypes } from "../formats/encode-otlp.js";
import { type OtlpPartialSuccess, readOtlpResponse, readOtlpStatus } from "../formats/otlp-response.js";

/** What became of a request. */
export type PostOutcome =
  | { readonly kind: "accepted"; readonly partial?: OtlpPartialSuccess }
  /** The receiver will not take it later either. */
  | { readonly kind: "refused"; readonly what: string }
  /** Nobody knows whether it arrived, or it may be taken later. */
  | { readonly kind: "failed"; readonly what: string; readonly retryAfterMs?: number };

export interface PostOptions {
  readonly url: URL;
  readonly headers: Headers;
  readonly encoding: OtlpEncoding;
  readonly isGzip: boolean;
  /** For the whole of it, the answer's last byte included. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What OTLP recommends to read of an answer at most. */
const responseBytesMax = 4 * 1024 * 1024;
/** A receiver can't silence us for longer than that. */
const retryAfterMsMax = 3_600_000;
/** The answers after which OTLP wants a request to be sent again. */
const retryableStatuses = new Set([429, 502, 503, 504]);
const messageCharsMax = 300;

/** POSTs one OTLP/HTTP request (opentelemetry-proto, docs/specification.md, "OTLP/HTTP"). Never throws; redirects are not followed. */
export async function postOtlp(body: Uint8Array<ArrayBuffer>, options: PostOptions): Promise<PostOutcome> {
  const { url, headers, encoding, isGzip, timeoutMs, clock, signal } = options;
  const ended = new AbortController();
  const stop = (): void => ended.abort();
  const cancel = clock.after(timeoutMs, stop, false);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const sent = new Headers(headers);
  sent.set("content-type", otlpContentTypes[encoding]);
  if (isGzip) sent.set("content-encoding", "gzip");
  try {
    const request = { method: "POST", headers: sent, body, signal: ended.signal } as const;
    const response = await fetch(url, { ...request, redirect: "manual" });
    return await outcomeOf(response, clock);
  } catch (error) {
    if (signal.aborted) return { kind: "failed", what: "it was stopped" };
    if (ended.signal.aborted) return { kind: "failed", what: `no answer within ${timeoutMs} ms` };
    return { kind: "failed", what: reasonOf(error) };
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}

async function outcomeOf(response: Response, clock: Clock): Promise<PostOutcome> {
  const { status } = response;
  const isJson = /json/i.test(response.headers.get("content-type") ?? "");
  const bytes = await readBody(response);
  if (status >= 200 && status < 300) {
    if (bytes === undefined)
      return { kind: "refused", what: `the answer has more than ${responseBytesMax} bytes` };
    const partial = orUndefined(() => readOtlpResponse(bytes, isJson));
    return { kind: "accepted", ...(partial === undefined ? {} : { partial }) };
  }
  const said = orUndefined(() => readOtlpStatus(bytes ?? new Uint8Array(), isJson)) ?? "";
  const what = `status ${status}${said === "" ? "" : `: ${shortened(said)}`}`;
  if (!retryableStatuses.has(status)) return { kind: "refused", what };
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), clock.now());
  return { kind: "failed", what, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** @returns undefined when there are too many bytes */
async function readBody(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > responseBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Retry-After as RFC 9110, section 10.2.3 has it, in milliseconds from now: seconds, or a date; at most an hour.
 * @returns undefined when it is neither
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : undefined;
  const ms = seconds === undefined ? Date.parse(header) - nowMs : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMsMax);
}

function shortened(text: string): string {
  return printable(text.length > messageCharsMax ? `${text.slice(0, messageCharsMax)}…` : text);
}

/** What an answer says beyond its status is worth having and no reason to fail. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = codeOf(cause);
  return code === "UNKNOWN" ? messageOf(cause) : code;
}

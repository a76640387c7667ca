import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  type Clock,
  ignoreNotices,
  integerOption,
  messageOf,
  type NoticeSink,
  OptionError,
  systemClock,
} from "../../base/index.js";
import { type OtlpEncodeOptions, renderOtlp } from "../formats/encode-otlp.js";
import { writeYielding } from "../formats/write-yielding.js";
import type { MetricsSnapshot } from "../snapshot.js";
import { type PostOutcome, postOtlp } from "./otlp-post.js";

/** Takes a snapshot, such as `(signal) => registry.collect(signal)`. */
export type SnapshotTaker = (signal: AbortSignal) => MetricsSnapshot | Promise<MetricsSnapshot>;

export interface OtlpPushOptions extends Omit<OtlpEncodeOptions, "temporality" | "startedMs"> {
  /** Where OTLP/HTTP metrics are taken, with its path: `http://localhost:4318/v1/metrics`. */
  readonly url: string;
  /** Between two pushes, in milliseconds (100..86,400,000). @default 60,000 */
  readonly intervalMs?: number;
  /** For one request, from the connection to the answer's last byte, in milliseconds (10..600,000). @default 10,000 */
  readonly timeoutMs?: number;
  /** Sent with each request: tokens, tenants. Never part of a notice. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether bodies of 1 KiB and more are compressed. @default true */
  readonly gzip?: boolean;
  /** Whether the process stays alive for the next push. @default false */
  readonly keepsAlive?: boolean;
  /** `metrics.push-failed`, `metrics.push-refused`, `metrics.push-partial`, `metrics.push-recovered`. @default ignored */
  readonly onNotice?: NoticeSink;
}

/** What happened so far. */
export interface OtlpPushFigures {
  /** Requests that were accepted. */
  readonly pushed: number;
  /** Requests that failed or were refused. */
  readonly failed: number;
  /** Data points that a receiver said it did not take. */
  readonly rejectedPoints: number;
  /** When a request was last accepted, in milliseconds since 1970. */
  readonly pushedMs?: number;
}

interface Ports {
  readonly clock?: Clock;
  /** 0..1, for jitter. */
  readonly random?: () => number;
}

/** What OTLP recommends to send at most, before compression. */
const requestBytesMax = 64 * 1024 * 1024;
const gzipBytesMin = 1024;
const backOffFirstMs = 1000;
/** Longest pause after failures when the interval is shorter. */
const backOffMsMin = 30_000;

const gzipLater = promisify(gzip);

/**
 * Sends snapshots to an OTLP/HTTP receiver for as long as the process runs.
 *
 * - Numbers are cumulative, and each request has all of them: what a failed one did not bring, the next one does. Nothing is queued, so that
 *   a receiver that is away costs no memory.
 * - The first push comes at once, then one each `intervalMs`, at a random place in the interval, lest all processes of a deployment
 *   push together. Only one request is on its way at any time; a push that would fall into another is left out.
 * - After a failure (no connection, no answer in time, status 429, 502, 503, 504) the next push comes after 1 s, 2 s, 4 s, … up to
 *   `intervalMs` or 30 s, whichever is longer, half of it by chance; or when `Retry-After` says. After any other status it comes at its
 *   usual time: the same would be refused again.
 * - It never throws and never ends by itself. Problems are notices and `figures`.
 *
 * @throws OptionError when an option is not in its range, the URL is not one of http or https without credentials, or HTTP does not allow a
 *   header
 */
export function pushOtlp(take: SnapshotTaker, options: OtlpPushOptions, ports: Ports = {}): OtlpPusher {
  return new OtlpPusher(take, options, ports);
}

/** Made by `pushOtlp`. */
export class OtlpPusher {
  readonly #take: SnapshotTaker;
  readonly #options: OtlpPushOptions;
  readonly #url: URL;
  readonly #headers: Headers;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #notify: NoticeSink;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #phaseMs: number;
  #isDraining = false;
  #wake: (() => void) | undefined;
  #failures = 0;
  #figures: OtlpPushFigures = { pushed: 0, failed: 0, rejectedPoints: 0 };

  /** Use `pushOtlp`. */
  constructor(
    take: SnapshotTaker,
    options: OtlpPushOptions,
    { clock = systemClock, random = Math.random }: Ports,
  ) {
    this.#take = take;
    this.#options = options;
    this.#url = urlOption(options.url);
    this.#headers = headersOption(options.headers);
    this.#intervalMs = integerOption("intervalMs", options.intervalMs, {
      default: 60_000,
      min: 100,
      max: 86_400_000,
    });
    this.#timeoutMs = integerOption("timeoutMs", options.timeoutMs, {
      default: 10_000,
      min: 10,
      max: 600_000,
    });
    this.#clock = clock;
    this.#random = random;
    this.#notify = options.onNotice ?? ignoreNotices;
    this.#phaseMs = clock.monotonicMs() + random() * this.#intervalMs;
    this.#ended = this.#run();
  }

  get figures(): OtlpPushFigures {
    return this.#figures;
  }

  /** Pushes once more, after a request that is on its way, and ends. May be called twice. */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#wake?.();
    return this.#ended;
  }

  /** Ends now; a request on its way is given up. May be called twice. */
  close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    return this.#ended;
  }

  async #run(): Promise<void> {
    for (;;) {
      const isLast = this.#isDraining;
      const outcome = await this.#push();
      if (this.#stop.signal.aborted) return;
      this.#tell(outcome);
      if (isLast) return;
      await this.#rest(this.#pauseMsAfter(outcome));
      if (this.#stop.signal.aborted) return;
    }
  }

  /** Until the time is over, or somebody wants it to end. */
  #rest(delayMs: number): Promise<void> {
    if (this.#isDraining) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve, this.#options.keepsAlive ?? false);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async #push(): Promise<PostOutcome> {
    const { signal } = this.#stop;
    try {
      const body = await unlessAborted(this.#body(signal), signal);
      if (body.length > requestBytesMax)
        return {
          kind: "refused",
          what: `the request has ${body.length} bytes, more than ${requestBytesMax}`,
        };
      const isGzip = (this.#options.gzip ?? true) && body.length >= gzipBytesMin;
      return await postOtlp(isGzip ? await gzipLater(body) : body, {
        url: this.#url,
        headers: this.#headers,
        encoding: this.#options.encoding ?? "protobuf",
        isGzip,
        timeoutMs: this.#timeoutMs,
        clock: this.#clock,
        signal,
      });
    } catch (error) {
      return { kind: "failed", what: messageOf(error) };
    }
  }

  async #body(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const snapshot = await this.#take(signal);
    const { resource, scope, bucketsMax, encoding } = this.#options;
    const options = { ...(resource && { resource }), ...(scope && { scope }), ...(encoding && { encoding }) };
    const pieces: Iterable<string | Uint8Array> = renderOtlp(snapshot, {
      ...options,
      ...(bucketsMax === undefined ? {} : { bucketsMax }),
    });
    const written: Uint8Array[] = [];
    for await (const piece of writeYielding(pieces, signal, this.#clock))
      written.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    return Buffer.concat(written);
  }

  #pauseMsAfter(outcome: PostOutcome): number {
    if (outcome.kind === "failed") {
      const longestMs = Math.max(this.#intervalMs, backOffMsMin);
      const backOffMs = Math.min(backOffFirstMs * 2 ** (this.#failures - 1), longestMs);
      const jitteredMs = backOffMs * (0.5 + this.#random() / 2);
      return outcome.retryAfterMs === undefined
        ? jitteredMs
        : outcome.retryAfterMs + this.#random() * backOffFirstMs;
    }
    const sinceMs = this.#clock.monotonicMs() - this.#phaseMs;
    return this.#intervalMs - (((sinceMs % this.#intervalMs) + this.#intervalMs) % this.#intervalMs);
  }

  #tell(outcome: PostOutcome): void {
    const { pushed, failed, rejectedPoints } = this.#figures;
    const url = `${this.#url.origin}${this.#url.pathname}`;
    if (outcome.kind !== "accepted") {
      this.#failures += 1;
      this.#figures = { ...this.#figures, failed: failed + 1 };
      const isFailed = outcome.kind === "failed";
      this.#notify({
        name: isFailed ? "metrics.push-failed" : "metrics.push-refused",
        level: isFailed ? "warn" : "error",
        message: `Cannot push metrics to ${url}: ${outcome.what}`,
        data: { url, failures: this.#failures },
      });
      return;
    }
    if (this.#failures > 0)
      this.#notify({
        name: "metrics.push-recovered",
        level: "info",
        data: { url, failures: this.#failures },
      });
    this.#failures = 0;
    const { rejectedPoints: rejected = 0, message } = outcome.partial ?? {};
    this.#figures = {
      pushed: pushed + 1,
      failed,
      rejectedPoints: rejectedPoints + rejected,
      pushedMs: this.#clock.now(),
    };
    if (outcome.partial !== undefined)
      this.#notify({
        name: "metrics.push-partial",
        level: "warn",
        message: `Of metrics pushed to ${url}, ${rejected} points were not taken: ${message}`,
        data: { url, rejectedPoints: rejected },
      });
  }
}

function urlOption(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new OptionError(
      "url",
      "Cannot push metrics: url is not one of http or https, with user and password in headers if at all",
    );
  return url;
}

function headersOption(headers: Readonly<Record<string, string>> = {}): Headers {
  try {
    return new Headers(headers);
  } catch {
    // The reason would have the value, which may be a secret.
    throw new OptionError(
      "headers",
      "Cannot push metrics: headers have a name or value that HTTP does not allow",
    );
  }
}

/** A snapshot that never comes must not keep it from ending. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

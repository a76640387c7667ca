import { integerOption, OptionError } from "../base/index.js";

/** How a service's metrics are named and bounded. */
export interface ServiceOptions {
  /**
   * `prometheus`: `http_requests_total`, `http_request_duration_seconds`, …; `opentelemetry`: `http.server.request.duration` and
   * `http.server.active_requests` with the attributes of OpenTelemetry's convention for HTTP servers.
   * @default "prometheus"
   */
  readonly names?: "prometheus" | "opentelemetry";
  /** Different routes (1..10,000); further ones are counted as `(other)`. @default 200 */
  readonly routesMax?: number;
  /** Different names and codes of errors (1..10,000); further ones are counted as `_OTHER`. @default 50 */
  readonly errorTypesMax?: number;
  /** Methods counted by their name, in capitals; all others are `_OTHER`. @default those of RFC 9110, and PATCH */
  readonly methods?: readonly string[];
  /** Requests in the window behind `avg_latency_ms` and `p95_latency_ms` (1..100,000). @default 1000 */
  readonly latencySamplesMax?: number;
  /** What `stage` may be called with. @default ["retrieval", "generation"] */
  readonly stages?: readonly string[];
  /** Caches that `cacheHit` and `cacheMiss` may name (1..1000); further ones are counted as `(other)`. @default 20 */
  readonly cachesMax?: number;
  /** Whether requests for the metrics are counted as requests too. @default false */
  readonly countsScrapes?: boolean;
}

/** The options with their defaults. */
export interface ServiceSettings {
  readonly names: "prometheus" | "opentelemetry";
  readonly routesMax: number;
  readonly errorTypesMax: number;
  readonly methods: ReadonlySet<string>;
  readonly latencySamplesMax: number;
  readonly stages: readonly string[];
  readonly cachesMax: number;
  readonly countsScrapes: boolean;
}

/** RFC 9110, section 9.1, and RFC 5789: what OpenTelemetry's convention knows. */
const usualMethods = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/** @throws OptionError */
export function settingsOf(options: ServiceOptions): ServiceSettings {
  const { names = "prometheus", methods = usualMethods, stages = ["retrieval", "generation"] } = options;
  if (names !== "prometheus" && names !== "opentelemetry")
    throw new OptionError(
      "names",
      `Cannot use names = ${String(names)}: expected "prometheus" or "opentelemetry"`,
    );
  const upTo = (max: number, usual: number): { default: number; min: number; max: number } => ({
    default: usual,
    min: 1,
    max,
  });
  return {
    names,
    routesMax: integerOption("routesMax", options.routesMax, upTo(10_000, 200)),
    errorTypesMax: integerOption("errorTypesMax", options.errorTypesMax, upTo(10_000, 50)),
    methods: new Set(methods),
    latencySamplesMax: integerOption("latencySamplesMax", options.latencySamplesMax, upTo(100_000, 1000)),
    stages: [...stages],
    cachesMax: integerOption("cachesMax", options.cachesMax, upTo(1000, 20)),
    countsScrapes: options.countsScrapes ?? false,
  };
}

import type { Counter, Histogram, Registry, Window } from "../metrics/index.js";
import type { Fault } from "./error-class.js";
import type { ServiceSettings } from "./options.js";

/** A request when it has ended, in words that may be labels: few different ones. */
export interface EndedRequest {
  readonly method: string;
  readonly route: string;
  readonly scheme: string;
  /** Undefined when no answer was begun. */
  readonly status: number | undefined;
  readonly fault: Fault | undefined;
  readonly seconds: number;
}

/** The metrics of requests, by one of the two conventions. */
export interface RequestFamilies {
  started(method: string, scheme: string): void;
  /** The opposite of `started`. */
  left(method: string, scheme: string): void;
  record(request: EndedRequest): void;
}

/** Everything that a service records. */
export interface ServiceFamilies {
  readonly requests: RequestFamilies;
  /** Requests that have begun, and those among them that turned out to be none that count. */
  readonly begun: Counter;
  readonly leftOut: Counter;
  readonly errors: Counter<"method" | "route" | "class" | "type">;
  readonly rateLimited: Counter<"route">;
  /** In milliseconds: what `avg_latency_ms` and `p95_latency_ms` are of. */
  readonly latency: Window;
  readonly cache: Counter<"cache" | "result">;
  readonly stages: Histogram<"stage" | "outcome">;
  readonly tokens: Counter<"direction">;
}

/** Registers the metrics of a service. @throws MetricConflictError when the registry has one of them in another shape */
export function registerFamilies(registry: Registry, settings: ServiceSettings): ServiceFamilies {
  const isOtel = settings.names === "opentelemetry";
  const named = (prometheus: string, dotted: string): string => (isOtel ? dotted : prometheus);
  return {
    requests: isOtel ? openTelemetryRequests(registry) : prometheusRequests(registry),
    begun: registry.counter(named("http_requests_begun_total", "service.requests.begun"), {
      help: "Requests that have begun",
      unit: "{request}",
    }),
    leftOut: registry.counter(named("http_requests_left_out_total", "service.requests.left_out"), {
      help: "Requests that have begun and are not counted, such as those for the metrics",
      unit: "{request}",
    }),
    errors: registry.counter(named("http_request_errors_total", "service.request.errors"), {
      help: "Requests that went wrong, by what went wrong",
      unit: "{request}",
      labels: ["method", "route", "class", "type"],
    }),
    rateLimited: registry.counter(named("http_rate_limited_total", "service.request.rate_limited"), {
      help: "Requests refused by a rate limit",
      unit: "{request}",
      labels: ["route"],
    }),
    latency: registry.window(named("http_request_latency_milliseconds", "service.request.latency"), {
      help: "Duration of the newest requests",
      unit: "ms",
      samplesMax: settings.latencySamplesMax,
    }),
    cache: registry.counter(named("cache_requests_total", "service.cache.requests"), {
      help: "Look-ups in caches",
      unit: "{request}",
      labels: ["cache", "result"],
    }),
    stages: registry.histogram(named("rag_stage_duration_seconds", "service.rag.stage.duration"), {
      help: "Duration of the stages of an answer",
      unit: "s",
      labels: ["stage", "outcome"],
    }),
    tokens: registry.counter(named("rag_tokens_total", "service.rag.tokens"), {
      help: "Tokens sent to a model and got from it",
      unit: "{token}",
      labels: ["direction"],
    }),
  };
}

function prometheusRequests(registry: Registry): RequestFamilies {
  const ended = registry.counter("http_requests_total", {
    help: "Requests that ended",
    unit: "{request}",
    labels: ["method", "route", "status"],
  });
  const inFlight = registry.upDownCounter("http_requests_in_flight", {
    help: "Requests under way",
    unit: "{request}",
    labels: ["method"],
  });
  const duration = registry.histogram("http_request_duration_seconds", {
    help: "Duration of requests until the whole answer was handed over, or the connection was gone",
    unit: "s",
    labels: ["method", "route"],
  });
  return {
    started: (method) => inFlight.add(1, { method }),
    left: (method) => inFlight.add(-1, { method }),
    record: ({ method, route, status, seconds }) => {
      ended.add(1, { method, route, status: statusClass(status) });
      duration.record(seconds, { method, route });
    },
  };
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, "HTTP server". A label that does not apply is empty. */
function openTelemetryRequests(registry: Registry): RequestFamilies {
  const duration = registry.histogram("http.server.request.duration", {
    help: "Duration of HTTP server requests.",
    unit: "s",
    labels: ["http.request.method", "http.route", "http.response.status_code", "error.type", "url.scheme"],
  });
  const active = registry.upDownCounter("http.server.active_requests", {
    help: "Number of active HTTP server requests.",
    unit: "{request}",
    labels: ["http.request.method", "url.scheme"],
  });
  const activeBy = (method: string, scheme: string) => ({
    "http.request.method": method,
    "url.scheme": scheme,
  });
  return {
    started: (method, scheme) => active.add(1, activeBy(method, scheme)),
    left: (method, scheme) => active.add(-1, activeBy(method, scheme)),
    record: ({ method, route, scheme, status, fault, seconds }) =>
      duration.record(seconds, {
        "http.request.method": method,
        // "The URI path can NOT substitute it", and neither can a word of ours.
        "http.route": route === noRoute ? "" : route,
        "http.response.status_code": status ?? "",
        // A server's 4xx is the client's error, which the convention leaves out.
        "error.type": fault === undefined || isClients(fault) ? "" : fault.type,
        "url.scheme": scheme,
      }),
  };
}

/** The route of requests that none was found for. */
export const noRoute = "(none)";

function isClients(fault: Fault): boolean {
  return fault.class === "4xx" || fault.class === "validation";
}

function statusClass(status: number | undefined): string {
  if (status === undefined) return "(none)";
  return status >= 100 && status <= 599 ? `${Math.floor(status / 100)}xx` : "(other)";
}

/** `durationMs`, `duration_ms` and `http.duration-ms` all end in the words `duration`, `ms`. */
export function wordsOf(path: string): string[] {
  const last = path.slice(path.lastIndexOf(".") + 1);
  return last
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}

const unitWords: Readonly<Record<string, string>> = {
  ns: "ns",
  nanos: "ns",
  nanoseconds: "ns",
  us: "us",
  micros: "us",
  microseconds: "us",
  ms: "ms",
  msec: "ms",
  msecs: "ms",
  millis: "ms",
  milliseconds: "ms",
  s: "s",
  sec: "s",
  secs: "s",
  seconds: "s",
  minutes: "m",
  mins: "m",
  hours: "h",
  bytes: "bytes",
  kib: "KiB",
  mib: "MiB",
  tokens: "tokens",
};

const durationWords = [
  "duration",
  "latency",
  "elapsed",
  "took",
  "delay",
  "runtime",
  "ttfb",
  "ttft",
  "rtt",
  "lag",
  "wait",
];
/** Pairs of words that say a duration together: `response_time`, `processingTime`. */
const timedWords = [
  "response",
  "request",
  "processing",
  "execution",
  "run",
  "service",
  "query",
  "handling",
  "roundtrip",
];
/** Settings and points in time have units too, but are no measurements of what happened. */
const notMeasured = [
  "timestamp",
  "epoch",
  "timeout",
  "interval",
  "ttl",
  "max",
  "min",
  "limit",
  "expires",
  "expiry",
  "at",
  "since",
  "start",
  "end",
  "started",
  "ended",
  "offset",
];

export type NamedUnit =
  /** The name says it: `duration_ms`. */
  | { readonly kind: "named"; readonly unit: string }
  /** A convention says it: nginx writes `request_time` in seconds. */
  | { readonly kind: "convention"; readonly unit: string; readonly why: string }
  /** A duration, and nothing says in what: `latency`. */
  | { readonly kind: "open" };

/** What a field's name says about the unit of its numbers; undefined when the name speaks of no amount. */
export function unitByName(path: string): NamedUnit | undefined {
  const words = wordsOf(path);
  const last = words[words.length - 1] ?? "";
  const before = words.slice(0, -1);
  if (before.some((word) => notMeasured.includes(word)) || notMeasured.includes(last)) return undefined;
  const joined = words.join("_");
  if (joined === "request_time" || joined === "upstream_response_time") {
    return { kind: "convention", unit: "s", why: "as nginx writes it" };
  }
  if (joined === "body_bytes_sent" || joined === "bytes_sent" || joined === "bytes_received") {
    return { kind: "named", unit: "bytes" };
  }
  const isDuration = words.some((word) => durationWords.includes(word)) || isTimed(words);
  const unit = Object.hasOwn(unitWords, last) ? unitWords[last] : undefined;
  // One letter is a unit only behind a word that calls for one: `elapsed_s`, but not `s`.
  if (unit !== undefined && (last.length > 1 || isDuration)) return { kind: "named", unit };
  return isDuration ? { kind: "open" } : undefined;
}

function isTimed(words: readonly string[]): boolean {
  const at = words.indexOf("time");
  return at > 0 && timedWords.includes(words[at - 1] ?? "");
}

const timeNames = [
  "ts",
  "time",
  "timestamp",
  "datetime",
  "date",
  "event_time",
  "created_at",
  "created",
  "block_time",
  "local_time",
  "logged_at",
  "time_local",
  "time_iso8601",
  "at",
  "t",
];

/** Lower is likelier to be the time of the event; undefined when the name does not say time. */
export function timeNameRank(path: string): number | undefined {
  const rank = timeNames.indexOf(wordsOf(path).join("_"));
  return rank === -1 ? undefined : rank;
}

const groupNames = [
  "route",
  "endpoint",
  "status",
  "status_code",
  "level",
  "severity",
  "type",
  "event",
  "kind",
  "action",
  "operation",
  "method",
  "service",
  "coin",
  "symbol",
  "tool",
  "tool_name",
  "model",
  "provider",
  "name",
  "side",
  "code",
  "reason",
  "outcome",
  "result",
  "region",
  "country",
  "host",
  "path",
];

/** Lower is likelier to be what a person wants numbers split by; undefined for names that say nothing. */
export function groupNameRank(path: string): number | undefined {
  const words = wordsOf(path);
  const rank = groupNames.indexOf(words.join("_"));
  if (rank !== -1) return rank;
  const tail = groupNames.indexOf(words[words.length - 1] ?? "");
  return tail === -1 ? undefined : groupNames.length + tail;
}

const privateWords = [
  "id",
  "ids",
  "uuid",
  "guid",
  "hash",
  "token",
  "email",
  "mail",
  "user",
  "username",
  "account",
  "ip",
  "addr",
  "address",
  "key",
  "secret",
  "password",
  "session",
  "cookie",
  "message",
  "msg",
  "text",
  "content",
  "prompt",
  "line",
  "agent",
  "referer",
  "cwd",
];

/** Names of people, accounts, texts and single things: never made into a group unasked. */
export function isPrivateName(path: string): boolean {
  return wordsOf(path).some((word) => privateWords.includes(word));
}

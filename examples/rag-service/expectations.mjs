/** What a load test got, in the words of the service's metrics, by what the client alone has seen. */
export class Tally {
  requests = 0;
  rateLimited = 0;
  cacheHits = 0;
  /** By class of error. */
  errors = new Map();
  succeeded = 0;
  /** Of the requests that were answered, in milliseconds. */
  latenciesMs = [];

  /** @param outcome status (0 without an answer), body, and how the answer ended: "complete", "broken", or "left" by the client */
  add({ status, body, end, tookMs }) {
    this.requests += 1;
    if (end === "left") return this.#error("aborted");
    this.latenciesMs.push(tookMs);
    if (end === "broken") return this.#error("exception");
    if (status === 429) this.rateLimited += 1;
    else if (status >= 400) this.#error(classOf(status));
    else this.succeeded += 1;
    if (status === 200 && body.isCached === true) this.cacheHits += 1;
  }

  /** The value of rank ceil(p n) of the latencies. */
  percentile(p) {
    const sorted = this.latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1] ?? 0;
  }

  get averageMs() {
    return this.latenciesMs.reduce((sum, one) => sum + one, 0) / Math.max(1, this.latenciesMs.length);
  }

  #error(name) {
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
  }
}

/** The service answers 503 itself, and 502 when something was thrown. */
function classOf(status) {
  if (status === 504) return "timeout";
  if (status === 503) return "5xx";
  if (status >= 500) return "exception";
  return status === 422 ? "validation" : "4xx";
}

const ownFaults = ["exception", "timeout", "5xx"];

/** Each number as the client and as the server has it. */
export function compared(tally, answer) {
  const classes = errorsOf(answer);
  const ownErrors = ownFaults.reduce((sum, name) => sum + (tally.errors.get(name) ?? 0), 0);
  const rows = [
    ["requests_total", tally.requests, answer.requests_total],
    ["errors_total", ownErrors, answer.errors_total],
    ["cache_hits_total", tally.cacheHits, answer.cache_hits_total],
    ["rate_limited_total", tally.rateLimited, answer.rate_limited_total],
  ];
  for (const name of [...new Set([...tally.errors.keys(), ...classes.keys()])].sort())
    rows.push([`errors: ${name}`, tally.errors.get(name) ?? 0, classes.get(name) ?? 0]);
  return rows.map(([name, client, server]) => ({ name, client, server, isEqual: client === server }));
}

function errorsOf({ metrics }) {
  const classes = new Map();
  for (const { labels, value } of metrics.families.http_request_errors_total?.points ?? [])
    classes.set(labels.class, (classes.get(labels.class) ?? 0) + value);
  return classes;
}

/** Requests that the server is still busy with. */
export function inFlightOf({ metrics }) {
  const points = metrics.families.http_requests_in_flight?.points ?? [];
  return points.reduce((sum, { value }) => sum + value, 0);
}

import { randomUUID } from "node:crypto";
import { openRegistry, type Registry } from "../../src/metrics/index.js";
import type {
  GroupAnswer,
  GroupHistogram,
  MetricAnswer,
  QueryRequest,
  SeriesAnswer,
} from "../../src/pipeline/index.js";
import type {
  MetricDescription,
  SeriesRequest,
  ServerSource,
  SourceFiles,
  SourceStatus,
} from "../../src/server/index.js";
import { Histogram } from "../../src/sketch/index.js";
import type {
  ChangeItem,
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  LedgerRow,
} from "../../src/store/index.js";

export interface FakeEvent {
  readonly timeMs: number;
  readonly route: string;
  readonly status: string;
  readonly durationMs: number;
}

const secondMs = 1000;

/**
 * A source for tests of the server and the dashboard: keeps raw events and computes every answer from them by sorting, so that it
 * shares no code with the engine. Three metrics: `requests` (count), `latency` (distribution), `errors` (ratio).
 */
export class FakeSource implements ServerSource {
  readonly registry: Registry = openRegistry({
    name: `fake source ${randomUUID()}`,
    reserveBytes: 8 * 2 ** 20,
    hasOwnMetrics: false,
  });
  nowMs: number;
  generation = "g1";
  version = 0;
  /** Set to make every call fail. */
  failure: Error | undefined;
  /** Calls of `query`, for tests of who asks how often. */
  queries = 0;
  files: SourceFiles[] = [];
  readonly events: FakeEvent[] = [];
  readonly letters: DeadLetter[] = [];
  readonly #listeners = new Set<(item: ChangeItem) => void>();
  readonly #startedMs: number;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
    this.#startedMs = nowMs;
  }

  /** Adds events and tells whoever follows, as one settlement. */
  settle(events: readonly FakeEvent[]): void {
    this.events.push(...events);
    this.version += 1;
    const metrics = this.metrics().map(({ name }) => ({ metric: `key-${name}`, groups: undefined }));
    this.emit({
      generation: this.generation,
      version: this.version,
      metrics,
      sources: ["app"],
      deadLetters: 0,
    });
  }

  bury(letter: DeadLetter): void {
    this.letters.unshift(letter);
    this.version += 1;
    this.emit({
      generation: this.generation,
      version: this.version,
      metrics: [],
      sources: ["app"],
      deadLetters: 1,
    });
  }

  emit(item: ChangeItem): void {
    for (const listener of this.#listeners) listener(item);
  }

  async status(): Promise<SourceStatus> {
    this.#check();
    const newest = this.events.at(-1)?.timeMs;
    const recent = this.events.filter(({ timeMs }) => timeMs > this.nowMs - 5 * secondMs).length;
    return {
      version: "0.1.0",
      startedMs: this.#startedMs,
      nowMs: this.nowMs,
      ...(newest === undefined ? {} : { dataClockMs: newest }),
      generation: this.generation,
      storeVersion: this.version,
      linesRead: this.events.length + this.letters.length,
      linesPerS: recent / 5,
      store: {
        kind: "memory",
        generation: this.generation,
        version: this.version,
        dataClockMs: newest,
        stateBytes: this.events.length * 40,
        stateBytesMax: 64 * 1024 * 1024,
        durability: "none",
      },
      threads: { size: 2, replaced: 0 },
    };
  }

  metrics(): readonly MetricDescription[] {
    const windowsMs = [60_000, 3_600_000];
    const common = { from: ["app"], windowsMs };
    return [
      { name: "requests", kind: "count", by: ["route", "status"], keys: ["key-requests"], ...common },
      { name: "latency", kind: "distribution", unit: "ms", by: ["route"], keys: ["key-latency"], ...common },
      { name: "errors", kind: "ratio", by: ["route"], keys: ["key-errors"], ...common },
    ];
  }

  async query(request: QueryRequest): Promise<MetricAnswer> {
    this.#check();
    this.queries += 1;
    const metric = this.#metric(request.metric);
    const span = this.#span(request.windowMs);
    const events = this.#within(span).filter((event) =>
      Object.entries(request.group ?? {}).every(([field, value]) => fieldOf(event, field) === value),
    );
    const groups = [...groupBy(metric.by, events)].map(([by, members]) => answerFor(metric, by, members));
    groups.sort((a, b) => b.n - a.n);
    const groupsMax = request.groupsMax ?? 100;
    return {
      name: metric.name,
      kind: metric.kind,
      ...(metric.unit === undefined ? {} : { unit: metric.unit }),
      by: metric.by,
      span,
      groups: groups.slice(0, groupsMax),
      groupsLeftOut: Math.max(0, groups.length - groupsMax),
      all: answerFor(metric, {}, events),
      isAtLeast: false,
      sinceMs: this.#startedMs,
      late: 0,
      future: 0,
      untimed: 0,
      generation: this.generation,
      version: this.version,
    };
  }

  async histograms(request: { metric: string }): Promise<readonly GroupHistogram[]> {
    const metric = this.#metric(request.metric);
    return [...groupBy(metric.by, this.events)].map(([by, members]) => {
      const histogram = new Histogram();
      for (const { durationMs } of members) histogram.record(durationMs);
      return { by, sinceMs: this.#startedMs, histogram: histogram.toExponential() };
    });
  }

  async series(request: SeriesRequest): Promise<SeriesAnswer> {
    this.#check();
    const metric = this.#metric(request.metric);
    const stepMs = request.stepMs ?? secondMs;
    const span = this.#span(request.windowMs);
    const toMs = Math.ceil(span.toMs / stepMs) * stepMs;
    const steps = Math.ceil(request.windowMs / stepMs);
    const fromMs = toMs - steps * stepMs;
    const events = this.events.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
    const isWhole = request.groupsMax === 0;
    const groups = isWhole ? new Map([[{}, events]]) : groupBy(metric.by, events);
    const ranked = [...groups]
      .sort((a, b) => b[1].length - a[1].length)
      .slice(0, isWhole ? 1 : (request.groupsMax ?? 8));
    return {
      name: metric.name,
      kind: metric.kind,
      ...(metric.unit === undefined ? {} : { unit: metric.unit }),
      span: { ...span, fromMs, toMs },
      windowMs: request.windowMs,
      stepMs,
      timesMs: Array.from({ length: steps }, (_, step) => fromMs + step * stepMs),
      groups: ranked.map(([by, members]) => ({
        by,
        lines: linesOf(metric, members, { fromMs, stepMs, steps }),
      })),
      version: this.version,
    };
  }

  async ledger(): Promise<readonly LedgerRow[]> {
    this.#check();
    const zero = {
      waiting: 0,
      leased: 0,
      retrying: 0,
      dropped: 0,
      duplicate: 0,
      lost: {},
      unaccounted: 0,
      absent: {},
    };
    const settled = this.events.length;
    const dead = this.letters.length;
    if (settled + dead === 0) return [];
    return [{ source: "app", accepted: settled + dead, settled, dead, ...zero, bytes: settled * 96 }];
  }

  async sources(): Promise<readonly SourceFiles[]> {
    this.#check();
    return this.files;
  }

  async deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    this.#check();
    const matching = this.letters.filter(
      (letter) =>
        (query.source ?? letter.source) === letter.source &&
        (query.reason ?? letter.reason) === letter.reason,
    );
    const rest = matching.filter(({ id }) => id < (query.before ?? Number.POSITIVE_INFINITY));
    const items = rest.slice(0, query.limit ?? 50);
    const reasons = [...new Set(this.letters.map(({ reason }) => reason))].map((reason) => {
      const [newest, ...older] = this.letters.filter((letter) => letter.reason === reason);
      return {
        reason,
        source: newest!.source,
        count: older.length + 1,
        newestMs: newest!.newestMs,
        newestId: newest!.id,
        newestError: newest!.newestError,
      };
    });
    const next = rest.length > items.length ? { next: items.at(-1)!.id } : {};
    return { items, total: matching.length, reasons, evicted: 0, ...next };
  }

  async deadLetter(id: number): Promise<DeadLetter | undefined> {
    return this.letters.find((letter) => letter.id === id);
  }

  async *changes(_since: number, signal: AbortSignal): AsyncIterable<ChangeItem> {
    const waiting: ChangeItem[] = [];
    let wake = (): void => {};
    const listener = (item: ChangeItem): void => {
      waiting.push(item);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => wake());
    try {
      while (!signal.aborted) {
        const item = waiting.shift();
        if (item !== undefined) yield item;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #metric(name: string): MetricDescription {
    const metric = this.metrics().find((one) => one.name === name);
    if (metric !== undefined) return metric;
    throw Object.assign(new Error(`Cannot query metric ${name}: there is none of that name`), {
      code: "METRIC_UNKNOWN",
    });
  }

  #span(windowMs: number): Extract<MetricAnswer["span"], { kind: "window" }>;
  #span(windowMs: number | undefined): MetricAnswer["span"];
  #span(windowMs: number | undefined): MetricAnswer["span"] {
    if (windowMs === undefined) return { kind: "total" };
    const newest = this.events.at(-1)?.timeMs ?? this.nowMs;
    const isLive = this.nowMs - newest < 60_000;
    const endMs = isLive ? this.nowMs : newest;
    const toMs = (Math.floor(endMs / secondMs) + 1) * secondMs;
    return { kind: "window", fromMs: toMs - windowMs, toMs, anchor: isLive ? "now" : "data" };
  }

  #within(span: MetricAnswer["span"]): FakeEvent[] {
    if (span.kind === "total") return this.events;
    return this.events.filter(({ timeMs }) => timeMs >= span.fromMs && timeMs < span.toMs);
  }
}

function fieldOf(event: FakeEvent, field: string): string {
  return field === "route" ? event.route : event.status;
}

function groupBy(
  by: readonly string[],
  events: readonly FakeEvent[],
): Map<Record<string, string>, FakeEvent[]> {
  const groups = new Map<string, FakeEvent[]>();
  for (const event of events) {
    const key = JSON.stringify(by.map((field) => [field, fieldOf(event, field)]));
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [event]);
    else members.push(event);
  }
  return new Map([...groups].map(([key, members]) => [Object.fromEntries(JSON.parse(key)), members]));
}

function answerFor(
  metric: MetricDescription,
  by: Record<string, string>,
  events: readonly FakeEvent[],
): GroupAnswer {
  const n = events.length;
  if (metric.kind === "count") return { by, value: n, n };
  if (metric.kind === "ratio") return { by, value: n === 0 ? null : failed(events) / n, n };
  const sorted = events.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const rank = (q: number): number => sorted[Math.max(0, Math.ceil(q * n) - 1)] ?? Number.NaN;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  return {
    by,
    n,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    mean,
    p50: rank(0.5),
    p90: rank(0.9),
    p95: rank(0.95),
    p99: rank(0.99),
  };
}

function failed(events: readonly FakeEvent[]): number {
  return events.filter(({ status }) => status.startsWith("5")).length;
}

function linesOf(
  metric: MetricDescription,
  events: readonly FakeEvent[],
  shape: { readonly fromMs: number; readonly stepMs: number; readonly steps: number },
): Record<string, (number | null)[]> {
  const steps = Array.from({ length: shape.steps }, (): FakeEvent[] => []);
  for (const event of events) steps[Math.floor((event.timeMs - shape.fromMs) / shape.stepMs)]?.push(event);
  const answers = steps.map((members) => (members.length === 0 ? undefined : answerFor(metric, {}, members)));
  const names = metric.kind === "distribution" ? (["p50", "p95", "p99", "n"] as const) : (["value"] as const);
  return Object.fromEntries(names.map((name) => [name, answers.map((answer) => answer?.[name] ?? null)]));
}

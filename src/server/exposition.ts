import { climbLadder, type Family, type Labels, type PowerLadder } from "../metrics/index.js";
import type { GroupAnswer, GroupHistogram } from "../pipeline/index.js";
import type { LedgerRow } from "../store/index.js";
import type { MetricDescription, ServerSource, SourceFiles, SourceStatus } from "./source.js";

/** Groups of one metric in a scrape; a group of a distribution is some 25 lines. */
const groupsMax = 1000;

/** Edges by unit, so that they are the same for every group, source and restart. */
const ladders: Readonly<Record<"seconds" | "milliseconds" | "bytes" | "other", PowerLadder>> = {
  seconds: { exponentMin: -10, exponentMax: 12, step: 1 },
  milliseconds: { exponentMin: 0, exponentMax: 22, step: 1 },
  bytes: { exponentMin: 4, exponentMax: 40, step: 2 },
  other: { exponentMin: -8, exponentMax: 32, step: 2 },
};

/** Spelled out as Prometheus wants them; values are not converted. */
const unitNames: Readonly<Record<string, string>> = {
  ns: "nanoseconds",
  us: "microseconds",
  ms: "milliseconds",
  s: "seconds",
  min: "minutes",
  h: "hours",
  B: "bytes",
  By: "bytes",
  "%": "percent",
  "1": "",
};

/** Everything `/metrics` says: the user's metrics from their all-time totals, then Poundlock's own. */
export async function expositionOf(source: ServerSource): Promise<Family[]> {
  const metrics = source.metrics();
  const [status, ledger, files, dead, ...own] = await Promise.all([
    source.status(),
    source.ledger(),
    source.sources(),
    source.deadLetters({ limit: 1 }),
    ...metrics.map((metric) => metricFamily(source, metric)),
  ]);
  // Poundlock's own come first, so that a user's name can't take theirs.
  return [
    ...statusFamilies(status),
    ...ledgerFamilies(ledger),
    ...fileFamilies(files),
    deadFamily(dead),
    ...own,
  ];
}

async function metricFamily(source: ServerSource, metric: MetricDescription): Promise<Family> {
  const help = `${metric.name} (${metric.kind}${metric.unit === undefined ? "" : `, ${metric.unit}`})`;
  const name = nameWithUnit(metric);
  if (metric.kind === "distribution") {
    const ladder = ladderOf(metric.unit);
    const groups = await source.histograms({ metric: metric.name, groupsMax });
    const samples = byLabels(groups, addHistograms).map(({ labels, one }) => ({
      labels,
      buckets: climbLadder(ladder, one.buckets),
      count: one.count,
      sum: one.sum,
    }));
    return { name, help, kind: "histogram", samples };
  }
  const answer = await source.query({ metric: metric.name, groupsMax });
  const isCounter = metric.kind === "count" || metric.kind === "rate";
  const values = answer.groups.map((group) => ({
    ...group,
    value: isCounter ? group.n : (group.value ?? Number.NaN),
  }));
  const samples = byLabels(values, (a, b) => mergeValues(a, b, isCounter)).map(({ labels, one }) => ({
    labels,
    value: one.value,
  }));
  return { name, help, kind: isCounter ? "counter" : "gauge", samples };
}

function nameWithUnit({ name, unit, kind }: MetricDescription): string {
  if (kind === "ratio") return /ratio$/i.test(name) ? name : `${name}_ratio`;
  if (unit === undefined || kind === "count" || kind === "rate") return name;
  const spelled = unitNames[unit] ?? unit;
  if (spelled === "" || name.endsWith(spelled)) return name;
  const withoutShort = name.replace(new RegExp(`[_.]${escapePattern(unit)}$`), "");
  return `${withoutShort}_${spelled}`;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function ladderOf(unit: string | undefined): PowerLadder {
  const name = unitNames[unit ?? ""] ?? unit;
  if (name === "seconds" || name === "milliseconds" || name === "bytes") return ladders[name];
  return ladders.other;
}

type Grouped = Pick<GroupAnswer, "by" | "isOverflow">;

/**
 * One entry per label set. To Prometheus an absent label and an empty one are the same, and one label set twice makes the
 * whole scrape fail: so those are merged.
 */
function byLabels<G extends Grouped>(
  groups: readonly G[],
  merge: (a: G, b: G) => G,
): { labels: Labels; one: G }[] {
  const merged = new Map<string, { labels: Labels; one: G }>();
  for (const group of groups) {
    const labels = labelsOf(group);
    const key = JSON.stringify(labels);
    const earlier = merged.get(key);
    merged.set(key, { labels, one: earlier === undefined ? group : merge(earlier.one, group) });
  }
  return [...merged.values()];
}

function labelsOf({ by, isOverflow }: Grouped): Labels {
  const entries = Object.entries(by).map(([name, value]): [string, string] => [
    name,
    wellFormed(value ?? ""),
  ]);
  return Object.fromEntries(isOverflow ? [...entries, ["poundlock_overflow", "true"]] : entries);
}

/** Lone surrogates can't be written as UTF-8. */
function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

function mergeValues<G extends { n: number; value: number }>(a: G, b: G, isCounter: boolean): G {
  if (isCounter) return { ...a, n: a.n + b.n, value: a.value + b.value };
  return a.n >= b.n ? a : b;
}

function addHistograms(a: GroupHistogram, b: GroupHistogram): GroupHistogram {
  const buckets = [...a.buckets, ...b.buckets].sort((left, right) => left.upper - right.upper);
  return { ...a, count: a.count + b.count, sum: a.sum + b.sum, buckets };
}

function statusFamilies(status: SourceStatus): Family[] {
  const { store } = status;
  const info = { version: status.version, store: store.kind, durability: store.durability };
  return [
    gauge("poundlock_info", "Version and store of this server; always 1", 1, info),
    gauge("poundlock_start_time_seconds", "When this server started, since 1970", status.startedMs / 1000),
    gauge("poundlock_store_bytes", "Estimated size of the state", store.stateBytes),
    gauge("poundlock_store_bytes_max", "Budget of the state", store.stateBytesMax),
    gauge("poundlock_threads", "Threads that fold", status.threads.size),
    {
      name: "poundlock_threads_replaced_total",
      help: "Threads replaced because they died or hung",
      kind: "counter",
      samples: [{ value: status.threads.replaced }],
    },
    ...(status.dataClockMs === undefined
      ? []
      : [
          gauge(
            "poundlock_newest_event_time_seconds",
            "Newest event time seen, since 1970",
            status.dataClockMs / 1000,
          ),
        ]),
  ];
}

function gauge(name: string, help: string, value: number, labels: Labels = {}): Family {
  return { name, help, kind: "gauge", samples: [{ labels, value }] };
}

function ledgerFamilies(rows: readonly LedgerRow[]): Family[] {
  const counters = ["accepted", "settled", "dropped", "duplicate"] as const;
  const gauges = ["waiting", "leased", "retrying", "dead", "unaccounted"] as const;
  const help = (state: string): string => `Events by the ledger: ${state}`;
  const samples = (
    state: (typeof counters)[number] | (typeof gauges)[number],
  ): { labels: Labels; value: number }[] =>
    rows.map((row) => ({ labels: { source: row.source }, value: row[state] }));
  return [
    ...counters.map(
      (state): Family => ({
        name: `poundlock_events_${state}_total`,
        help: help(state),
        kind: "counter",
        samples: samples(state),
      }),
    ),
    ...gauges.map(
      (state): Family => ({
        name: `poundlock_events_${state}`,
        help: help(state),
        kind: "gauge",
        samples: samples(state),
      }),
    ),
    {
      name: "poundlock_events_lost_total",
      help: "Events given up by a limit, by reason",
      kind: "counter",
      samples: rows.flatMap((row) =>
        Object.entries(row.lost).map(([reason, value]) => ({
          labels: { source: row.source, reason },
          value,
        })),
      ),
    },
    {
      name: "poundlock_source_bytes_total",
      help: "Bytes settled",
      kind: "counter",
      samples: rows.map((row) => ({ labels: { source: row.source }, value: row.bytes })),
    },
  ];
}

function fileFamilies(sources: readonly SourceFiles[]): Family[] {
  const files = sources.flatMap(({ name, files }) =>
    files.map((file) => ({ labels: { source: name, file: file.file, path: file.path }, file })),
  );
  return [
    {
      name: "poundlock_file_lag_bytes",
      help: "Bytes of the file not yet settled",
      kind: "gauge",
      samples: files.map(({ labels, file }) => ({ labels, value: file.lagBytes })),
    },
    {
      name: "poundlock_file_bytes",
      help: "Size of the file",
      kind: "gauge",
      samples: files.map(({ labels, file }) => ({ labels, value: file.size })),
    },
  ];
}

function deadFamily(page: Awaited<ReturnType<ServerSource["deadLetters"]>>): Family {
  return {
    name: "poundlock_dead_letters",
    help: "Dead letters kept, by reason",
    kind: "gauge",
    samples: page.reasons.map(({ source, reason, count }) => ({ labels: { source, reason }, value: count })),
  };
}

import {
  type MetricFamily,
  type MetricsSnapshot,
  type NumberFamily,
  type NumberPoint,
  unitWord,
} from "../metrics/index.js";
import type { GroupAnswer } from "../pipeline/index.js";
import type { LedgerRow } from "../store/index.js";
import type { MetricDescription, ServerSource, SourceFiles, SourceStatus } from "./source.js";

/** Groups of one metric in a scrape; a group of a distribution is some 25 lines. */
const groupsMax = 1000;

/** Everything `/metrics` says: Poundlock's own, then the user's metrics from their all-time totals. */
export async function expositionOf(source: ServerSource): Promise<MetricsSnapshot> {
  // What the process measures of itself comes from where it is measured, also when the store keeps it too; a rule has sources.
  const measures = new Set(source.registry.registered().map(({ name }) => name));
  const metrics = source.metrics().filter(({ name, from }) => from.length > 0 || !measures.has(name));
  const [measured, status, ledger, files, dead, ...own] = await Promise.all([
    source.registry.collect(),
    source.status(),
    source.ledger(),
    source.sources(),
    source.deadLetters({ limit: 1 }),
    ...metrics.map((metric) => metricFamily(source, metric)),
  ]);
  return {
    atMs: status.nowMs,
    // Each family is read by itself, while more is being settled.
    isExact: false,
    // Poundlock's own come first, so that a user's name can't take theirs.
    families: [
      ...statusFamilies(status),
      ...ledgerFamilies(ledger),
      ...fileFamilies(files),
      deadFamily(dead),
      ...measured.families,
      ...own,
    ],
  };
}

async function metricFamily(source: ServerSource, metric: MetricDescription): Promise<MetricFamily> {
  const { kind, unit, by } = metric;
  const head = {
    name: nameWithUnit(metric),
    help: `${metric.name} (${kind}${unit === undefined ? "" : `, ${unit}`})`,
    ...(unit === undefined ? {} : { unit }),
    labelNames: by,
  };
  if (kind === "distribution") {
    const groups = await source.histograms({ metric: metric.name, groupsMax });
    const points = groups.map(({ sinceMs, histogram, ...group }) => ({
      ...seriesOf(by, group),
      startedMs: sinceMs,
      histogram,
    }));
    return { ...head, kind: "histogram", points };
  }
  const { groups, sinceMs } = await source.query({ metric: metric.name, groupsMax });
  const isCounter = kind === "count" || kind === "rate";
  // Of two gauges that are one label set to Prometheus the later one is shown: so the one with more behind it comes last.
  const points = [...groups].reverse().map((group) => ({
    ...seriesOf(by, group),
    startedMs: sinceMs,
    value: isCounter ? group.n : (group.value ?? Number.NaN),
  }));
  return { ...head, kind: isCounter ? "counter" : kind === "sum" ? "upDownCounter" : "gauge", points };
}

function nameWithUnit({ name, unit, kind }: MetricDescription): string {
  if (kind === "ratio") return /ratio$/i.test(name) ? name : `${name}_ratio`;
  if (unit === undefined || kind === "count" || kind === "rate") return name;
  const spelled = unitWord(unit);
  if (spelled === undefined || name.endsWith(spelled)) return name;
  const withoutShort = name.replace(new RegExp(`[_.]${escapePattern(unit)}$`), "");
  return `${withoutShort}_${spelled}`;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

type Series = Pick<NumberPoint, "labels" | "isOverflow">;

/** An absent field and an empty one are the same to Prometheus. */
function seriesOf(
  fields: readonly string[],
  { by, isOverflow }: Pick<GroupAnswer, "by" | "isOverflow">,
): Series {
  if (isOverflow) return { labels: fields.map(() => ""), isOverflow };
  return { labels: fields.map((field) => by[field] ?? "") };
}

interface Sample {
  readonly labels?: readonly string[];
  readonly value: number;
}

type Labels = Readonly<Record<string, string>>;

function statusFamilies(status: SourceStatus): MetricFamily[] {
  const { store, startedMs, dataClockMs } = status;
  const info = { version: status.version, store: store.kind, durability: store.durability };
  const newest =
    dataClockMs === undefined
      ? []
      : [
          gauge(
            "poundlock_newest_event_time_seconds",
            "Newest event time seen, since 1970",
            dataClockMs / 1000,
          ),
        ];
  return [
    gauge("poundlock_info", "Version and store of this server; always 1", 1, info),
    gauge("poundlock_start_time_seconds", "When this server started, since 1970", startedMs / 1000),
    gauge("poundlock_store_bytes", "Estimated size of the state", store.stateBytes),
    gauge("poundlock_store_bytes_max", "Budget of the state", store.stateBytesMax),
    gauge("poundlock_threads", "Threads that fold", status.threads.size),
    {
      name: "poundlock_threads_replaced_total",
      help: "Threads replaced because they died or hung",
      kind: "counter",
      labelNames: [],
      points: [{ labels: [], startedMs, value: status.threads.replaced }],
    },
    ...newest,
  ];
}

function gauge(name: string, help: string, value: number, labels: Labels = {}): MetricFamily {
  const samples = [{ labels: Object.values(labels), value }];
  return family("gauge", { name, help, labelNames: Object.keys(labels), samples });
}

function family(
  kind: NumberFamily["kind"],
  parts: {
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly string[];
    readonly samples: readonly Sample[];
  },
): MetricFamily {
  const { samples, ...head } = parts;
  // Since when the ledger counts is not kept.
  const points = samples.map(({ labels = [], value }) => ({ labels, startedMs: 0, value }));
  return { ...head, kind, points };
}

function ledgerFamilies(rows: readonly LedgerRow[]): MetricFamily[] {
  const counters = ["accepted", "settled", "dropped", "duplicate"] as const;
  const gauges = ["waiting", "leased", "retrying", "dead", "unaccounted"] as const;
  const bySource = (
    name: string,
    state: (typeof counters)[number] | (typeof gauges)[number],
  ): Parameters<typeof family>[1] => ({
    name,
    help: `Events by the ledger: ${state}`,
    labelNames: ["source"],
    samples: rows.map((row) => ({ labels: [row.source], value: row[state] })),
  });
  return [
    ...counters.map((state) => family("counter", bySource(`poundlock_events_${state}_total`, state))),
    ...gauges.map((state) => family("gauge", bySource(`poundlock_events_${state}`, state))),
    family("counter", {
      name: "poundlock_events_lost_total",
      help: "Events given up by a limit, by reason",
      labelNames: ["source", "reason"],
      samples: rows.flatMap(({ source, lost }) =>
        Object.entries(lost).map(([reason, value]) => ({ labels: [source, reason], value })),
      ),
    }),
    family("counter", {
      name: "poundlock_source_bytes_total",
      help: "Bytes settled",
      labelNames: ["source"],
      samples: rows.map((row) => ({ labels: [row.source], value: row.bytes })),
    }),
  ];
}

function fileFamilies(sources: readonly SourceFiles[]): MetricFamily[] {
  const files = sources.flatMap(({ name, files }) =>
    files.map((file) => ({ labels: [name, file.file, file.path], file })),
  );
  const labelNames = ["source", "file", "path"];
  return [
    family("gauge", {
      name: "poundlock_file_lag_bytes",
      help: "Bytes of the file not yet settled",
      labelNames,
      samples: files.map(({ labels, file }) => ({ labels, value: file.lagBytes })),
    }),
    family("gauge", {
      name: "poundlock_file_bytes",
      help: "Size of the file",
      labelNames,
      samples: files.map(({ labels, file }) => ({ labels, value: file.size })),
    }),
  ];
}

function deadFamily(page: Awaited<ReturnType<ServerSource["deadLetters"]>>): MetricFamily {
  return family("gauge", {
    name: "poundlock_dead_letters",
    help: "Dead letters kept, by reason",
    labelNames: ["source", "reason"],
    samples: page.reasons.map(({ source, reason, count }) => ({ labels: [source, reason], value: count })),
  });
}

import { ignoreNotices, type NoticeSink, systemClock } from "../base/index.js";
import {
  compileRules,
  FileWorker,
  type GroupAnswer,
  type MetricRule,
  Query,
  RangeFolder,
  type Rules,
} from "../pipeline/index.js";
import {
  type DeadLetterPage,
  defaultLevels,
  type LedgerSum,
  openMemoryStore,
  type Store,
  sumLedger,
} from "../store/index.js";
import { openTail, type Tail } from "../tail/index.js";
import { openFoldPool, taskTimeoutMs } from "./fold-pool.js";

export interface ReportOptions {
  /** Files or globs; each is read to the end that it has when it is opened. */
  readonly files: readonly string[];
  /** One source, whose name the metrics refer to or leave out. */
  readonly rules: Rules;
  readonly threads?: number;
  readonly notices?: NoticeSink;
  /** Called about ten times a second while reading. */
  readonly onProgress?: (progress: ReportProgress) => void;
}

export interface ReportProgress {
  readonly foundBytes: number;
  readonly settledBytes: number;
  readonly lines: number;
  readonly elapsedMs: number;
}

export interface ReportMetric {
  readonly name: string;
  readonly kind: MetricRule["kind"];
  readonly unit?: string;
  readonly groups: readonly GroupAnswer[];
}

export interface Report {
  readonly ledger: LedgerSum;
  /** Conditions and values that met an absent field, by rule. */
  readonly absent: Readonly<Record<string, number>>;
  readonly metrics: readonly ReportMetric[];
  readonly deadLetters: DeadLetterPage;
  readonly lines: number;
  readonly bytes: number;
  readonly elapsedMs: number;
}

/** Reads files to their end and answers with the totals of every metric. Nothing is kept on disk. */
export async function runReport(options: ReportOptions): Promise<Report> {
  const clock = systemClock;
  const notices = options.notices ?? ignoreNotices;
  const startedMs = clock.monotonicMs();
  const rules: Rules = { ...options.rules, hasSlots: false };
  const compiled = compileRules(rules);
  await using store = openMemoryStore({ clock });
  await using pool = openFoldPool({ rules, threads: options.threads, clock, notices });
  await store.define(compiled.definitions);
  const source = rules.sources[0]?.name ?? "files";
  await using tail = await openTail({
    source,
    patterns: options.files,
    watermarks: [],
    isOneShot: true,
    rangesMax: pool.size + 1,
    clock,
    notices,
  });
  const folder = new RangeFolder({ pool, clock, notices, taskTimeoutMs });
  const { generation } = await store.info();
  const worker = new FileWorker({ tail, store, folder, generation, clock, notices });
  const stopProgress = everyTenth(() =>
    options.onProgress?.(progressOf(tail, worker, clock.monotonicMs() - startedMs)),
  );
  try {
    await worker.run();
  } finally {
    stopProgress();
  }
  options.onProgress?.(progressOf(tail, worker, clock.monotonicMs() - startedMs));
  const query = new Query({ store, rules: compiled, clock, levels: defaultLevels });
  return {
    ...(await ledgerOf(store)),
    metrics: await Promise.all(compiled.read.map(({ rule }) => toMetric(rule, query))),
    deadLetters: await store.deadLetters({ limit: 20 }),
    lines: worker.counts.lines,
    bytes: worker.counts.bytes,
    elapsedMs: clock.monotonicMs() - startedMs,
  };

  function everyTenth(run: () => void): () => void {
    if (options.onProgress === undefined) return () => {};
    let cancel = (): void => {};
    const next = (): void => {
      cancel = clock.after(100, () => {
        run();
        next();
      });
    };
    next();
    return () => cancel();
  }
}

function progressOf(tail: Tail, worker: FileWorker, elapsedMs: number): ReportProgress {
  return { ...tail.progress(), lines: worker.counts.lines, elapsedMs };
}

async function toMetric(rule: MetricRule, query: Query): Promise<ReportMetric> {
  const groups = await query.totals(rule.name);
  return { name: rule.name, kind: rule.kind, ...("unit" in rule ? { unit: rule.unit } : {}), groups };
}

async function ledgerOf(store: Store): Promise<Pick<Report, "ledger" | "absent">> {
  const rows = await store.ledger();
  const absent: Record<string, number> = {};
  for (const row of rows)
    for (const [rule, n] of Object.entries(row.absent)) absent[rule] = (absent[rule] ?? 0) + n;
  return { ledger: sumLedger(rows), absent };
}

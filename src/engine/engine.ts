import { type Clock, ignoreNotices, type NoticeSink, systemClock } from "../base/index.js";
import type { FileSource, LoadedConfig, StoreChoice } from "../config/index.js";
import type { Registry } from "../metrics/index.js";
import {
  type CompiledRules,
  compileRules,
  FileWorker,
  type GroupHistogram,
  type MetricAnswer,
  type MetricRule,
  Query,
  type QueryRequest,
  RangeFolder,
  type Rules,
  type SeriesAnswer,
  type SeriesRequest,
} from "../pipeline/index.js";
import {
  type ChangeItem,
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetterQuery,
  defaultLevels,
  type LedgerRow,
  type MetricKey,
  openMemoryStore,
  type Store,
  type StoreInfo,
  type Version,
} from "../store/index.js";
import { type FileStatus, openTail, type Tail } from "../tail/index.js";
import { openFoldPool, taskTimeoutMs } from "./fold-pool.js";
import { OwnHistory, ownSource } from "./own-history.js";
import { OwnMetrics } from "./own-metrics.js";
import { RateMeter } from "./rate-meter.js";
import { packageVersion } from "./version.js";

export interface EngineOptions {
  readonly config: Pick<LoadedConfig, "sources" | "metrics" | "store" | "self">;
  /** Threads that fold (1..64). @default one per core */
  readonly threads?: number;
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
}

export interface EngineStatus {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly dataClockMs?: number;
  readonly generation: string;
  readonly storeVersion: Version;
  /** Lines folded since the start; more than settled when ranges had to be done again. */
  readonly linesRead: number;
  /** Over the last 5 s. */
  readonly linesPerS: number;
  readonly store: StoreInfo;
  readonly threads: { readonly size: number; readonly replaced: number };
}

export interface MetricInfo {
  readonly name: string;
  readonly kind: MetricRule["kind"];
  readonly unit?: string;
  readonly by: readonly string[];
  readonly from: readonly string[];
  readonly windowsMs: readonly number[];
  /** Keys of the definitions it is computed from, as changes name them. */
  readonly keys: readonly MetricKey[];
}

export interface SourceInfo {
  readonly name: string;
  readonly files: readonly FileStatus[];
  /** Newest event time seen since the start, in ms. */
  readonly lastEventMs?: number;
}

interface RunningSource {
  readonly rule: FileSource["rule"];
  readonly tail: Tail;
  readonly worker: FileWorker;
}

/** Windows shown for a metric whose rule names none, in ms. */
const windowsDefaultMs: readonly number[] = [60_000, 300_000, 3_600_000];

/**
 * Everything that one process runs for a config: store, tails, threads, workers, queries.
 *
 * - `finished` settles when the workers end: after `drain`, or with the error that made it impossible to go on.
 * - `drain` takes in nothing more and settles what is under way; `close` ends at once. Both may be called twice.
 */
export class Engine implements AsyncDisposable {
  readonly finished: Promise<void>;
  readonly #store: Store;
  readonly #query: Query;
  readonly #pool: ReturnType<typeof openFoldPool>;
  readonly #sources: readonly RunningSource[];
  readonly #clock: Clock;
  readonly #own: OwnMetrics;
  readonly #history: OwnHistory | undefined;
  readonly #startedMs: number;
  readonly #meter: RateMeter;
  #closing: Promise<void> | undefined;
  #draining: Promise<readonly LedgerRow[]> | undefined;

  constructor(parts: {
    readonly store: Store;
    readonly query: Query;
    readonly pool: ReturnType<typeof openFoldPool>;
    readonly sources: readonly RunningSource[];
    readonly clock: Clock;
    readonly own: OwnMetrics;
    readonly history: OwnHistory | undefined;
  }) {
    this.#own = parts.own;
    this.#history = parts.history;
    this.#store = parts.store;
    this.#query = parts.query;
    this.#pool = parts.pool;
    this.#sources = parts.sources;
    this.#clock = parts.clock;
    this.#startedMs = parts.clock.now();
    this.#meter = new RateMeter(parts.clock, () => this.#linesRead());
    this.finished = this.#run();
    // Whoever started the engine awaits it later; until then a failure must not count as nobody's.
    this.finished.catch(() => {});
  }

  /** What the process measures of itself; a server adds its own requests. */
  get registry(): Registry {
    return this.#own.registry;
  }

  async status(): Promise<EngineStatus> {
    const store = await this.#store.info();
    return {
      version: packageVersion,
      startedMs: this.#startedMs,
      nowMs: this.#clock.now(),
      ...(store.dataClockMs === undefined ? {} : { dataClockMs: store.dataClockMs }),
      generation: store.generation,
      storeVersion: store.version,
      linesRead: this.#linesRead(),
      linesPerS: this.#meter.perSecond(),
      store,
      threads: { size: this.#pool.size, replaced: this.#pool.replaced },
    };
  }

  metrics(): readonly MetricInfo[] {
    const own = this.#history === undefined ? [] : describeMetrics(this.#history.query);
    const rules = describeMetrics(this.#query);
    return [...rules, ...own.filter(({ name }) => !rules.some((rule) => rule.name === name))];
  }

  query(request: QueryRequest): Promise<MetricAnswer> {
    return this.#queryOf(request.metric).answer(request);
  }

  /** A distribution's totals with their buckets. */
  histograms(request: {
    readonly metric: string;
    readonly groupsMax: number;
  }): Promise<readonly GroupHistogram[]> {
    return this.#queryOf(request.metric).histograms(request);
  }

  series(request: SeriesRequest): Promise<SeriesAnswer> {
    return this.#queryOf(request.metric).series(request);
  }

  ledger(): Promise<readonly LedgerRow[]> {
    return this.#store.ledger();
  }

  async sources(): Promise<readonly SourceInfo[]> {
    return this.#sources.map(({ rule, tail, worker }) => {
      const { newestMs } = worker.counts;
      return {
        name: rule.name,
        files: tail.status(),
        ...(newestMs === undefined ? {} : { lastEventMs: newestMs }),
      };
    });
  }

  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.#store.deadLetters(query);
  }

  deadLetter(id: number): Promise<DeadLetter | undefined> {
    return this.#store.deadLetter(id);
  }

  changes(since: Version, signal: AbortSignal): AsyncIterable<ChangeItem> {
    return this.#store.changes(since, signal);
  }

  /** Bytes found and settled over all sources, and lines folded. */
  progress(): { readonly foundBytes: number; readonly settledBytes: number; readonly lines: number } {
    let foundBytes = 0;
    let settledBytes = 0;
    for (const { tail } of this.#sources) {
      const progress = tail.progress();
      foundBytes += progress.foundBytes;
      settledBytes += progress.settledBytes;
    }
    return { foundBytes, settledBytes, lines: this.#linesRead() };
  }

  /** Answers with the ledger as it stands once nothing is under way; empty when `close` came first. */
  drain(): Promise<readonly LedgerRow[]> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    try {
      await Promise.all(this.#sources.map(({ worker }) => worker.run()));
    } finally {
      // One source that can't go on ends the others too: half a set of numbers would look like a whole one.
      for (const { worker } of this.#sources) worker.drain();
    }
  }

  async #drain(): Promise<readonly LedgerRow[]> {
    for (const { worker } of this.#sources) worker.drain();
    await this.finished.catch(() => {});
    const ledger = this.#closing === undefined ? await this.#store.ledger() : [];
    await this.close();
    // The answer is for who gave the events.
    return ledger.filter(({ source }) => source !== ownSource);
  }

  async #close(): Promise<void> {
    this.#meter.stop();
    for (const { worker } of this.#sources) worker.drain();
    await this.#pool.close();
    await Promise.all(this.#sources.map(({ tail }) => tail.close()));
    await this.#history?.close();
    await this.#store[Symbol.asyncDispose]();
    this.#own[Symbol.dispose]();
  }

  /** What was kept of the process itself answers where no rule has the name. */
  #queryOf(metric: string): Query {
    const isRule = this.#query.metrics.some(({ rule }) => rule.name === metric);
    if (isRule || this.#history === undefined) return this.#query;
    const own = this.#history.query;
    return own.metrics.some(({ rule }) => rule.name === metric) ? own : this.#query;
  }

  #linesRead(): number {
    return this.#sources.reduce((sum, { worker }) => sum + worker.counts.lines, 0);
  }
}

/**
 * Opens the store, then the files, and starts.
 * @throws PoundlockError of the part that could not be opened; what had been opened is closed again
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const rules: Rules = { sources: config.sources.map(({ rule }) => rule), metrics: config.metrics };
  const compiled = compileRules(rules);
  const own = new OwnMetrics(options.notices ?? ignoreNotices, clock);
  const { notices } = own;
  const opened: AsyncDisposable[] = [];
  try {
    const store = await openStore(config.store, clock, notices);
    opened.push(store);
    await store.define(compiled.definitions);
    const lineBytesMax = Math.max(...config.sources.map((source) => source.lineBytesMax ?? 1024 * 1024));
    const pool = openFoldPool({ rules, threads: options.threads, lineBytesMax, clock, notices });
    opened.push(pool);
    const folder = new RangeFolder({ pool, clock, notices, taskTimeoutMs });
    const { generation } = await store.info();
    const sources: RunningSource[] = [];
    for (const source of config.sources) {
      const tail = await openSourceTail(source, store, { rangesMax: pool.size + 1, clock, notices });
      opened.push(tail);
      const worker = new FileWorker({ tail, store, folder, generation, clock, notices });
      sources.push({ rule: source.rule, tail, worker });
    }
    const query = queryOf(store, compiled, clock);
    const history =
      config.self === undefined
        ? undefined
        : await OwnHistory.open(own.registry, store, { ...config.self, clock, notices });
    return new Engine({ store, query, pool, sources, clock, own, history });
  } catch (error) {
    for (const part of opened.reverse()) await part[Symbol.asyncDispose]();
    own[Symbol.dispose]();
    throw error;
  }
}

async function openSourceTail(
  source: FileSource,
  store: Store,
  shared: { readonly rangesMax: number; readonly clock: Clock; readonly notices: NoticeSink },
): Promise<Tail> {
  return openTail({
    source: source.rule.name,
    patterns: source.patterns,
    from: source.from,
    watermarks: await store.watermarks(source.rule.name),
    ...(source.lineBytesMax === undefined ? {} : { lineBytesMax: source.lineBytesMax }),
    ...shared,
  });
}

/** Opens what the config chose. The one place that names implementations; LMDB is loaded only when asked for. */
export async function openStore(choice: StoreChoice, clock: Clock, notices: NoticeSink): Promise<Store> {
  const bytes = choice.stateBytesMax === undefined ? {} : { stateBytesMax: choice.stateBytesMax };
  if (choice.kind === "memory") return openMemoryStore({ clock, ...bytes });
  const { openLmdbStore } = await import("../store/lmdb/index.js");
  const durability = choice.durability === undefined ? {} : { durability: choice.durability };
  return openLmdbStore({ path: choice.path, clock, notices, ...durability, ...bytes });
}

/** A query over a store that nobody else has open: for commands without a server. */
export function queryOf(store: Store, compiled: CompiledRules, clock: Clock): Query {
  return new Query({ store, rules: compiled, clock, levels: defaultLevels });
}

export function describeMetrics(query: Query): readonly MetricInfo[] {
  return query.metrics.map(({ rule, by, from, cells, whole }) => ({
    name: rule.name,
    kind: rule.kind,
    ...("unit" in rule ? { unit: rule.unit } : {}),
    by,
    from,
    windowsMs: rule.windowsMs ?? windowsDefaultMs,
    keys: whole === undefined ? [cells] : [cells, whole],
  }));
}

import type { Registry } from "../metrics/index.js";
import type { GroupHistogram, MetricAnswer, QueryRequest, SeriesAnswer } from "../pipeline/index.js";
import type {
  ChangeItem,
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  LedgerRow,
  MetricKey,
  StoreInfo,
} from "../store/index.js";
import type { FileStatus } from "../tail/index.js";

export interface SourceStatus {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
  /** Newest event time seen. */
  readonly dataClockMs?: number;
  readonly generation: string;
  readonly storeVersion: number;
  readonly linesRead: number;
  readonly linesPerS: number;
  readonly store: StoreInfo;
  readonly threads: { readonly size: number; readonly replaced: number };
}

export interface MetricDescription {
  readonly name: string;
  readonly kind: MetricAnswer["kind"];
  readonly unit?: string;
  readonly by: readonly string[];
  readonly from: readonly string[];
  readonly windowsMs: readonly number[];
  /** Keys of the definitions it is computed from, as changes name them. */
  readonly keys: readonly MetricKey[];
}

export interface SeriesRequest {
  readonly metric: string;
  readonly windowMs: number;
  readonly stepMs?: number;
  /** Groups by descending n; 0 for one line over all groups. */
  readonly groupsMax?: number;
}

export interface SourceFiles {
  readonly name: string;
  readonly files: readonly FileStatus[];
  readonly lastEventMs?: number;
}

/** What the server shows; the engine is one. Nothing of it changes state. */
export interface ServerSource {
  status(): Promise<SourceStatus>;
  metrics(): readonly MetricDescription[];
  /** @throws an error with code METRIC_UNKNOWN */
  query(request: QueryRequest): Promise<MetricAnswer>;
  /** @throws an error with code METRIC_UNKNOWN */
  series(request: SeriesRequest): Promise<SeriesAnswer>;
  /** A distribution's totals, for `/metrics`. */
  histograms(request: {
    readonly metric: string;
    readonly groupsMax: number;
  }): Promise<readonly GroupHistogram[]>;
  ledger(): Promise<readonly LedgerRow[]>;
  sources(): Promise<readonly SourceFiles[]>;
  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage>;
  deadLetter(id: number): Promise<DeadLetter | undefined>;
  /** What the process measures of itself; the server records its own requests there. */
  readonly registry: Registry;
  changes(since: number, signal: AbortSignal): AsyncIterable<ChangeItem>;
}

import type { MetricRule } from "./rules.js";

/** What one metric says about one group over one span. Absent numbers do not apply to the kind. */
export interface GroupAnswer {
  readonly by: Readonly<Record<string, string | null>>;
  readonly isOverflow?: true;
  /** Count, sum, gauge, ratio (0..1) or rate (per second); null when there is nothing to say. */
  readonly value?: number | null;
  /** Observations behind it. */
  readonly n: number;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p95?: number;
  readonly p99?: number;
}

/** The span an answer is about. */
export type AnswerSpan =
  | { readonly kind: "total" }
  | {
      readonly kind: "window";
      readonly fromMs: number;
      readonly toMs: number;
      /** `now`: data is live and the window ends now; `data`: it ends at the newest event time. */
      readonly anchor: "now" | "data";
    };

export interface MetricAnswer {
  readonly name: string;
  readonly kind: MetricRule["kind"];
  readonly unit?: string;
  readonly by: readonly string[];
  readonly span: AnswerSpan;
  readonly groups: readonly GroupAnswer[];
  /** Groups beyond `groupsMax` of the request were left out. */
  readonly groupsLeftOut: number;
  /** Over all groups. */
  readonly all: GroupAnswer;
  readonly isAtLeast: boolean;
  readonly sinceMs: number;
  readonly late: number;
  readonly future: number;
  readonly untimed: number;
  readonly generation: string;
  readonly version: number;
}

/** A metric over time: one point per step, null where nothing was seen. */
export interface SeriesAnswer {
  readonly name: string;
  readonly kind: MetricRule["kind"];
  readonly unit?: string;
  /** Whole steps, so that it may begin and end up to a step outside of the window asked for. */
  readonly span: AnswerSpan;
  /** The window asked for. */
  readonly windowMs: number;
  readonly stepMs: number;
  /** Start of each step, in milliseconds. */
  readonly timesMs: readonly number[];
  readonly groups: readonly {
    readonly by: Readonly<Record<string, string | null>>;
    /** `value` for count, sum, rate, gauge, ratio; `p50`, `p95`, `p99` and `n` for distributions. */
    readonly lines: Readonly<Record<string, readonly (number | null)[]>>;
  }[];
  readonly version: number;
}

export interface QueryRequest {
  readonly metric: string;
  /** Length of the window in milliseconds; absent for totals. */
  readonly windowMs?: number;
  /** Only this group: field to value. */
  readonly group?: Readonly<Record<string, string | null>>;
  /** Groups by descending n, 1..10,000. @default 100 */
  readonly groupsMax?: number;
}

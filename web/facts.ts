import type { MetricAnswer, SeriesAnswer } from "../src/pipeline/index.js";
import type { LedgerRow } from "../src/store/index.js";
import type { PageState } from "./state.js";

/** The ledger's terms beside `accepted`, in the order of their life. */
export const ledgerTerms = [
  "settled",
  "waiting",
  "leased",
  "retrying",
  "dead",
  "dropped",
  "duplicate",
  "lost",
] as const;
export type LedgerTerm = (typeof ledgerTerms)[number];

export interface LedgerSum extends Readonly<Record<LedgerTerm, number>> {
  readonly accepted: number;
  readonly unaccounted: number;
}

export function lostOf(row: LedgerRow): number {
  return Object.values(row.lost).reduce((sum, n) => sum + n, 0);
}

export function sumLedger(rows: readonly LedgerRow[]): LedgerSum {
  const add = (pick: (row: LedgerRow) => number): number => rows.reduce((sum, row) => sum + pick(row), 0);
  return {
    accepted: add((row) => row.accepted),
    settled: add((row) => row.settled),
    waiting: add((row) => row.waiting),
    leased: add((row) => row.leased),
    retrying: add((row) => row.retrying),
    dead: add((row) => row.dead),
    dropped: add((row) => row.dropped),
    duplicate: add((row) => row.duplicate),
    lost: add(lostOf),
    unaccounted: add((row) => row.unaccounted),
  };
}

export function answerOf(page: PageState, metric: string): MetricAnswer | undefined {
  return page.parts[`answer:${metric}`];
}

export function seriesOf(page: PageState, metric: string): SeriesAnswer | undefined {
  return page.parts[`series:${metric}`];
}

/** The distribution that the tiles are about: the first one declared. */
export function firstDistribution(page: PageState): MetricAnswer | undefined {
  const metric = page.parts.metrics?.find(({ kind }) => kind === "distribution");
  return metric === undefined ? undefined : answerOf(page, metric.name);
}

export function lagOf(page: PageState): {
  readonly bytes: number;
  readonly behind: number;
  readonly files: number;
} {
  const files = (page.parts.sources ?? []).flatMap((source) => source.files);
  return {
    bytes: files.reduce((sum, file) => sum + file.lagBytes, 0),
    behind: files.filter((file) => file.lagBytes > 0).length,
    files: files.length,
  };
}

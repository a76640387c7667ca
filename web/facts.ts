import type { MetricAnswer, SeriesAnswer } from "../src/pipeline/index.js";
import { type LedgerField, ledgerFields } from "../src/store/ledger-sum.js";
import type { PageState } from "./state.js";

/** The ledger's terms beside `accepted`, in the order of their life. */
export type LedgerTerm = Exclude<LedgerField, "accepted" | "unaccounted">;
export const ledgerTerms: readonly LedgerTerm[] = ledgerFields.filter(
  (field): field is LedgerTerm => field !== "accepted" && field !== "unaccounted",
);

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

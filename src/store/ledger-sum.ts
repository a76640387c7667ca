import type { LedgerRow } from "./contract.js";

/** The figures of a source's account: accepted = settled + waiting + … + lost + unaccounted. */
export const ledgerFields = [
  "accepted",
  "settled",
  "waiting",
  "leased",
  "retrying",
  "dead",
  "dropped",
  "duplicate",
  "lost",
  "unaccounted",
] as const;
export type LedgerField = (typeof ledgerFields)[number];

/** One source's, or all sources', account of its events; `lost` over all reasons. */
export type LedgerSum = Readonly<Record<LedgerField, number>>;

export function sumLedger(rows: readonly LedgerRow[]): LedgerSum {
  const sum = Object.fromEntries(ledgerFields.map((field) => [field, 0])) as Record<LedgerField, number>;
  for (const row of rows) for (const field of ledgerFields) sum[field] += ledgerValue(row, field);
  return sum;
}

export function ledgerValue(row: LedgerRow, field: LedgerField): number {
  return field === "lost" ? Object.values(row.lost).reduce((total, n) => total + n, 0) : row[field];
}

import type { LedgerRow } from "../store/index.js";
import { countText } from "./numbers.js";
import { type Column, printable, table } from "./table.js";
import type { Terminal } from "./terminal.js";

/** One source's, or all sources', account of its events; `lost` over all reasons. */
export type LedgerSum = Readonly<Record<LedgerField, number>>;

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
type LedgerField = (typeof ledgerFields)[number];

export function sumLedger(rows: readonly LedgerRow[]): LedgerSum {
  const sum = Object.fromEntries(ledgerFields.map((field) => [field, 0])) as Record<LedgerField, number>;
  for (const row of rows) {
    for (const field of ledgerFields) {
      const value = row[field];
      sum[field] +=
        typeof value === "number" ? value : Object.values(value).reduce((total, n) => total + n, 0);
    }
  }
  return sum;
}

/** `12,480 in = 12,468 done + 12 dead`, without the states that hold nothing. */
export function equation(ledger: LedgerSum): string {
  const parts = ledgerFields
    .filter((field) => field !== "accepted" && field !== "unaccounted")
    .filter((field) => field === "settled" || ledger[field] !== 0)
    .map((field) => `${countText(ledger[field])} ${field === "settled" ? "done" : field}`);
  const wrong =
    ledger.unaccounted === 0
      ? ""
      : ` + ${countText(ledger.unaccounted)} UNACCOUNTED (a bug: please report it)`;
  return `${countText(ledger.accepted)} in = ${parts.join(" + ")}${wrong}`;
}

/** A table with one line for each source. */
export function ledgerLines(rows: readonly LedgerRow[], terminal: Terminal): string[] {
  const optional = ledgerFields.filter(
    (field) => !["accepted", "settled", "dead", "unaccounted"].includes(field),
  );
  const columns: Column[] = [
    { title: "source", align: "left", isCuttable: true },
    ...ledgerFields.map((field): Column => {
      // Columns in which every source has 0 go first; what is left out is named below the table.
      const isEmpty = rows.every((row) => sumLedger([row])[field] === 0);
      const drop = optional.indexOf(field);
      return { title: field, align: "right", ...(drop === -1 || !isEmpty ? {} : { drop }) };
    }),
  ];
  const cells = rows.map((row) => {
    const sum = sumLedger([row]);
    return [printable(row.source), ...ledgerFields.map((field) => countText(sum[field]))];
  });
  const { header, lines } = table(columns, cells, terminal.columns);
  return [terminal.style("dim", header), ...lines, "", equation(sumLedger(rows))];
}

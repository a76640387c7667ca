import { type LedgerRow, type LedgerSum, ledgerFields, ledgerValue, sumLedger } from "../store/index.js";
import { countText } from "./numbers.js";
import { type Column, printable, table } from "./table.js";
import type { Terminal } from "./terminal.js";

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
      const isEmpty = rows.every((row) => ledgerValue(row, field) === 0);
      const drop = optional.indexOf(field);
      return { title: field, align: "right", ...(drop === -1 || !isEmpty ? {} : { drop }) };
    }),
  ];
  const cells = rows.map((row) => [
    printable(row.source),
    ...ledgerFields.map((field) => countText(ledgerValue(row, field))),
  ]);
  const { header, lines } = table(columns, cells, terminal.columns);
  return [terminal.style("dim", header), ...lines, "", equation(sumLedger(rows))];
}

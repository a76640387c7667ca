import type { DeadLetter, DeadLetterPage, Place } from "../store/index.js";
import { bytesText, countText, timeText } from "./numbers.js";
import { type Column, printable, table } from "./table.js";
import type { Terminal } from "./terminal.js";

/** A dead letter with its bytes as text, wherever it came from. */
export type ShownLetter = Omit<DeadLetter, "bytes"> & { readonly text: string; readonly isText: boolean };

/** `app.jsonl at byte 1,204` */
export function placeText(at: Place): string {
  if (at.kind === "file") return `${printable(at.path)} at byte ${countText(at.offset)}`;
  return `stream at ${at.position}`;
}

/** Bytes as text where they are UTF-8, else in hexadecimal. */
export function letterText(bytes: Uint8Array): { readonly text: string; readonly isText: boolean } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), isText: true };
  } catch {
    return {
      text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex"),
      isText: false,
    };
  }
}

/** For the end of a report: how many, why, and the first few. */
export function deadSummary(page: DeadLetterPage, dead: number, terminal: Terminal): string[] {
  const shown = page.items.slice(-3).reverse();
  const lines = shown.map((letter) => {
    const { text } = letterText(letter.bytes);
    return `  ${placeText(letter.at)}: ${printable(letter.newestError)}\n    ${printable(text.slice(0, 60))}`;
  });
  return [
    `${terminal.styleErr("yellow", "dead")}  ${countText(dead)} ${dead === 1 ? "line" : "lines"} could not be used`,
    ...lines,
  ];
}

/** Dead letters grouped by reason, then the newest ones. */
export function deadListLines(
  page: Omit<DeadLetterPage, "items"> & { readonly items: readonly ShownLetter[] },
  terminal: Terminal,
): string[] {
  if (page.total === 0) return ["no dead letters"];
  const reasons = table(
    [
      { title: "reason", align: "left" },
      { title: "source", align: "left", isCuttable: true },
      { title: "count", align: "right" },
      { title: "newest", align: "left", drop: 1 },
      { title: "show", align: "right", drop: 0 },
    ],
    page.reasons.map(({ reason, source, count, newestMs, newestId }) => [
      reason,
      printable(source),
      countText(count),
      timeText(newestMs),
      String(newestId),
    ]),
    terminal.columns,
  );
  const columns: Column[] = [
    { title: "id", align: "right" },
    { title: "reason", align: "left", drop: 1 },
    { title: "where", align: "left", isCuttable: true, drop: 2 },
    { title: "what", align: "left", isCuttable: true },
  ];
  const rows = page.items.map((item) => [
    String(item.id),
    item.reason,
    placeText(item.at),
    printable(item.text.slice(0, 200)),
  ]);
  const list = table(columns, rows, terminal.columns);
  const evicted =
    page.evicted === 0
      ? []
      : [`${countText(page.evicted)} more were given up to keep the bounds; the ledger counts them`];
  return [
    terminal.style("dim", reasons.header),
    ...reasons.lines,
    "",
    terminal.style("dim", list.header),
    ...list.lines,
    ...evicted,
    ...(page.next === undefined ? [] : [`older ones: poundlock dlq list --before ${page.next}`]),
  ];
}

export function deadShowLines(letter: ShownLetter, terminal: Terminal): string[] {
  const row = (name: string, value: string): string => `${terminal.style("dim", name.padEnd(9))} ${value}`;
  const isSame = letter.firstError === letter.newestError;
  return [
    row("id", String(letter.id)),
    row("source", printable(letter.source)),
    row("where", placeText(letter.at)),
    row("reason", letter.reason),
    row("error", printable(letter.newestError)),
    ...(isSame ? [] : [row("first", printable(letter.firstError))]),
    row("attempts", countText(letter.attempts)),
    row("since", timeText(letter.firstMs)),
    row("length", bytesText(letter.length)),
    row(letter.isText ? "text" : "hex", printable(letter.text)),
  ];
}

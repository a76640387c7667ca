export { printable } from "../base/index.js";

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** Columns with the highest number go first when the width does not suffice; without one a column always stays. */
  readonly drop?: number;
  /** Text that may be cut to fit; numbers never are. */
  readonly isCuttable?: true;
}

const gap = "  ";
/** Labels are cut to this before a column goes, since a number says more than the end of a label. */
const labelShort = 24;
/** A label cut shorter than this says nothing. */
const labelMin = 8;

/** Lines no wider than `width`: columns are left out in their stated order, then labels cut; a number is never cut. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): { readonly header: string; readonly lines: readonly string[] } {
  let shown = columns.map((column, i) => ({ column, i, width: widest(column, i, rows) }));
  cutLabels(shown, width, labelShort);
  while (total(shown) > width) {
    const droppable = shown.filter(({ column }) => column.drop !== undefined);
    if (droppable.length === 0) break;
    const worst = droppable.reduce((a, b) => (b.column.drop! > a.column.drop! ? b : a));
    shown = shown.filter((entry) => entry !== worst);
  }
  cutLabels(shown, width, labelMin);
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ column, i, width: cell }) => fit(cells[i] ?? "", cell, column.align))
      .join(gap)
      .trimEnd();
  return { header: line(columns.map(({ title }) => title)), lines: rows.map(line) };
}

interface Shown {
  readonly column: Column;
  readonly i: number;
  width: number;
}

function widest(column: Column, i: number, rows: readonly (readonly string[])[]): number {
  return rows.reduce((max, row) => Math.max(max, textWidth(row[i] ?? "")), textWidth(column.title));
}

function total(shown: readonly Shown[]): number {
  return shown.reduce((sum, { width }) => sum + width, 0) + gap.length * (shown.length - 1);
}

function cutLabels(shown: readonly Shown[], width: number, min: number): void {
  while (total(shown) > width) {
    const cuttable = shown.filter(({ column, width: cell }) => column.isCuttable && cell > min);
    if (cuttable.length === 0) return;
    const longest = cuttable.reduce((a, b) => (b.width > a.width ? b : a));
    longest.width -= Math.min(longest.width - min, total(shown) - width);
  }
}

function fit(text: string, width: number, align: Column["align"]): string {
  const cut = textWidth(text) > width ? `${cutTo(text, width - 1)}…` : text;
  const space = " ".repeat(Math.max(0, width - textWidth(cut)));
  return align === "left" ? cut + space : space + cut;
}

function cutTo(text: string, width: number): string {
  let result = "";
  for (const char of text) {
    if (textWidth(result + char) > width) break;
    result += char;
  }
  return result;
}

/** Columns a text takes: wide East Asian characters and emoji take two, marks that join onto others none. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) {
    if (/\p{Mark}|\p{Default_Ignorable_Code_Point}/u.test(char)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}

import { bytesText, countText } from "../src/server/text.js";
import type { LedgerRow } from "../src/store/index.js";
import { type LedgerField, ledgerValue, sumLedger } from "../src/store/ledger-sum.js";
import { h, KeyedChildren, setAttributes, setText } from "./dom.js";
import { type LedgerTerm, ledgerTerms } from "./facts.js";
import { section } from "./section.js";
import type { PageState } from "./state.js";

const meanings: Readonly<Record<LedgerTerm | "accepted" | "unaccounted", string>> = {
  accepted: "events that came in",
  settled: "counted in the metrics",
  waiting: "in the stream, not yet taken",
  leased: "being worked on",
  retrying: "failed, will be tried again",
  dead: "kept as dead letters",
  dropped: "excluded by your rule",
  duplicate: "seen before, counted once",
  lost: "given up by a limit",
  unaccounted: "in no state: must be 0",
};

/** Is anything being lost? One equation that must balance, and a row of it for each source. */
export class LedgerSection {
  readonly #terms = new Map<string, { readonly box: HTMLElement; readonly number: HTMLElement }>();
  readonly #verdict = h("p", { class: "verdict" });
  readonly #body = h("tbody");
  readonly #reasons = h("p", { class: "note" });
  readonly #empty = h(
    "p",
    { class: "empty" },
    "No source yet. Start with ",
    h("code", {}, "poundlock FILE…"),
    " or name one under ",
    h("code", {}, "sources:"),
    " in ",
    h("code", {}, "poundlock.yaml"),
    ".",
  );
  readonly #full: HTMLElement;
  readonly element: HTMLElement;
  readonly #rows: KeyedChildren<LedgerRow, HTMLTableRowElement>;

  constructor() {
    const equation = h(
      "p",
      { class: "equation" },
      this.#term("accepted"),
      ...ledgerTerms.flatMap((term, index) => [operator(index === 0 ? "=" : "+"), this.#term(term)]),
    );
    const columns = ["accepted", ...ledgerTerms, "unaccounted", "bytes"];
    const head = h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, "source"),
        ...columns.map((name) => h("th", { scope: "col" }, name)),
      ),
    );
    const table = h("table", {}, h("caption", { class: "hidden" }, "Ledger by source"), head, this.#body);
    this.#rows = new KeyedChildren(this.#body, createRow, updateRow);
    this.#full = h(
      "div",
      {},
      equation,
      this.#verdict,
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Ledger by source" }, table),
      this.#reasons,
    );
    this.element = section("ledger", "Is anything being lost?", this.#empty, this.#full);
  }

  update(page: PageState): void {
    const rows = page.parts.ledger ?? [];
    this.#empty.hidden = rows.length > 0;
    this.#full.hidden = rows.length === 0;
    const sum = sumLedger(rows);
    for (const [name, { box, number }] of this.#terms) {
      const value = sum[name as LedgerField];
      setText(number, countText(value));
      setAttributes(box, { "data-zero": String(value === 0) });
    }
    const isBalanced = sum.unaccounted === 0;
    setAttributes(this.#verdict, { "data-mood": isBalanced ? "good" : "bad" });
    setText(
      this.#verdict,
      isBalanced
        ? "✓ Balances: unaccounted 0"
        : `✗ Does not balance: unaccounted ${countText(sum.unaccounted)}`,
    );
    setText(this.#reasons, reasonsText(rows));
    this.#rows.set(rows.map((row) => [row.source, row]));
  }

  #term(name: keyof typeof meanings): HTMLElement {
    const number = h("b", {}, "–");
    const box = h(
      "span",
      { class: "term", "data-term": name, title: meanings[name] },
      number,
      " ",
      h("span", { class: "term-name" }, name),
    );
    this.#terms.set(name, { box, number });
    return box;
  }
}

function operator(sign: string): HTMLElement {
  return h("span", { class: "operator" }, ` ${sign} `);
}

function createRow(row: LedgerRow): HTMLTableRowElement {
  const cells = Array.from({ length: ledgerTerms.length + 3 }, () => h("td"));
  return h("tr", { "data-source": row.source }, h("th", { scope: "row" }, row.source), ...cells);
}

function updateRow(element: HTMLTableRowElement, row: LedgerRow): void {
  const texts = [row.accepted, ...ledgerTerms.map((term) => ledgerValue(row, term)), row.unaccounted].map(
    countText,
  );
  [...texts, bytesText(row.bytes)].forEach((text, index) => {
    setText(element.cells[index + 1]!, text);
  });
}

/** What the numbers alone do not say: why events were lost, and conditions that met no field. */
function reasonsText(rows: readonly LedgerRow[]): string {
  const lost = rows.flatMap((row) =>
    Object.entries(row.lost).map(([reason, n]) => `${countText(n)} lost of ${row.source}: ${reason}`),
  );
  const absent = rows.flatMap((row) =>
    Object.entries(row.absent).map(
      ([rule, n]) => `${rule} met no field in ${countText(n)} events of ${row.source}`,
    ),
  );
  return [...lost, ...absent].join(" · ");
}

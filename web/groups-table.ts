import type { GroupAnswer, MetricAnswer } from "../src/pipeline/index.js";
import type { MetricDescription } from "../src/server/index.js";
import { countText, groupText, shareText, valueText } from "../src/server/text.js";
import { h, KeyedChildren, setAttributes, setText, svg } from "./dom.js";

/** Rows shown until all are asked for, so that cards keep to the size of their charts. */
const rowsMax = 8;

interface Column {
  readonly name: string;
  readonly read: (group: GroupAnswer) => number | null | undefined;
  readonly format: (value: number | null | undefined) => string;
}

type Order = { readonly column: string; readonly direction: "ascending" | "descending" };

/** A metric's groups, the largest first until another order is chosen. */
export class GroupsTable {
  readonly #description: MetricDescription;
  readonly #columns: readonly Column[];
  readonly #body = h("tbody");
  readonly #more = h("p", { class: "note" });
  readonly #rows: KeyedChildren<GroupAnswer, HTMLTableRowElement>;
  readonly #heads = new Map<string, HTMLTableCellElement>();
  readonly element: HTMLElement;
  readonly #all = h("button", { type: "button", class: "more" });
  #isOpen = false;
  #order: Order;
  #answer: MetricAnswer | undefined;

  constructor(description: MetricDescription) {
    this.#description = description;
    this.#columns = columnsOf(description);
    this.#order = { column: this.#columns[0]!.name, direction: "descending" };
    const heads = [
      h("th", { scope: "col" }, description.by.join(" · ")),
      ...this.#columns.map((column) => this.#head(column.name)),
    ];
    const label = `${description.name} by ${description.by.join(", ")}`;
    const table = h(
      "table",
      { class: "groups" },
      h("caption", { class: "hidden" }, label),
      h("thead", {}, h("tr", {}, ...heads)),
      this.#body,
    );
    this.#rows = new KeyedChildren(
      this.#body,
      () => this.#createRow(),
      (row, group) => this.#updateRow(row, group),
    );
    this.element = h(
      "div",
      { class: "groups-box" },
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, table),
      this.#all,
      this.#more,
    );
    this.#all.addEventListener("click", () => {
      this.#isOpen = !this.#isOpen;
      if (this.#answer !== undefined) this.update(this.#answer);
    });
    this.element.hidden = description.by.length === 0;
    this.#markOrder();
  }

  update(answer: MetricAnswer): void {
    this.#answer = answer;
    if (this.#description.by.length === 0) return;
    const { read } = this.#columns.find(({ name }) => name === this.#order.column)!;
    const sign = this.#order.direction === "descending" ? -1 : 1;
    const absent = sign * Number.POSITIVE_INFINITY;
    const sorted = [...answer.groups].sort((a, b) => sign * ((read(a) ?? absent) - (read(b) ?? absent)) || 0);
    const shown = this.#isOpen ? sorted : sorted.slice(0, rowsMax);
    this.#rows.set(
      shown.map((group) => [`${group.isOverflow ? "overflow" : ""}${JSON.stringify(group.by)}`, group]),
    );
    this.#all.hidden = sorted.length <= rowsMax;
    setText(this.#all, this.#isOpen ? "Show fewer" : `Show all ${sorted.length}`);
    setAttributes(this.#all, { "aria-expanded": String(this.#isOpen) });
    const { groupsLeftOut } = answer;
    setText(
      this.#more,
      groupsLeftOut > 0
        ? `and ${countText(groupsLeftOut)} more`
        : answer.groups.length === 0
          ? "No event in this window."
          : "",
    );
  }

  #head(name: string): HTMLTableCellElement {
    const button = h("button", { type: "button", class: "sort" }, name);
    button.addEventListener("click", () => this.#sortBy(name));
    const head = h("th", { scope: "col" }, button);
    this.#heads.set(name, head);
    return head;
  }

  #sortBy(column: string): void {
    const isReversed = this.#order.column === column && this.#order.direction === "descending";
    this.#order = { column, direction: isReversed ? "ascending" : "descending" };
    this.#markOrder();
    if (this.#answer !== undefined) this.update(this.#answer);
  }

  #markOrder(): void {
    for (const [name, head] of this.#heads)
      setAttributes(head, { "aria-sort": name === this.#order.column ? this.#order.direction : undefined });
  }

  #createRow(): HTMLTableRowElement {
    const bar = svg(
      "svg",
      { class: "share", viewBox: "0 0 100 2", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { width: 0, height: 2 }),
    );
    return h("tr", {}, h("th", { scope: "row" }, h("span"), bar), ...this.#columns.map(() => h("td")));
  }

  #updateRow(row: HTMLTableRowElement, group: GroupAnswer): void {
    const name = group.isOverflow ? "(all other groups)" : groupText(group.by);
    setText(row.cells[0]!.firstElementChild!, name);
    setAttributes(row.cells[0]!, { title: name });
    this.#columns.forEach((column, index) => {
      setText(row.cells[index + 1]!, column.format(column.read(group)));
    });
    const total = this.#answer?.all.n ?? 0;
    setAttributes(row.querySelector("rect")!, {
      width: total === 0 ? 0 : ((100 * group.n) / total).toFixed(1),
    });
  }
}

function columnsOf({ kind, unit }: MetricDescription): readonly Column[] {
  const n: Column = { name: "n", read: (group) => group.n, format: countText };
  switch (kind) {
    case "distribution":
      return [
        n,
        ...(["p50", "p95", "p99"] as const).map(
          (name): Column => ({
            name,
            read: (group) => group[name],
            format: (value) => valueText(value, unit),
          }),
        ),
      ];
    case "count":
      return [{ name: "count", read: (group) => group.value, format: countText }];
    case "ratio":
      return [n, { name: "share", read: (group) => group.value, format: shareText }];
    case "rate":
      return [{ name: "rate", read: (group) => group.value, format: (value) => valueText(value, "/s") }, n];
    default:
      return [{ name: kind, read: (group) => group.value, format: (value) => valueText(value, unit) }, n];
  }
}

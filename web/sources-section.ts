import type { SourceFiles } from "../src/server/index.js";
import { bytesText, countText } from "../src/server/text.js";
import { h, KeyedChildren, setAttributes, setText, svg } from "./dom.js";
import { section } from "./section.js";
import type { PageState } from "./state.js";
import { agoText } from "./times.js";

/** Files shown; more than this are counted. */
const filesMax = 100;

const wordColumns: ReadonlySet<string> = new Set(["source", "state"]);

interface Row {
  readonly source: string;
  readonly file: SourceFiles["files"][number];
  readonly nowMs: number;
}

/** Where do events come from, and is anything behind? */
export class SourcesSection {
  readonly #body = h("tbody");
  readonly #more = h("p", { class: "note" });
  readonly #empty = h(
    "p",
    { class: "empty" },
    "No file is followed. Name one: ",
    h("code", {}, "poundlock app.jsonl"),
    ".",
  );
  readonly #full: HTMLElement;
  readonly #rows: KeyedChildren<Row, HTMLTableRowElement>;
  readonly element: HTMLElement;

  constructor() {
    const heads = ["file", "source", "state", "size", "lag", "last growth"].map((name) =>
      h("th", { scope: "col", class: wordColumns.has(name) ? "words" : undefined }, name),
    );
    const table = h(
      "table",
      { class: "files" },
      h("caption", { class: "hidden" }, "Followed files"),
      h("thead", {}, h("tr", {}, ...heads)),
      this.#body,
    );
    this.#rows = new KeyedChildren(this.#body, createRow, updateRow);
    this.#full = h(
      "div",
      {},
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Followed files" }, table),
      this.#more,
    );
    this.element = section("sources", "Where does it come from?", this.#empty, this.#full);
  }

  update(page: PageState): void {
    const rows = (page.parts.sources ?? []).flatMap(({ name, files }) =>
      files.map((file): Row => ({ source: name, file, nowMs: page.nowMs })),
    );
    // Those that are behind first: they are what someone looks for.
    const sorted = rows.sort(
      (a, b) => b.file.lagBytes - a.file.lagBytes || (a.file.path < b.file.path ? -1 : 1),
    );
    this.#empty.hidden = rows.length > 0;
    this.#full.hidden = rows.length === 0;
    this.#rows.set(sorted.slice(0, filesMax).map((row) => [`${row.source}:${row.file.file}`, row]));
    setText(this.#more, rows.length > filesMax ? `and ${countText(rows.length - filesMax)} more files` : "");
  }
}

function createRow({ source, file }: Row): HTMLTableRowElement {
  const bar = svg(
    "svg",
    { class: "share", viewBox: "0 0 100 2", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { width: 0, height: 2 }),
  );
  return h(
    "tr",
    { "data-file": file.path },
    h("th", { scope: "row" }, h("span", { class: "path" }), bar),
    h("td", { class: "words" }, source),
    h("td", { class: "words" }),
    h("td"),
    h("td"),
    h("td"),
  );
}

function updateRow(row: HTMLTableRowElement, { file, nowMs }: Row): void {
  setText(row.cells[0]!.firstElementChild!, file.path);
  setText(row.cells[2]!, file.message === undefined ? file.state : `${file.state}: ${file.message}`);
  setAttributes(row.cells[2]!, { "data-mood": file.state === "unreadable" ? "bad" : undefined });
  setText(row.cells[3]!, bytesText(file.size));
  setText(row.cells[4]!, file.lagBytes === 0 ? "0 B" : bytesText(file.lagBytes));
  setAttributes(row.cells[4]!, { "data-mood": file.lagBytes > 1024 * 1024 ? "busy" : undefined });
  setText(row.cells[5]!, file.lastGrowthMs === undefined ? "not seen" : agoText(file.lastGrowthMs, nowMs));
  setAttributes(row.querySelector("rect")!, {
    width: file.size === 0 ? 100 : ((100 * file.offset) / file.size).toFixed(1),
  });
}

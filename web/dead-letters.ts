import type { WireDeadLetter } from "../src/server/index.js";
import { countText } from "../src/server/text.js";
import { h, KeyedChildren, setText } from "./dom.js";
import { caretIndent, letterText, troubleColumn } from "./letter-bytes.js";
import { section } from "./section.js";
import type { PageState } from "./state.js";
import { agoText, timeText } from "./times.js";

const wordColumns: ReadonlySet<string> = new Set(["reason", "message", "where", "bytes"]);

type Reason = NonNullable<PageState["parts"]["dead"]>["reasons"][number];

/** What could not be processed: why, where it was, and its bytes. */
export class DeadLettersSection {
  readonly #answer = h("p", { class: "answer" });
  readonly #reasonList = h("ul", { class: "reasons" });
  readonly #body = h("tbody");
  readonly #more = h("p", { class: "note" });
  readonly #full: HTMLElement;
  readonly #empty = h(
    "p",
    { class: "empty" },
    "No dead letters. A line that can't be read would be kept here, with its bytes and the reason.",
  );
  readonly #rows: KeyedChildren<{ letter: WireDeadLetter; nowMs: number }, HTMLTableRowElement>;
  readonly #reasons: KeyedChildren<Reason, HTMLLIElement>;
  readonly #detail = new LetterDialog();
  readonly element: HTMLElement;

  constructor() {
    const heads = ["when", "reason", "message", "where", "bytes"].map((name) =>
      h("th", { scope: "col", class: wordColumns.has(name) ? "words" : undefined }, name),
    );
    const table = h(
      "table",
      { class: "letters" },
      h("caption", { class: "hidden" }, "Newest dead letters"),
      h("thead", {}, h("tr", {}, ...heads)),
      this.#body,
    );
    this.#rows = new KeyedChildren(
      this.#body,
      ({ letter }) => this.#createRow(letter),
      (row, { letter, nowMs }) => updateRow(row, letter, nowMs),
    );
    this.#reasons = new KeyedChildren(
      this.#reasonList,
      () => h("li"),
      (item, reason) => setText(item, `${countText(reason.count)} × ${reason.reason} in ${reason.source}`),
    );
    const scroll = h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Newest dead letters" },
      table,
    );
    this.#full = h("div", {}, this.#answer, this.#reasonList, scroll, this.#more);
    this.element = section(
      "dead",
      "What could not be processed?",
      this.#empty,
      this.#full,
      this.#detail.element,
    );
  }

  update(page: PageState): void {
    const { dead } = page.parts;
    const isEmpty = dead === undefined || (dead.total === 0 && dead.evicted === 0);
    this.#empty.hidden = !isEmpty;
    this.#full.hidden = isEmpty;
    if (dead === undefined) return;
    const newest = dead.items[0];
    const kept = `${countText(dead.total)} dead ${dead.total === 1 ? "letter" : "letters"}`;
    setText(
      this.#answer,
      newest === undefined ? `${kept}.` : `${kept}, newest ${agoText(newest.newestMs, page.nowMs)}.`,
    );
    this.#reasons.set(dead.reasons.map((reason) => [JSON.stringify([reason.source, reason.reason]), reason]));
    this.#rows.set(dead.items.map((letter) => [String(letter.id), { letter, nowMs: page.nowMs }]));
    const older = dead.total - dead.items.length;
    setText(
      this.#more,
      [
        older > 0 ? `and ${countText(older)} older: poundlock dlq list` : "",
        dead.evicted > 0
          ? `${countText(dead.evicted)} more were counted and their bytes given up to keep the limit.`
          : "",
      ]
        .filter((text) => text !== "")
        .join(" · "),
    );
  }

  #createRow(letter: WireDeadLetter): HTMLTableRowElement {
    const button = h("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, letter.reason);
    button.addEventListener("click", () => void this.#detail.open(letter));
    return h(
      "tr",
      { "data-letter": letter.id },
      h("td"),
      h("th", { scope: "row" }, button),
      h("td", { class: "words" }),
      h("td", { class: "words path" }),
      h("td", { class: "words" }, h("code", { class: "bytes" })),
    );
  }
}

function updateRow(row: HTMLTableRowElement, letter: WireDeadLetter, nowMs: number): void {
  setText(row.cells[0]!, agoText(letter.newestMs, nowMs));
  setText(row.cells[2]!, letter.newestError);
  setText(row.cells[3]!, placeText(letter));
  setText(row.cells[4]!.firstElementChild!, cut(letterText(letter), 120));
}

function placeText({ at }: WireDeadLetter): string {
  // The offset first: it must be seen where a long name is cut.
  return at.kind === "file"
    ? `byte ${countText(at.offset)} of ${at.path.split("/").at(-1)}`
    : `stream ${at.position}[${at.index}]`;
}

function cut(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

/** Everything known of one dead letter; closes by Escape and gives the focus back. */
class LetterDialog {
  readonly #heading = h("h3", { id: "letter-heading" });
  readonly #content = h("div");
  readonly element: HTMLDialogElement;
  #bytes: HTMLElement | undefined;

  constructor() {
    const close = h("button", { type: "button", class: "close" }, "Close");
    this.element = h(
      "dialog",
      { class: "letter", "aria-labelledby": "letter-heading" },
      h("header", { class: "dialog-head" }, this.#heading, close),
      this.#content,
    );
    close.addEventListener("click", () => this.element.close());
  }

  async open(listed: WireDeadLetter): Promise<void> {
    setText(this.#heading, `Dead letter ${listed.id}`);
    this.#show(listed);
    this.element.showModal();
    this.#scrollToCaret(listed);
    if (!listed.isCut) return;
    const response = await fetch(`/api/v1/dead-letters/${listed.id}`).catch(() => undefined);
    if (response?.ok && this.element.open) this.#show((await response.json()) as WireDeadLetter);
  }

  /** Long lines begin where the trouble is in the middle. */
  #scrollToCaret(letter: WireDeadLetter): void {
    const column = troubleColumn(letter);
    const block = this.#bytes;
    if (column === undefined || block === undefined) return;
    const share = caretIndent(letter, column) / Math.max(1, letterText(letter).length);
    block.scrollLeft = share * block.scrollWidth - block.clientWidth / 2;
  }

  #show(letter: WireDeadLetter): void {
    const { at } = letter;
    const nowMs = letter.newestMs;
    const facts: [string, string][] = [
      ["reason", letter.reason],
      ["message", letter.newestError],
      ...(letter.firstError === letter.newestError
        ? []
        : ([["first message", letter.firstError]] as [string, string][])),
      ["source", letter.source],
      [
        "where",
        at.kind === "file"
          ? `${at.path}, byte ${countText(at.offset)}`
          : `stream ${at.position}, event ${at.index}`,
      ],
      ["first seen", timeText(letter.firstMs, nowMs)],
      ["attempts", countText(letter.attempts)],
      ["length", `${countText(letter.length)} bytes`],
    ];
    const list = h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    const command = h(
      "p",
      { class: "note" },
      "In a terminal: ",
      h("code", {}, `poundlock dlq show ${letter.id}`),
    );
    this.#bytes = bytesBlock(letter);
    this.#content.replaceChildren(list, this.#bytes, command);
  }
}

function bytesBlock(letter: WireDeadLetter): HTMLElement {
  const text = letterText(letter);
  const column = troubleColumn(letter);
  const caret = column === undefined ? "" : `\n${" ".repeat(caretIndent(letter, column))}^`;
  const isCutOff = letter.base64 === "" && letter.length > 0;
  const shown = isCutOff ? "(the bytes are where the file says)" : `${text}${caret}`;
  return h("pre", { class: "bytes-block", tabindex: 0, "aria-label": "Bytes of the event" }, shown);
}

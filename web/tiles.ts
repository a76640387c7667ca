import { bytesText, countText, rateText, valueText } from "../src/server/text.js";
import { sumLedger } from "../src/store/ledger-sum.js";
import { h, setAttributes, setText } from "./dom.js";
import { firstDistribution, lagOf, seriesOf } from "./facts.js";
import { Sparkline } from "./sparkline.js";
import type { PageState } from "./state.js";

const historyMs = 1000;
const historyLength = 120;

/** A number that matters, with where it comes from. */
class Tile {
  readonly #number = h("span", { class: "tile-number" });
  readonly #note = h("span", { class: "tile-note" });
  readonly #label: HTMLElement;
  readonly #spark = new Sparkline();
  readonly element: HTMLElement;

  constructor(id: string, label: string) {
    this.#label = h("span", { class: "tile-label" }, label);
    this.element = h(
      "li",
      { class: "tile", "data-tile": id },
      this.#label,
      this.#number,
      this.#note,
      this.#spark.element,
    );
  }

  set(facts: {
    label?: string;
    number: string;
    note: string;
    line: readonly (number | null)[];
    mood?: "bad" | "busy" | undefined;
  }): void {
    if (facts.label !== undefined) setText(this.#label, facts.label);
    setText(this.#number, facts.number);
    setText(this.#note, facts.note);
    setAttributes(this.element, { "data-mood": facts.mood });
    this.#spark.update(facts.line);
  }
}

/** What is flowing: in, how long it takes, how far behind, how many failed. */
export class Tiles {
  readonly #in = new Tile("in", "Lines in");
  readonly #p95 = new Tile("p95", "p95");
  readonly #lag = new Tile("lag", "Lag");
  readonly #dead = new Tile("dead", "Dead letters");
  readonly element: HTMLElement = h(
    "ul",
    { class: "tiles", "aria-label": "What is flowing" },
    this.#in.element,
    this.#p95.element,
    this.#lag.element,
    this.#dead.element,
  );
  readonly #history: { readonly rate: number; readonly lag: number; readonly dead: number }[] = [];
  #sampledMs = 0;

  update(page: PageState): void {
    const ledger = sumLedger(page.parts.ledger ?? []);
    const lag = lagOf(page);
    const rate = page.status?.linesPerS ?? 0;
    this.#sample(page.nowMs, { rate, lag: lag.bytes, dead: ledger.dead });
    this.#in.set({
      number: rateText(rate),
      note: `${countText(page.status?.linesRead)} lines read`,
      line: this.#history.map((one) => one.rate),
    });
    this.#lag.set({
      number: bytesText(lag.bytes),
      note:
        lag.files === 0
          ? "no file followed"
          : lag.behind === 0
            ? `${filesText(lag.files)}, all read to the end`
            : `${lag.behind} of ${filesText(lag.files)} behind`,
      line: this.#history.map((one) => one.lag),
      mood: lag.bytes > 1024 * 1024 ? "busy" : undefined,
    });
    const total = page.parts.dead?.total ?? ledger.dead;
    this.#dead.set({
      number: countText(ledger.dead),
      note:
        ledger.dead === 0 ? "none" : `${countText(total)} kept with ${total === 1 ? "its" : "their"} bytes`,
      line: this.#history.map((one) => one.dead),
      mood: ledger.dead > 0 ? "busy" : undefined,
    });
    this.#updateP95(page);
  }

  #updateP95(page: PageState): void {
    const latency = firstDistribution(page);
    if (latency === undefined) {
      this.#p95.set({ label: "p95", number: "–", note: "no distribution declared", line: [] });
      return;
    }
    const { all, unit, name } = latency;
    this.#p95.set({
      label: `${name} p95`,
      number: valueText(all.p95, unit),
      note:
        all.n === 0 ? "nothing in this window" : `of ${countText(all.n)}; p50 ${valueText(all.p50, unit)}`,
      line: seriesOf(page, name)?.groups[0]?.lines.p95 ?? [],
    });
  }

  #sample(nowMs: number, facts: { rate: number; lag: number; dead: number }): void {
    if (nowMs - this.#sampledMs < historyMs) return;
    this.#sampledMs = nowMs;
    this.#history.push(facts);
    if (this.#history.length > historyLength) this.#history.shift();
  }
}

function filesText(files: number): string {
  return files === 1 ? "1 file" : `${countText(files)} files`;
}

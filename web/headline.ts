import { bytesText, countText, rateText, spanText, valueText } from "../src/server/text.js";
import { sumLedger } from "../src/store/ledger-sum.js";
import { h, setAttributes, setText } from "./dom.js";
import { firstDistribution, lagOf } from "./facts.js";
import type { PageState } from "./state.js";

/** Less than this is what a busy file always has under way. */
const lagBytesCalm = 1024 * 1024;

interface Verdict {
  readonly mood: "good" | "busy" | "bad" | "idle";
  readonly word: string;
  readonly text: string;
}

/** The answer in one sentence, the worst thing first. */
export class Headline {
  readonly #word = h("strong");
  readonly #text = h("span", { class: "headline-text" });
  readonly element: HTMLElement = h("p", { class: "headline" }, this.#word, " ", this.#text);

  update(page: PageState): void {
    const verdict = verdictOf(page);
    setAttributes(this.element, { "data-mood": verdict.mood });
    setText(this.#word, verdict.word);
    setText(this.#text, verdict.text);
  }
}

function verdictOf(page: PageState): Verdict {
  const { parts } = page;
  const ledger = sumLedger(parts.ledger ?? []);
  if (ledger.unaccounted !== 0)
    return {
      mood: "bad",
      word: "Does not balance.",
      text: `${countText(ledger.unaccounted)} events are in no state. That is a bug of Poundlock: please report it with the ledger below.`,
    };
  if (parts.trouble)
    return {
      mood: "bad",
      word: "Store in trouble.",
      text: `${parts.trouble.message} (${parts.trouble.code}). The numbers below are the last ones known.`,
    };
  const unreadable = (parts.sources ?? [])
    .flatMap(({ files }) => files)
    .filter(({ state }) => state === "unreadable");
  if (unreadable.length > 0)
    return {
      mood: "bad",
      word: "Can't read.",
      text: `${unreadable[0]!.path}${unreadable.length > 1 ? ` and ${unreadable.length - 1} more` : ""}: ${unreadable[0]!.message ?? "unreadable"}`,
    };
  if (ledger.lost > 0)
    return {
      mood: "bad",
      word: "Some were lost.",
      text: `${countText(ledger.lost)} events were given up by a limit; the ledger says which.`,
    };
  const lag = lagOf(page);
  if (lag.bytes > lagBytesCalm)
    return {
      mood: "busy",
      word: "Catching up.",
      text: `${bytesText(lag.bytes)} still to read${timeLeft(page, lag.bytes)}. Nothing is lost.`,
    };
  if (ledger.accepted === 0)
    return { mood: "idle", word: "Waiting.", text: "No event yet. Numbers appear with the first line." };
  return { mood: "good", word: "All accounted for.", text: calmText(page, ledger.dead) };
}

function calmText(page: PageState, dead: number): string {
  const latency = firstDistribution(page);
  return [
    `${rateText(page.status?.linesPerS)} in`,
    latency === undefined || latency.all.n === 0
      ? undefined
      : `${latency.name} p95 ${valueText(latency.all.p95, latency.unit)}`,
    dead === 0 ? "no dead letters" : `${countText(dead)} dead ${dead === 1 ? "letter" : "letters"}`,
  ]
    .filter((text) => text !== undefined)
    .join(", ")
    .concat(".");
}

/** From the bytes settled so far per line; rough, and said so. */
function timeLeft(page: PageState, lagBytes: number): string {
  const bytes = (page.parts.ledger ?? []).reduce((sum, row) => sum + row.bytes, 0);
  const { linesRead = 0, linesPerS = 0 } = page.status ?? {};
  const bytesPerS = linesRead === 0 ? 0 : (bytes / linesRead) * linesPerS;
  return bytesPerS <= 0 ? "" : `, about ${spanText((lagBytes / bytesPerS) * 1000)}`;
}

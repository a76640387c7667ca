import { windowName } from "../src/server/text.js";
import { h } from "./dom.js";

export const standardWindowsMs: readonly (number | null)[] = [60_000, 300_000, 3_600_000, 86_400_000, null];

const spoken: Readonly<Record<string, string>> = {
  "1m": "last minute",
  "5m": "last 5 minutes",
  "1h": "last hour",
  "24h": "last 24 hours",
  all: "since the beginning",
};

/** Which span the numbers are about. The address has it, so that a link or a reload shows the same. */
export class WindowChoice {
  readonly element: HTMLElement;
  readonly #onChoose: (windowMs: number | null) => void;

  constructor(options: { chosen: number | null; onChoose: (windowMs: number | null) => void }) {
    this.#onChoose = options.onChoose;
    const windows = standardWindowsMs.includes(options.chosen)
      ? standardWindowsMs
      : [options.chosen, ...standardWindowsMs];
    this.element = h(
      "fieldset",
      { class: "windows" },
      h("legend", { class: "hidden" }, "Window"),
      ...windows.map((windowMs) => this.#choice(windowMs, options.chosen)),
    );
  }

  /** The n-th of the standard windows, from 1. */
  chooseNth(n: number): void {
    const windowMs = standardWindowsMs[n - 1];
    if (windowMs === undefined) return;
    const input = this.element.querySelector<HTMLInputElement>(`input[value="${windowName(windowMs)}"]`);
    if (input === null) return;
    input.checked = true;
    this.#choose(windowMs);
  }

  #choice(windowMs: number | null, chosen: number | null): HTMLElement {
    const name = windowName(windowMs);
    const input = h("input", {
      type: "radio",
      name: "window",
      value: name,
      checked: windowMs === chosen,
      "aria-label": spoken[name],
    });
    input.addEventListener("change", () => this.#choose(windowMs));
    return h("label", { title: spoken[name] }, input, h("span", {}, name));
  }

  #choose(windowMs: number | null): void {
    const url = new URL(location.href);
    url.searchParams.set("window", windowName(windowMs));
    history.replaceState(null, "", url);
    this.#onChoose(windowMs);
  }
}

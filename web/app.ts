import type { WireFrame } from "../src/server/index.js";
import { windowName } from "../src/server/text.js";
import { Connection } from "./connection.js";
import { DeadLettersSection } from "./dead-letters.js";
import { h, KeyedChildren } from "./dom.js";
import { Headline } from "./headline.js";
import { Help } from "./help.js";
import { LedgerSection } from "./ledger-section.js";
import { LiveStatus } from "./live-status.js";
import { MetricCard } from "./metric-card.js";
import { section } from "./section.js";
import { signInFromAddress } from "./sign-in.js";
import { SourcesSection } from "./sources-section.js";
import { PageState } from "./state.js";
import { Tiles } from "./tiles.js";
import { agoText } from "./times.js";
import { WindowChoice } from "./window-choice.js";

type Part = { readonly element: HTMLElement; update(page: PageState): void };

/** Every metric's card, in the order of their declaration. */
class MetricsSection {
  readonly #grid = h("div", { class: "cards" });
  readonly #empty = h(
    "p",
    { class: "empty" },
    "No metric is declared. Add one under ",
    h("code", {}, "metrics:"),
    " in ",
    h("code", {}, "poundlock.yaml"),
    ".",
  );
  readonly element: HTMLElement = section(
    "metrics",
    "How much, and how long does it take?",
    this.#empty,
    this.#grid,
  );
  readonly #cards = new Map<Element, MetricCard>();
  readonly #rows: KeyedChildren<{ card: () => MetricCard; page: PageState }, HTMLElement>;

  constructor() {
    this.#rows = new KeyedChildren(
      this.#grid,
      ({ card }) => {
        const made = card();
        this.#cards.set(made.element, made);
        return made.element;
      },
      (element, { page }) => this.#cards.get(element)?.update(page),
    );
  }

  update(page: PageState): void {
    const metrics = page.parts.metrics ?? [];
    this.#empty.hidden = metrics.length > 0;
    this.#rows.set(
      metrics.map((metric, index) => [
        JSON.stringify(metric),
        { card: () => new MetricCard(metric, index), page },
      ]),
    );
  }
}

class Footer {
  readonly #facts = h("p");
  readonly element: HTMLElement = h(
    "footer",
    {},
    this.#facts,
    h(
      "p",
      {},
      h("a", { href: "/metrics" }, "Prometheus"),
      " · ",
      h("a", { href: "/api/v1/snapshot" }, "JSON"),
    ),
  );

  update(page: PageState): void {
    const { status } = page;
    if (status === undefined) return;
    const newest =
      status.dataClockMs === undefined
        ? "no event time seen"
        : `newest event time ${agoText(status.dataClockMs, page.nowMs)}`;
    const text = `Poundlock ${status.version} · store ${status.store.kind}, durability ${status.store.durability} · ${status.threads.size} threads · ${newest}`;
    if (this.#facts.textContent !== text) this.#facts.textContent = text;
  }
}

function start(): void {
  const page = new PageState();
  const chosen = windowFromAddress();
  const status = new LiveStatus();
  const parts: Part[] = [
    new Headline(),
    new Tiles(),
    new LedgerSection(),
    new MetricsSection(),
    new SourcesSection(),
    new DeadLettersSection(),
    new Footer(),
  ];
  let isDrawn = true;
  const draw = (): void => {
    isDrawn = true;
    status.update(connection, page);
    if (page.serverMs > 0) for (const part of parts) part.update(page);
  };
  const drawSoon = (): void => {
    if (isDrawn) requestAnimationFrame(draw);
    isDrawn = false;
  };
  const connection = new Connection({
    windowMs: chosen,
    onFrame: (frame) => {
      const isApplied = page.apply(frame);
      drawSoon();
      return isApplied;
    },
    onLiveness: drawSoon,
  });
  const windows = new WindowChoice({ chosen, onChoose: (windowMs) => connection.chooseWindow(windowMs) });
  const help = new Help([
    ...["1", "2", "3", "4", "5"].map((key, index) => ({
      key,
      does: `window ${["1m", "5m", "1h", "24h", "all"][index]}`,
      run: () => windows.chooseNth(index + 1),
    })),
    { key: "l", does: "go to the ledger", run: () => jumpTo("ledger") },
    { key: "m", does: "go to the metrics", run: () => jumpTo("metrics") },
    { key: "s", does: "go to the sources", run: () => jumpTo("sources") },
    { key: "d", does: "go to the dead letters", run: () => jumpTo("dead") },
  ]);
  document.getElementById("controls")!.append(windows.element, status.element, help.button, help.element);
  takeFirstFrame(page, chosen);
  const main = document.getElementById("dashboard")!;
  if (page.serverMs > 0) draw();
  main.replaceChildren(...parts.map((part) => part.element));
  // Once more when it stands in the page and charts have a width.
  drawSoon();
  connection.start();
  // Ages go on without frames.
  window.setInterval(() => status.update(connection, page), 200);
}

/** The numbers that came with the page itself: shown before any connection stands. */
function takeFirstFrame(page: PageState, chosen: number | null): void {
  const text = document.getElementById("first-frame")?.textContent;
  if (!text) return;
  const frame = JSON.parse(text) as WireFrame;
  if (windowName(frame.windowMs) === windowName(chosen)) page.apply(frame);
}

function windowFromAddress(): number | null {
  const text = new URLSearchParams(location.search).get("window");
  if (text === "all") return null;
  const match = /^(\d{1,6})([smhd])$/.exec(text ?? "5m");
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ""] ?? 0;
  const windowMs = Number(match?.[1]) * unitMs;
  return windowMs >= 1000 && windowMs <= 90 * 86_400_000 ? windowMs : 300_000;
}

function jumpTo(id: string): void {
  const heading = document.getElementById(`${id}-heading`);
  heading?.focus();
  heading?.scrollIntoView({ block: "start" });
}

if (document.getElementById("dashboard") !== null && document.getElementById("controls") !== null) start();
void signInFromAddress();

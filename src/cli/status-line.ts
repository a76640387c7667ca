import type { Clock } from "../base/index.js";
import type { Engine } from "../engine/index.js";
import { sumLedger } from "../store/index.js";
import { bytesText, countText, spanText } from "./numbers.js";
import type { ProgressMode, Terminal } from "./terminal.js";

/** Once a second is live for a person, and nothing to the machine. */
const repaintMs = 1_000;
const plainMs = 10_000;

/** One line that says what a running server is doing; on a pipe only while there is a backlog to read. */
export class StatusLine {
  readonly #engine: Engine;
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #mode: "tty" | "plain" | "none";
  #cancel: () => void = () => {};
  #isEnded = false;

  constructor(engine: Engine, terminal: Terminal, clock: Clock, mode: ProgressMode) {
    this.#engine = engine;
    this.#terminal = terminal;
    this.#clock = clock;
    this.#mode = mode === "auto" ? (terminal.isErrTerminal ? "tty" : "plain") : mode;
  }

  start(): void {
    if (this.#mode !== "none") this.#next();
  }

  end(): void {
    this.#isEnded = true;
    this.#cancel();
    if (this.#mode === "tty") this.#terminal.paint("\r\u001b[K");
  }

  #next(): void {
    this.#cancel = this.#clock.after(this.#mode === "tty" ? repaintMs : plainMs, () => {
      // A look that fails (the store is closing) is not worth more than the next one.
      this.#show()
        .catch(() => {})
        .finally(() => {
          if (!this.#isEnded) this.#next();
        });
    });
  }

  async #show(): Promise<void> {
    const [status, rows] = await Promise.all([this.#engine.status(), this.#engine.ledger()]);
    if (this.#isEnded) return;
    const ledger = sumLedger(rows);
    const { foundBytes, settledBytes } = this.#engine.progress();
    const lagBytes = foundBytes - settledBytes;
    const seconds =
      status.linesPerS === 0
        ? undefined
        : (lagBytes / Math.max(1, settledBytes)) * (ledger.accepted / status.linesPerS);
    const behind =
      lagBytes === 0
        ? []
        : [
            `${bytesText(lagBytes)} to read`,
            ...(seconds === undefined ? [] : [`${spanText(seconds * 1_000)} left`]),
          ];
    const parts = [
      "live",
      `${countText(status.linesPerS)} lines/s`,
      `in ${countText(ledger.accepted)}`,
      `done ${countText(ledger.settled)}`,
      `dead ${countText(ledger.dead)}`,
      `unaccounted ${countText(ledger.unaccounted)}`,
      ...behind,
    ];
    const text = parts.join("   ");
    if (this.#mode === "tty")
      this.#terminal.paint(`\r  ${text.slice(0, this.#terminal.errColumns - 3)}\u001b[K`);
    else if (lagBytes > 0) this.#terminal.say(text);
  }
}

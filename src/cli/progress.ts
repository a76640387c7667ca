import type { Clock } from "../base/index.js";
import { bytesText, countText, spanText } from "./numbers.js";
import type { ProgressMode, Terminal } from "./terminal.js";

export interface ReadProgress {
  readonly foundBytes: number;
  readonly settledBytes: number;
  readonly lines: number;
}

/** A short read needs no progress; a line that flashes up is only a disturbance. */
const quietMs = 500;
/** At most ten repaints a second. */
const repaintMs = 100;
const plainMs = 10_000;

/** Shows how far a long read is: one line painted again on a terminal, else a line every 10 s. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #mode: "tty" | "plain" | "none";
  readonly #startMs: number;
  #shownMs: number;
  #isPainted = false;

  constructor(terminal: Terminal, clock: Clock, mode: ProgressMode) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#mode = mode === "auto" ? (terminal.isErrTerminal ? "tty" : "plain") : mode;
    this.#startMs = clock.monotonicMs();
    this.#shownMs = this.#startMs - (this.#mode === "tty" ? repaintMs - quietMs : 0);
  }

  /** May be called as often as anybody likes. */
  show(progress: ReadProgress): void {
    if (this.#mode === "none") return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#shownMs < (this.#mode === "tty" ? repaintMs : plainMs)) return;
    this.#shownMs = nowMs;
    const text = progressText(progress, nowMs - this.#startMs);
    if (this.#mode === "plain") {
      this.#terminal.say(text);
      return;
    }
    this.#isPainted = true;
    this.#terminal.paint(`\r${text.slice(0, this.#terminal.errColumns - 1)}\u001b[K`);
  }

  /** Takes the painted line away, so that what follows stands on a clean one. */
  end(): void {
    if (this.#isPainted) this.#terminal.paint("\r\u001b[K");
    this.#isPainted = false;
  }
}

/** `reading  45 %  120.0 MiB of 266.0 MiB  412,000 lines/s  3 s left` */
export function progressText(progress: ReadProgress, elapsedMs: number): string {
  const { foundBytes, settledBytes, lines } = progress;
  const share = foundBytes === 0 ? 0 : settledBytes / foundBytes;
  const seconds = elapsedMs / 1_000;
  const leftMs = share === 0 ? undefined : (elapsedMs * (1 - share)) / share;
  const parts = [
    `reading  ${Math.floor(share * 100)} %`,
    `${bytesText(settledBytes)} of ${bytesText(foundBytes)}`,
    `${countText(seconds === 0 ? 0 : lines / seconds)} lines/s`,
    ...(leftMs === undefined ? [] : [`${spanText(leftMs)} left`]),
  ];
  return parts.join("  ");
}

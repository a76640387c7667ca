import type { MetricsSnapshot } from "../snapshot.js";
import { decodeSnapshot } from "../snapshot-codec.js";
import { bytesOf, type Report, snapshotBytesOf } from "./messages.js";
import type { MessagePipe } from "./pipe.js";

/** Why a message that looked like a report was not used. */
export type RefusalReason = "garbage" | "too-large" | "late";

/** Newest numbers of one registry in another process. */
export class Reported {
  readonly pipe: MessagePipe;
  readonly instance: string;
  #snapshot: MetricsSnapshot;
  #sequence: number;
  #asked = 0;
  #answered = 0;
  /** False again as soon as anything comes: then the question was lost, or its answer is next. */
  #isAsked = false;
  #isClosed: boolean;

  constructor(pipe: MessagePipe, report: Report, snapshot: MetricsSnapshot) {
    this.pipe = pipe;
    this.instance = report.instance;
    this.#snapshot = snapshot;
    this.#sequence = report.sequence;
    this.#isClosed = report.isLast;
  }

  get snapshot(): MetricsSnapshot {
    return this.#snapshot;
  }

  /** Its process lives and reports no more, of its own will. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** It has left the newest question without an answer. */
  get isSilent(): boolean {
    return !this.#isClosed && this.#answered < this.#asked;
  }

  isLate(report: Report): boolean {
    return report.sequence <= this.#sequence;
  }

  take(report: Report, snapshot: MetricsSnapshot): void {
    this.#snapshot = snapshot;
    this.#sequence = report.sequence;
    this.#isClosed = report.isLast;
    this.#answered = Math.max(this.#answered, Math.min(report.answers, this.#asked));
    this.#isAsked = false;
  }

  /**
   * The number of the next question; undefined when none is to be sent. A process that doesn't read gets no second one: each would wait in
   * this process's memory.
   */
  nextQuestion(): number | undefined {
    if (this.#isClosed || this.#isAsked) return undefined;
    this.#isAsked = true;
    this.#asked += 1;
    return this.#asked;
  }

  hasAnswered(question: number): boolean {
    return this.#isClosed || this.#answered >= question;
  }
}

/** The snapshot in a report, or why it has none. */
export function snapshotIn(report: Report, bytesMax: number): MetricsSnapshot | RefusalReason {
  if (snapshotBytesOf(report) > bytesMax) return "too-large";
  try {
    return decodeSnapshot(bytesOf(report));
  } catch {
    // Whatever its sender is, it is not to be believed.
    return "garbage";
  }
}

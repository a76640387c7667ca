import type { MetricsSnapshot } from "../snapshot.js";
import { decodeSnapshot } from "../snapshot-codec.js";
import { bytesOf, type Report } from "./messages.js";
import type { MessagePipe } from "./pipe.js";

/** Why a message that looked like a report was not used. */
export type RefusalReason = "garbage" | "too-large" | "late";

/** Reports wait so long for being decoded when nobody asks for numbers, in milliseconds: a hundredth of the work, nothing lost. */
const decodeEveryMs = 10_000;

/**
 * Newest numbers of one registry in another process. A report is decoded when its numbers are wanted, since it makes the ones before it
 * superfluous; but often enough that a series which the process gives up as idle has been seen with its last value.
 */
export class Reported {
  readonly pipe: MessagePipe;
  readonly instance: string;
  #snapshot: MetricsSnapshot;
  #decodedSequence: number;
  #decodedMs: number;
  #newest: Report | undefined;
  /** Kept until it is known that the newest is not damaged. */
  #beforeNewest: Report | undefined;
  #sequence: number;
  #asked = 0;
  #answered = 0;
  /** False again as soon as anything comes: then the question was lost, or its answer is next. */
  #isAsked = false;
  #isClosed: boolean;

  constructor(pipe: MessagePipe, report: Report, snapshot: MetricsSnapshot, monotonicMs: number) {
    this.pipe = pipe;
    this.instance = report.instance;
    this.#snapshot = snapshot;
    this.#sequence = report.sequence;
    this.#decodedSequence = report.sequence;
    this.#decodedMs = monotonicMs;
    this.#isClosed = report.isLast;
  }

  /** As of the last `decode`. */
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

  isDue(monotonicMs: number): boolean {
    return this.#newest !== undefined && monotonicMs - this.#decodedMs >= decodeEveryMs;
  }

  take(report: Report): void {
    this.#beforeNewest = this.#newest;
    this.#newest = report;
    this.#sequence = report.sequence;
    this.#isClosed = report.isLast;
    this.#answered = Math.max(this.#answered, Math.min(report.answers, this.#asked));
    this.#isAsked = false;
  }

  /** Makes `snapshot` the newest. False when that was damaged, and the one before it stands; a later one may still be good. */
  decode(monotonicMs: number): boolean {
    const newest = this.#newest;
    const before = this.#beforeNewest;
    if (newest === undefined) return true;
    this.#newest = undefined;
    this.#beforeNewest = undefined;
    this.#decodedMs = monotonicMs;
    if (this.#use(newest)) return true;
    if (before !== undefined) this.#use(before);
    this.#sequence = this.#decodedSequence;
    return false;
  }

  #use(report: Report): boolean {
    const snapshot = snapshotIn(report);
    if (snapshot === undefined) return false;
    this.#snapshot = snapshot;
    this.#decodedSequence = report.sequence;
    return true;
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

/** Undefined when the report has none. */
export function snapshotIn(report: Report): MetricsSnapshot | undefined {
  try {
    return decodeSnapshot(bytesOf(report));
  } catch {
    // Whatever its sender is, it is not to be believed.
    return undefined;
  }
}

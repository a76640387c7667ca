import type { MetricsSnapshot } from "../snapshot.js";
import type { Steps } from "../snapshots/in-turns.js";
import { decodeInSteps, snapshotHeadBytes, snapshotTime } from "../snapshots/snapshot-codec.js";
import { bytesOf, firstBytesOf, type Report } from "./messages.js";
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
  #snapshot: MetricsSnapshot | undefined;
  #decodedSequence = 0;
  #decodedMs = Number.NEGATIVE_INFINITY;
  #newest: Report | undefined;
  /** Kept until it is known that the newest is not damaged. */
  #beforeNewest: Report | undefined;
  #sequence: number;
  #asked = 0;
  #answered = 0;
  /** False again as soon as anything comes: then the question was lost, or its answer is next. */
  #isAsked = false;
  #isClosed: boolean;

  constructor(pipe: MessagePipe, report: Report) {
    this.pipe = pipe;
    this.instance = report.instance;
    this.#newest = report;
    this.#sequence = report.sequence;
    this.#isClosed = report.isLast;
  }

  /** As of the last `decode`; undefined until one was good. */
  get snapshot(): MetricsSnapshot | undefined {
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

  /** Something came that has not been decoded. */
  get hasNews(): boolean {
    return this.#newest !== undefined;
  }

  /**
   * Time of the newest numbers, decoded or not, in milliseconds since 1970; undefined when nothing has come that looks like a
   * snapshot.
   */
  get atMs(): number | undefined {
    return (this.#newest && timeOf(this.#newest)) ?? this.#snapshot?.atMs;
  }

  isDue(monotonicMs: number): boolean {
    return this.#newest !== undefined && monotonicMs - this.#decodedMs >= decodeEveryMs;
  }

  /** False when the report is late: what it says is known already. */
  take(report: Report): boolean {
    if (report.sequence <= this.#sequence) return this.#keepBehindNewest(report);
    this.#beforeNewest = this.#newest;
    this.#newest = report;
    this.#sequence = report.sequence;
    this.#isClosed = report.isLast;
    this.#answered = Math.max(this.#answered, Math.min(report.answers, this.#asked));
    this.#isAsked = false;
    return true;
  }

  /**
   * Makes `snapshot` the newest of those that have come when it begins. False when that was damaged, and the one before it stands; a
   * later one may still be good.
   */
  *decode(monotonicMs: number): Steps<boolean> {
    const newest = this.#newest;
    const before = this.#beforeNewest;
    if (newest === undefined) return true;
    this.#newest = undefined;
    this.#beforeNewest = undefined;
    this.#decodedMs = monotonicMs;
    if (yield* this.#use(newest)) return true;
    if (before !== undefined) yield* this.#use(before);
    if (this.#newest === undefined) this.#sequence = this.#decodedSequence;
    return false;
  }

  *#use(report: Report): Steps<boolean> {
    const snapshot = yield* snapshotIn(report);
    if (snapshot === undefined) return false;
    this.#snapshot = snapshot;
    this.#decodedSequence = report.sequence;
    return true;
  }

  /** As long as nobody knows whether the newest is damaged: then this one is the newest that is good. */
  #keepBehindNewest(report: Report): boolean {
    const isNewest = report.sequence === this.#sequence;
    const known = this.#beforeNewest?.sequence ?? this.#decodedSequence;
    if (this.#newest === undefined || isNewest || report.sequence <= known) return false;
    this.#beforeNewest = report;
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
function* snapshotIn(report: Report): Steps<MetricsSnapshot | undefined> {
  try {
    return yield* decodeInSteps(bytesOf(report));
  } catch {
    // Whatever its sender is, it is not to be believed.
    return undefined;
  }
}

function timeOf(report: Report): number | undefined {
  try {
    return snapshotTime(firstBytesOf(report, snapshotHeadBytes));
  } catch {
    return undefined;
  }
}

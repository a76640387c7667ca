import { type Clock, turnInLine } from "../base/index.js";
import { Cut } from "./memory/cut.js";
import { Expiry } from "./memory/expiry.js";
import type { Families, Family } from "./memory/families.js";
import { ReaderTurn } from "./memory/reader-turn.js";
import type { Segment } from "./memory/segment.js";
import { ownFamilies } from "./own-metrics.js";
import { SharedNext } from "./shared-next.js";
import type { MetricFamily, MetricsSnapshot } from "./snapshot.js";
import { type CutTime, SnapshotMaker } from "./take-snapshot.js";

/** Snapshots begin anew when another reader moves the epoch on, or a record of the old epoch comes late; then they give up. */
const attemptsMax = 8;
/** After so many, `collect` no longer gives way in between, so that other readers can't keep it from ending. */
const attemptsThatGiveWay = 3;
/** How long `collect` runs before it gives the event loop a turn, in milliseconds. */
const turnMs = 2;

/** A cut with what it is of. */
interface Taken {
  readonly cut: Cut;
  readonly families: readonly Family[];
  readonly time: CutTime;
}

export interface SnapshotsOptions {
  /** Slot of the thread that takes the snapshots. */
  readonly owner: number;
  readonly clock: Clock;
  /** Milliseconds since the registry began. */
  readonly sinceMs: () => number;
  /** Wall time at which it began. */
  readonly startedMs: number;
  readonly hasOwnMetrics: boolean;
}

/** Takes a registry's snapshots: one cut, read until it holds, at once or in turns. */
export class Snapshots {
  readonly #segment: Segment;
  readonly #families: Families;
  readonly #options: SnapshotsOptions;
  readonly #maker: SnapshotMaker;
  readonly #turn: ReaderTurn;
  readonly #expiry: Expiry;
  readonly #inTurns = new SharedNext(() => this.#takeInTurns());
  readonly #getOn = (): void => this.#turn.getOn();

  constructor(segment: Segment, families: Families, options: SnapshotsOptions) {
    this.#segment = segment;
    this.#families = families;
    this.#options = options;
    this.#maker = new SnapshotMaker(segment);
    this.#turn = new ReaderTurn(segment, options.owner);
    this.#expiry = new Expiry(segment, options.owner);
  }

  /** Blocks until it is done. */
  take(): MetricsSnapshot {
    this.#turn.take();
    try {
      let taken = this.#cut();
      for (let attempt = 1; ; attempt += 1) {
        const made = drain(this.#maker.read(taken.cut, taken.families, taken.time), this.#getOn);
        const isExact = taken.cut.isValid();
        if (isExact || attempt === attemptsMax) return this.#finish(made, taken, isExact);
        // Another reader has taken the turn, unless it is only a record that came late.
        this.#turn.take();
        taken = this.#retake(taken);
      }
    } finally {
      this.#turn.give();
    }
  }

  /**
   * Gives the event loop a turn every few milliseconds. Whoever asks while one is being taken gets the next, and all of them the same:
   * two at once would only move the epoch on under each other.
   * @throws what the signal aborts with; the others still get theirs
   */
  takeLater(signal?: AbortSignal): Promise<MetricsSnapshot> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const next = this.#inTurns.ask();
    return signal === undefined ? next : unlessAborted(next, signal);
  }

  async #takeInTurns(): Promise<MetricsSnapshot> {
    const elapsedMs = (): number => this.#options.clock.monotonicMs();
    await this.#turn.takeLater(turnInLine, elapsedMs);
    try {
      let taken = this.#cut();
      for (let attempt = 1; ; attempt += 1) {
        const { cut, families, time } = taken;
        const reading = this.#maker.read(cut, families, time);
        const givesWay = attempt <= attemptsThatGiveWay;
        const isWanted = (): boolean => cut.isCurrent();
        const made = givesWay
          ? await drainLater(reading, { elapsedMs, isWanted, getOn: this.#getOn })
          : drain(reading, this.#getOn);
        const isExact = made !== undefined && cut.isValid();
        if (made !== undefined && (isExact || attempt >= attemptsMax))
          return this.#finish(made, taken, isExact);
        await this.#turn.takeLater(turnInLine, elapsedMs);
        taken = this.#retake(taken);
      }
    } finally {
      this.#turn.give();
    }
  }

  /** Frees all series; no thread may record meanwhile. */
  forgetAll(): void {
    this.take();
    const families = this.#families.all();
    drain(this.#maker.list.update(families), this.#getOn);
    this.#expiry.freeAll(families, this.#maker.list);
    // A new epoch, so that every block is looked at before it is written.
    new Cut(this.#segment);
  }

  #cut(): Taken {
    const { clock, sinceMs, startedMs } = this.#options;
    const cut = new Cut(this.#segment);
    const families = [...this.#families.all()];
    const time = { atMs: clock.now(), sinceMs: sinceMs(), startedMs };
    return { cut, families, time };
  }

  #retake(taken: Taken): Taken {
    if (!taken.cut.isCurrent()) return this.#cut();
    taken.cut.again();
    return taken;
  }

  #finish(made: readonly MetricFamily[], { families, time }: Taken, isExact: boolean): MetricsSnapshot {
    this.#expiry.run(families, this.#maker.list, time.sinceMs, (definition) => definition.idleMs);
    const own = this.#options.hasOwnMetrics ? ownFamilies(this.#segment, families, time.startedMs) : [];
    return { atMs: time.atMs, isExact, families: [...made, ...own] };
  }
}

function drain<T>(reading: Generator<void, T>, getOn: () => void): T {
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    getOn();
  }
}

interface Turns {
  readonly elapsedMs: () => number;
  readonly isWanted: () => boolean;
  readonly getOn: () => void;
}

/** Undefined when what is read is no longer wanted. */
async function drainLater<T>(
  reading: Generator<void, T>,
  { elapsedMs, isWanted, getOn }: Turns,
): Promise<T | undefined> {
  let start = elapsedMs();
  for (;;) {
    const step = reading.next();
    if (step.done === true) return step.value;
    getOn();
    if (elapsedMs() - start < turnMs) continue;
    await turnInLine();
    if (!isWanted()) return undefined;
    start = elapsedMs();
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(done);
  });
}

import { codeOf } from "../base/index.js";
import type { FileRange, FileStatus, Tail, TailOptions } from "./contract.js";
import { describe } from "./discovery.js";
import { RangeOrderError } from "./errors.js";
import { type FollowedFile, rangeCostBytes, type Step } from "./file.js";
import { type TailSettings, tailSettings } from "./options.js";
import { GUARD_BYTES_MAX, WINDOW_BYTES } from "./planner.js";
import { Roster } from "./roster.js";
import { Turns } from "./turns.js";
import { DirectoryWatcher, type HintSinks, type HintSource } from "./watch.js";

/** Looks that watch events ask for come at least this far apart, in milliseconds: a busy directory must not keep us busy. */
const LOOK_GAP_MS = 10;

/** A sweep over very many files takes its time: pauses this many times as long keep it to a tenth of a processor. */
const LOOK_PAUSE_FACTOR = 9;

export type HintSourceMaker = (sinks: HintSinks) => HintSource;

interface Waiter {
  readonly give: (range: FileRange | undefined) => void;
  readonly fail: (reason: unknown) => void;
}

/** Follows files: see `Tail`. @throws OptionError, PatternError */
export async function openTail(options: TailOptions): Promise<Tail> {
  return FileTail.open(options);
}

/**
 * All work on files is done by one loop, step after step, so that no two steps see a file at the same time. From outside
 * come only `settled` and `rewind`, which are synchronous; a step that was overtaken by one notices and is done again.
 */
export class FileTail implements Tail {
  readonly #settings: TailSettings;
  readonly #turns: Turns<FollowedFile>;
  readonly #roster: Roster;
  readonly #hints: HintSource;
  /** Ranges handed out and not settled, with the file of each and what it takes. */
  readonly #inFlight = new Map<FileRange, { readonly file: FollowedFile; readonly costBytes: number }>();
  #inFlightBytes = 0;
  /** Files whose next range does not fit until one is settled. */
  readonly #full = new Set<FollowedFile>();
  #waiters: Waiter[] = [];
  #lookers: (() => void)[] = [];
  #idlers: (() => void)[] = [];
  #isLookDue = false;
  #cancelLook: (() => void) | undefined;
  #lookedAtMs: number | undefined;
  #lookPauseMs = 0;
  #wake: (() => void) | undefined;
  #isAwake = false;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;
  #loop: Promise<void> = Promise.resolve();
  #scratch: Buffer = Buffer.allocUnsafe(WINDOW_BYTES + GUARD_BYTES_MAX);

  private constructor(options: TailOptions, makeHints: HintSourceMaker) {
    this.#settings = tailSettings(options);
    this.#turns = new Turns(this.#settings.isOneShot);
    this.#roster = new Roster(this.#settings, this.#turns);
    this.#hints = makeHints({
      onChange: (path) => this.#onChange(path),
      onNames: () => this.#lookSoon(),
      onFailure: (directory, message) =>
        this.#settings.notices({
          name: "tail.watch-failed",
          level: "warn",
          message: `${directory} can't be watched (${message}); it is polled`,
          data: { source: this.#settings.source, directory },
        }),
    });
  }

  /** Resolves after the first look, so that `status` is complete. */
  static async open(
    options: TailOptions,
    makeHints: HintSourceMaker = (sinks) => new DirectoryWatcher(sinks),
  ): Promise<FileTail> {
    const tail = new FileTail(options, makeHints);
    await tail.#look();
    tail.#loop = tail.#run();
    return tail;
  }

  next(signal?: AbortSignal): Promise<FileRange | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#failure !== undefined) return reject(this.#failure.error);
      if (this.#isClosed) return resolve(undefined);
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        give: (range) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(range);
        },
        fail: reject,
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.push(waiter);
      this.#wakeUp();
    });
  }

  isCurrent(range: FileRange): boolean {
    return this.#inFlight.has(range);
  }

  async isIntact(range: FileRange): Promise<boolean> {
    try {
      return (await this.#inFlight.get(range)?.file.isIntact(range)) ?? true;
    } catch {
      // What can't be read can't be settled either; reading it again says why.
      return false;
    }
  }

  settled(range: FileRange): void {
    const entry = this.#inFlight.get(range);
    if (entry === undefined) throw new RangeOrderError(range.path, range.start, "it is not in flight");
    entry.file.settled(range);
    this.#free(range);
    void this.#roster.release(entry.file);
  }

  rewind(range: FileRange, offset: number): void {
    const entry = this.#inFlight.get(range);
    if (entry === undefined) return;
    const { file } = entry;
    const { successor } = file;
    const voided = [...file.rewind(range, offset), ...(successor?.restart(offset) ?? [])];
    for (const other of voided) this.#free(other);
    if (file.state === "gone" && successor === undefined) this.#roster.noteVoid(file, voided);
    if (successor !== undefined && successor.state !== "gone") this.#turns.add(successor);
    if (file.state === "gone") void this.#roster.release(file);
    else if (!this.#isClosed) this.#turns.add(file);
  }

  status(): readonly FileStatus[] {
    const rows = [...this.#roster.all()].map((file) => file.status());
    for (const [path, message] of this.#roster.problems)
      rows.push({
        file: "",
        path,
        size: 0,
        offset: 0,
        lagBytes: 0,
        state: "unreadable",
        message,
        lastGrowthMs: undefined,
      });
    return rows.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  progress(): { readonly foundBytes: number; readonly settledBytes: number } {
    let foundBytes = this.#roster.closedBytes;
    let settledBytes = this.#roster.closedBytes;
    for (const file of this.#roster.all()) {
      foundBytes += Math.max(file.size, file.settledBytes);
      settledBytes += file.settledBytes;
    }
    return { foundBytes, settledBytes };
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#cancelLook?.();
      this.#hints.close();
      for (const waiter of this.#waiters.splice(0)) waiter.give(undefined);
      this.#wakeUp();
      this.#loop = this.#loop.then(() => this.#roster.close());
    }
    await this.#loop;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Looks at the patterns and files now; resolves when that is done. */
  look(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      this.#lookers.push(resolve);
      this.#isLookDue = true;
      this.#wakeUp();
    });
  }

  /** Resolves when there is nothing to do until a file changes, a range is settled or asked for. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      this.#idlers.push(resolve);
      this.#wakeUp();
    });
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isClosed) {
        this.#isAwake = false;
        if (this.#isLookDue) await this.#look();
        else if (!(await this.#serve())) await this.#sleep();
      }
    } catch (error) {
      this.#failure = { error };
      for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
    }
    for (const done of [...this.#lookers.splice(0), ...this.#idlers.splice(0)]) done();
  }

  async #look(): Promise<void> {
    const { clock, isOneShot, pollIntervalMs } = this.#settings;
    this.#isLookDue = false;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    const lookers = this.#lookers.splice(0);
    const startMs = clock.monotonicMs();
    if (this.#lookedAtMs === undefined || !isOneShot) await this.#roster.look();
    this.#lookedAtMs = clock.monotonicMs();
    this.#lookPauseMs = LOOK_PAUSE_FACTOR * (this.#lookedAtMs - startMs);
    if (!isOneShot && !this.#isClosed) {
      this.#hints.watch(this.#roster.directories());
      this.#lookAfter(Math.max(pollIntervalMs, this.#lookPauseMs));
    }
    for (const done of lookers) done();
  }

  #lookAfter(delayMs: number): void {
    this.#cancelLook?.();
    this.#cancelLook = this.#settings.clock.after(delayMs, () => {
      this.#isLookDue = true;
      this.#wakeUp();
    });
  }

  #lookSoon(): void {
    if (this.#isClosed || this.#isLookDue) return;
    const sinceMs = this.#settings.clock.monotonicMs() - (this.#lookedAtMs ?? 0);
    this.#lookAfter(Math.max(0, Math.max(LOOK_GAP_MS, this.#lookPauseMs) - sinceMs));
  }

  #onChange(path: string): void {
    const file = this.#roster.byPath(path);
    if (file === undefined || file.state === "gone" || this.#isClosed) return;
    file.hints += 1;
    this.#turns.add(file);
    this.#wakeUp();
  }

  /** Plans one range for whoever waits; false when there is nobody, nothing, or no room. */
  async #serve(): Promise<boolean> {
    if (this.#waiters.length === 0 || this.#inFlight.size >= this.#settings.rangesMax) return false;
    const file = this.#turns.pick((candidate) => !this.#full.has(candidate));
    if (file === undefined) return this.#endOneShot();
    const hints = file.hints;
    const step = await this.#step(file);
    if (step.kind === "range") this.#handOut(file, step.range);
    else if (step.kind === "more") this.#turns.charge(file, WINDOW_BYTES);
    else if (step.kind === "full") this.#full.add(file);
    else if (step.kind === "replaced") await this.#roster.replace(file);
    else if (file.hints === hints) this.#turns.delete(file);
    return true;
  }

  async #step(file: FollowedFile): Promise<Step> {
    const { clock, rangeBytesMax, lineBytesMax, inFlightBytesMax } = this.#settings;
    const roomBytes =
      this.#inFlight.size === 0 ? Number.POSITIVE_INFINITY : inFlightBytesMax - this.#inFlightBytes;
    try {
      file.note(await file.handle.stat(), clock.now(), clock.monotonicMs());
      const step = await file.step({ rangeBytesMax, lineBytesMax, roomBytes }, (position, length) =>
        file.handle.read(this.#scratchOf(length), position, length),
      );
      file.problem = undefined;
      return step;
    } catch (error) {
      if (codeOf(error) === "UNKNOWN") throw error;
      this.#reportProblem(file, describe(error));
      return { kind: "wait" };
    }
  }

  /** The next look tries again. */
  #reportProblem(file: FollowedFile, message: string): void {
    if (file.problem === message) return;
    file.problem = message;
    this.#settings.notices({
      name: "tail.unreadable",
      level: "warn",
      message: `${file.path} can't be read: ${message}`,
      data: { source: this.#settings.source, path: file.path },
    });
  }

  /** One step at a time reads, so one buffer serves them all. */
  #scratchOf(length: number): Buffer {
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafe(length);
    return this.#scratch;
  }

  #handOut(file: FollowedFile, range: FileRange): void {
    const waiter = this.#waiters.shift();
    // Who asked may have given up while the range was planned.
    if (waiter === undefined) {
      file.rewind(range, range.start);
      return;
    }
    const costBytes = rangeCostBytes(range, this.#settings.lineBytesMax);
    this.#inFlight.set(range, { file, costBytes });
    this.#inFlightBytes += costBytes;
    this.#turns.charge(file, costBytes);
    waiter.give(range);
  }

  #free(range: FileRange): void {
    this.#inFlightBytes -= this.#inFlight.get(range)?.costBytes ?? 0;
    this.#inFlight.delete(range);
    this.#full.clear();
    this.#wakeUp();
  }

  /** Nothing ready: a one-shot tail is through when nothing can be given back any more either. */
  #endOneShot(): boolean {
    if (!this.#settings.isOneShot || this.#turns.size > 0 || this.#inFlight.size > 0) return false;
    for (const waiter of this.#waiters.splice(0)) waiter.give(undefined);
    return true;
  }

  #sleep(): Promise<void> {
    if (this.#isAwake) return Promise.resolve();
    for (const done of this.#idlers.splice(0)) done();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    this.#isAwake = true;
    this.#wake?.();
  }
}

import { randomUUID } from "node:crypto";
import {
  type Clock,
  ignoreNotices,
  integerOption,
  messageOf,
  type NoticeSink,
  OptionError,
  systemClock,
  turnInLine,
} from "../../base/index.js";
import type { MetricsSnapshot } from "../snapshot.js";
import type { SnapshotSource } from "../snapshot-source.js";
import { atOnce, inTurns, type Steps } from "../snapshots/in-turns.js";
import { encodeInSteps } from "../snapshots/snapshot-codec.js";
import { GatheredProcesses } from "./gather.js";
import { type Report, readQuestion, reportMessage, textOf } from "./messages.js";
import { type MessagePipe, type PipeEnd, pipeOf } from "./pipe.js";

export interface ReportOptions {
  /** Pause between two reports, in milliseconds (10..3,600,000): what a killed process loses at most. @default 1,000 */
  readonly everyMs?: number;
  readonly clock?: Clock;
  /** `metrics.report-failed` when no snapshot could be taken. */
  readonly notices?: NoticeSink;
}

/** A process's side of the pipe. */
export interface MetricsReporter {
  /** Reports now; resolves once the report has left this process, or can't. */
  report(): Promise<void>;
  /** Reports a last time, then no more; resolves as `report` does. May be called twice. */
  close(): Promise<void>;
}

/** What a registry is known by, and how often it has reported: for as long as it lives, over whatever reporters it has. */
interface Identity {
  readonly instance: string;
  sequence: number;
  isReported: boolean;
}

/** How long the end of the connection waits for the last report to leave, in milliseconds: as long as a collect waits for answers. */
const farewellMs = 200;

/** A report of that many characters, or bytes, takes Node about a millisecond. */
const ownTurnLength = 2 ** 18;

const identities = new WeakMap<SnapshotSource, Identity>();

/**
 * Reports a registry to the process that gathers: at once, every second, when asked, and when the process ends or disconnects.
 *
 * - A report is made in turns of a few milliseconds. Only the last one, of a process that ends or a reporter that is closed, is made in one
 *   piece: there may be no turn after it.
 * - Nothing here keeps the process alive, waits for the parent or throws into the program.
 * - Each report holds all numbers since the start, so that a lost or late one does no harm. At most one is on its way: when the parent
 *   doesn't read, the next one waits for it, and memory does not grow.
 * - A process that ends by itself, by `process.exit()`, by an exception or by `disconnect()` loses nothing, as long as its last report
 *   fits into the pipe, about 200 KiB on Linux; `await close()` before `process.exit()` has no such limit. What a process recorded after its
 *   last report and before a SIGKILL is lost: at most the last `everyMs`, more only while it was in one synchronous piece of work.
 *
 * @param parent `process` in a forked child or cluster worker; or a port, or a pipe of one's own
 * @throws OptionError when the process has no channel to a parent, or the registry is reported already
 */
export function reportTo(
  parent: PipeEnd,
  registry: SnapshotSource,
  options: ReportOptions = {},
): MetricsReporter {
  const everyMs = integerOption("everyMs", options.everyMs, { default: 1_000, min: 10, max: 3_600_000 });
  if (parent === process && process.send === undefined)
    throw new OptionError("parent", "Cannot report to the parent process: this process was not forked");
  let identity = identities.get(registry);
  if (identity === undefined) {
    identity = { instance: randomUUID(), sequence: 0, isReported: false };
    identities.set(registry, identity);
  }
  if (identity.isReported)
    throw new OptionError("registry", "Cannot report registry: it is being reported already");
  identity.isReported = true;
  const isProcess = parent === process;
  return new Reporter({ ...options, everyMs, isProcess, pipe: pipeOf(parent), registry, identity });
}

class Reporter implements MetricsReporter {
  readonly #pipe: MessagePipe;
  readonly #registry: SnapshotSource;
  readonly #identity: Identity;
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  #undo: (() => void)[] = [];
  #cancelTimer: () => void = () => {};
  #answers = 0;
  #isClosed = false;
  /** A report is being made, or on its way. */
  #isSending = false;
  /** The last report was made. */
  #hasEnded = false;
  /** Called when the report on its way has left; it is then too old for these, who need another one. */
  #waiting: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(parts: {
    readonly pipe: MessagePipe;
    readonly isProcess: boolean;
    readonly registry: SnapshotSource;
    readonly identity: Identity;
    readonly everyMs: number;
    readonly clock?: Clock;
    readonly notices?: NoticeSink;
  }) {
    this.#everyMs = parts.everyMs;
    this.#pipe = parts.pipe;
    this.#registry = parts.registry;
    this.#identity = parts.identity;
    this.#clock = parts.clock ?? systemClock;
    this.#notices = parts.notices ?? ignoreNotices;
    this.#undo.push(
      this.#pipe.open({ message: (message) => this.#onMessage(message), close: () => this.#stop() }),
    );
    if (this.#isClosed) return;
    if (parts.isProcess) this.#watchTheEnd();
    this.#send();
    this.#arm();
  }

  report(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#sendAfterwards(resolve));
  }

  close(): Promise<void> {
    this.#closing ??= this.#isClosed ? Promise.resolve() : this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    return new Promise((resolve) => {
      const finish = this.#within(farewellMs, resolve);
      this.#sendAtOnce(true, finish);
      this.#stop();
    });
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.after(
      this.#everyMs,
      () => {
        if (!this.#isSending && !this.#hasEnded) this.#send();
        this.#arm();
      },
      false,
    );
  }

  #onMessage(message: unknown): void {
    const question = readQuestion(message);
    if (question === undefined || question.instance !== this.#identity.instance) return;
    this.#answers = Math.max(this.#answers, question.ask);
    this.#sendAfterwards();
  }

  /** Now, or as soon as the report that is on its way has left. */
  #sendAfterwards(onSent: () => void = () => {}): void {
    if (this.#isSending) this.#waiting.push(onSent);
    else this.#send(onSent);
  }

  /** Made in turns; nothing else is sent before it but the last report. */
  #send(onSent: () => void = () => {}): void {
    this.#isSending = true;
    const head = this.#head(false);
    const finish = (): void => {
      this.#isSending = false;
      onSent();
      this.#sendToTheWaiting();
    };
    const fail = (error: unknown): void => {
      this.#noteFailure(error);
      finish();
    };
    const deliver = (snapshot: Report["snapshot"]): void => {
      // What is newer is on its way already, or nobody is there to read it.
      if (this.#hasEnded || this.#isClosed) finish();
      else this.#deliver({ ...head, snapshot }, finish);
    };
    const encode = (taken: MetricsSnapshot): void => {
      inTurns(encoded(taken, this.#pipe), { clock: this.#clock }, (snapshot) => {
        // Node makes JSON of it in one piece, and should not do so at the end of one.
        if (snapshot.length < ownTurnLength) deliver(snapshot);
        else void turnInLine().then(() => deliver(snapshot));
      }).catch(fail);
    };
    const collect = collectOf(this.#registry);
    if (collect !== undefined) {
      collect().then(encode).catch(fail);
      return;
    }
    try {
      encode(this.#registry.snapshot());
    } catch (error) {
      fail(error);
    }
  }

  /** In one piece. */
  #sendAtOnce(isLast: boolean, onSent: () => void = () => {}): void {
    this.#hasEnded ||= isLast;
    const head = this.#head(isLast);
    let snapshot: Report["snapshot"];
    try {
      snapshot = atOnce(encoded(this.#registry.snapshot(), this.#pipe));
    } catch (error) {
      this.#noteFailure(error);
      onSent();
      return;
    }
    this.#deliver({ ...head, snapshot }, onSent);
  }

  /** Of a report whose snapshot is taken from now on. */
  #head(isLast: boolean): Omit<Report, "snapshot"> {
    this.#identity.sequence += 1;
    const { instance, sequence } = this.#identity;
    return { instance, sequence, answers: this.#answers, isLast };
  }

  #deliver(report: Report, onSent: () => void): void {
    this.#pipe.send(reportMessage(report), onSent);
  }

  #noteFailure(error: unknown): void {
    this.#notices({ name: "metrics.report-failed", level: "error", message: messageOf(error) });
  }

  #sendToTheWaiting(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const finish = (): void => {
      for (const onSent of waiting) onSent();
    };
    if (this.#isClosed) finish();
    else this.#send(finish);
  }

  /**
   * `exit` comes however the process ends by itself, and a write to the pipe still succeeds then if there is room. `beforeExit` comes
   * earlier, when there is time for a large report, but not after `process.exit()`. Nothing comes before `disconnect()`, by which
   * cluster workers end in good order: hence it is replaced.
   */
  #watchTheEnd(): void {
    const onBeforeExit = (): void => {
      if (!this.#isSending) this.#sendAtOnce(false);
    };
    const onExit = (): void => this.#sendAtOnce(true);
    process.once("beforeExit", onBeforeExit);
    process.once("exit", onExit);
    const { disconnect } = process;
    const leave = (): void => {
      restore();
      const finish = this.#within(farewellMs, () => {
        if (process.connected) disconnect?.call(process);
      });
      this.#sendAtOnce(true, finish);
    };
    const restore = (): void => {
      if (process.disconnect === leave && disconnect !== undefined) process.disconnect = disconnect;
    };
    process.disconnect = leave;
    this.#undo.push(restore, () => {
      process.off("beforeExit", onBeforeExit);
      process.off("exit", onExit);
    });
  }

  /** Calls `run` once: when the answered function is called, or after the time. */
  #within(timeMs: number, run: () => void): () => void {
    let isDone = false;
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      cancel();
      run();
    };
    const cancel = this.#clock.after(timeMs, finish, false);
    return finish;
  }

  #stop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#identity.isReported = false;
    this.#cancelTimer();
    for (const undo of this.#undo) undo();
    this.#undo = [];
  }
}

/** Undefined when the source can do it in one piece only. */
function collectOf(source: SnapshotSource): (() => Promise<MetricsSnapshot>) | undefined {
  // What they reported last: asking them too would be two waits in a row for the one that asks this process.
  if (source instanceof GatheredProcesses) return () => source.collect({ waitMs: 0 });
  return source.collect?.bind(source);
}

function* encoded(snapshot: MetricsSnapshot, { carriesBytes }: MessagePipe): Steps<Report["snapshot"]> {
  const bytes = yield* encodeInSteps(snapshot);
  return carriesBytes ? bytes : yield* textOf(bytes);
}

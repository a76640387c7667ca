import { channel } from "node:diagnostics_channel";
import { type Clock, messageOf } from "../base/index.js";
import type { Mode } from "./kinds.js";
import type { Site } from "./site.js";

/** Where a domain writes what happens to its locks. A logger that lacks a method is not asked for it, which costs one branch. */
export interface LockLogger {
  debug?(line: string, data: LockLogData): void;
  warn?(line: string, data: LockLogData): void;
}

/** Names of the `node:diagnostics_channel` channels; each message is a LockLogData. */
export const lockChannels = {
  acquired: "poundlock:locks:acquired",
  released: "poundlock:locks:released",
  contended: "poundlock:locks:contended",
  timeout: "poundlock:locks:timeout",
  finding: "poundlock:locks:finding",
  deadlock: "poundlock:locks:deadlock",
} as const;

/** Who does something to which lock; holds and waiters can be given as they are. */
export interface LockMoment {
  /** Of the instance, with its key. */
  readonly lock: string;
  readonly mode: Mode;
  /** Permits, when there are several. */
  readonly weight?: number | undefined;
  readonly task?: string | undefined;
  readonly site?: Site | undefined;
}

/** What a line says, as data. */
export interface LockLogData {
  readonly what:
    | "attempt"
    | "acquired"
    | "released"
    | "contended"
    | "timeout"
    | "foreign-release"
    | "hold-overdue"
    | "hold-lost"
    | "finding"
    | "deadlock"
    | "limit"
    | "logger-lock";
  readonly domain: string;
  /** Wall time. */
  readonly atMs: number;
  readonly lock?: string;
  readonly mode?: Mode;
  readonly weight?: number;
  readonly task?: string;
  /** Formatted when its frames are read. */
  readonly site?: Site;
  readonly waitedMs?: number;
  readonly heldMs?: number;
  readonly limitMs?: number;
  /** 0 is the next. */
  readonly position?: number;
  /** Tasks that hold the lock. */
  readonly holders?: readonly string[];
  readonly kind?: string;
  readonly message?: string;
}

type Detail = Omit<LockLogData, "what" | "domain" | "atMs" | keyof LockMoment>;

const channels = {
  acquired: channel(lockChannels.acquired),
  released: channel(lockChannels.released),
  contended: channel(lockChannels.contended),
  timeout: channel(lockChannels.timeout),
  finding: channel(lockChannels.finding),
  deadlock: channel(lockChannels.deadlock),
};
type Channel = (typeof channels)["acquired"];

/**
 * A domain's log lines and diagnostics events.
 *
 * - Each line begins with the wall time as `[seconds.millis]` and names domain, lock, mode and task.
 * - Costs a branch or two when nobody listens.
 * - A logger or subscriber may take locks of the same domain. Those that it takes while it is called are known from then on as its own
 *   and have no debug lines and no `acquired`, `released` and `contended` events, because each line would make the next one.
 * - What a logger throws does not reach the lock; it becomes one process warning.
 */
export class LockLog {
  readonly #domain: string;
  readonly #clock: Clock;
  readonly #logger: LockLogger;
  readonly #hasDebug: boolean;
  readonly #loggersLocks = new Set<string>();
  #isWriting = false;
  #hasWarned = false;

  constructor(options: { readonly domain: string; readonly clock: Clock; readonly logger?: LockLogger }) {
    this.#domain = options.domain;
    this.#clock = options.clock;
    this.#logger = options.logger ?? {};
    this.#hasDebug = this.#logger.debug !== undefined;
  }

  /** Whether `attempt` does anything. */
  get wantsAttempts(): boolean {
    return this.#hasDebug;
  }

  /** Whether `acquired` does anything; for callers that would make a moment only for it. As the next two. */
  get wantsAcquired(): boolean {
    return this.#hasDebug || channels.acquired.hasSubscribers;
  }

  get wantsReleased(): boolean {
    return this.#hasDebug || channels.released.hasSubscribers;
  }

  get wantsContended(): boolean {
    return channels.contended.hasSubscribers;
  }

  attempt(moment: LockMoment): void {
    if (!this.#hasDebug || this.#isOfTheLogger(moment)) return;
    this.#debug("attempt", `attempting ${nameOf(moment)}`, moment);
  }

  /** `waitedMs`: absent when it was had at once. */
  acquired(moment: LockMoment, waitedMs?: number): void {
    if (!this.wantsAcquired || this.#isOfTheLogger(moment)) return;
    const after = waitedMs === undefined ? "" : ` after ${msText(waitedMs)}`;
    const detail = waitedMs === undefined ? {} : { waitedMs };
    this.#debug("acquired", `acquired ${nameOf(moment)}${after}`, moment, detail, channels.acquired);
  }

  /** `heldMs`: absent when the hold was not timed. */
  released(moment: LockMoment, heldMs?: number): void {
    if (!this.wantsReleased || this.#isOfTheLogger(moment)) return;
    const after = heldMs === undefined ? "" : ` after ${msText(heldMs)}`;
    const detail = heldMs === undefined ? {} : { heldMs };
    this.#debug("released", `released ${nameOf(moment)}${after}`, moment, detail, channels.released);
  }

  /** It has to wait; an event only, since `attempt` without `acquired` says the same in a log. */
  contended(moment: LockMoment, position: number): void {
    if (!this.wantsContended || this.#isOfTheLogger(moment)) return;
    this.#guarded(() => publish(channels.contended, this.#data("contended", moment, { position })));
  }

  /** A waiter gave up. */
  timeout(
    moment: LockMoment,
    given: { readonly limitMs: number; readonly holders: readonly string[] },
  ): void {
    const { limitMs, holders } = given;
    const held = holders.length === 0 ? "" : `, held by ${holders.join(", ")}`;
    const text = `gave up waiting for ${nameOf(moment)} after ${msText(limitMs)}${held}${siteText(moment)}`;
    this.#warn("timeout", text, moment, given, channels.timeout);
  }

  /** Somebody released what it does not hold, or no longer holds. */
  foreignRelease(moment: LockMoment, state: string): void {
    const text = `refused the release of ${nameOf(moment)}: ${state}${siteText(moment)}`;
    this.#warn("foreign-release", text, moment, { message: state });
  }

  /** A hold is older than its limit; it is still exclusive. */
  holdOverdue(moment: LockMoment, given: { readonly heldMs: number; readonly limitMs: number }): void {
    const { heldMs, limitMs } = given;
    const text = `still holds ${nameOf(moment)} after ${msText(heldMs)}, limit ${msText(limitMs)}${siteText(moment)}`;
    this.#warn("hold-overdue", text, moment, given);
  }

  /** The only handle of a hold was collected: its lock stays locked. */
  holdLost(moment: LockMoment): void {
    const text = `lost the hold of ${nameOf(moment)}: it was collected before it was released, and nobody can release it now${siteText(moment)}`;
    this.#warn("hold-lost", text, moment, {});
  }

  /** A limit that adapts is another by half or more; `sentence` says why. */
  limitChanged(lock: string, sentence: string): void {
    if (!this.#hasDebug || this.#loggersLocks.has(lock)) return;
    const data: LockLogData = {
      what: "limit",
      domain: this.#domain,
      atMs: this.#clock.now(),
      lock,
      message: sentence,
    };
    this.#write("debug", data, `limit of ${lock} changed: ${sentence}`, undefined);
  }

  /** A possible deadlock or another mistake; `message` is one sentence. */
  finding(finding: { readonly kind: string; readonly message: string }, moment?: LockMoment): void {
    const { kind, message } = finding;
    this.#warn("finding", `${kind}: ${message}`, moment, { kind, message }, channels.finding);
  }

  /** A real deadlock, one of whose waiters is refused. */
  deadlock(message: string, moment?: LockMoment): void {
    this.#warn("deadlock", `deadlock: ${message}`, moment, { message }, channels.deadlock);
  }

  #isOfTheLogger(moment: LockMoment): boolean {
    if (this.#isWriting && !this.#loggersLocks.has(moment.lock)) {
      this.#loggersLocks.add(moment.lock);
      const message = `${moment.lock} is taken by the logger itself, so it has no debug lines`;
      // Said when the line under way is out, since this is inside of it.
      queueMicrotask(() => this.#warn("logger-lock", message, moment, { message }));
    }
    return this.#loggersLocks.has(moment.lock);
  }

  #debug(
    what: LockLogData["what"],
    text: string,
    moment: LockMoment,
    detail: Detail = {},
    to?: Channel,
  ): void {
    this.#write("debug", this.#data(what, moment, detail), text, to);
  }

  #warn(
    what: LockLogData["what"],
    text: string,
    moment: LockMoment | undefined,
    detail: Detail,
    to?: Channel,
  ): void {
    if (this.#logger.warn === undefined && !to?.hasSubscribers) return;
    this.#write("warn", this.#data(what, moment, detail), text, to);
  }

  #write(level: "debug" | "warn", data: LockLogData, text: string, to: Channel | undefined): void {
    this.#guarded(() => {
      const { task } = data;
      const line = `[${(data.atMs / 1000).toFixed(3)}] ${this.#domain}: ${task === undefined ? "" : `${task} `}${text}`;
      this.#logger[level]?.(line, data);
      if (to !== undefined) publish(to, data);
    });
  }

  /** A warning about what the logger itself does is left out too: it would come again with each line. */
  #guarded(write: () => void): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      write();
    } catch (error) {
      if (!this.#hasWarned)
        process.emitWarning(`The logger of the lock domain ${this.#domain} threw: ${messageOf(error)}`, {
          type: "PoundlockWarning",
          ...(error instanceof Error && error.stack !== undefined ? { detail: error.stack } : {}),
        });
      this.#hasWarned = true;
    } finally {
      this.#isWriting = false;
    }
  }

  #data(what: LockLogData["what"], moment: LockMoment | undefined, detail: Detail): LockLogData {
    const from = { what, domain: this.#domain, atMs: this.#clock.now() };
    if (moment === undefined) return { ...from, ...detail };
    const { lock, mode, weight, task, site } = moment;
    return {
      ...from,
      lock,
      mode,
      ...(weight === undefined ? {} : { weight }),
      ...(task === undefined ? {} : { task }),
      ...(site === undefined ? {} : { site }),
      ...detail,
    };
  }
}

function publish(to: Channel, data: LockLogData): void {
  if (to.hasSubscribers) to.publish(data);
}

function nameOf({ lock, mode, weight }: LockMoment): string {
  return `${lock} (${mode}${weight === undefined || weight === 1 ? "" : `, ${weight} permits`})`;
}

function siteText({ site }: LockMoment): string {
  return site === undefined ? "" : `, ${site.here}`;
}

function msText(ms: number): string {
  return `${ms.toFixed(3)} ms`;
}

import { type Clock, integerOption, OptionError, systemClock } from "../base/index.js";
import {
  assertSameClass,
  detections,
  levelOption,
  onFindings,
  positiveMs,
  wordOption,
} from "./class-options.js";
import { Condition } from "./condition.js";
import { type Discipline, fifo, inOrder, phaseFair, readersFirst } from "./discipline.js";
import { DomainState, type Finding } from "./domain-state.js";
import { type ReportingDomain, registerDomain } from "./domains.js";
import { HoldError, LockUnquietError, LockWoundedError } from "./errors.js";
import { reportAtExit } from "./exit-report.js";
import { Gate } from "./gate.js";
import { compareKeys, KeyedLock } from "./keyed-lock.js";
import type { Detection, LockClass, OnFinding } from "./kinds.js";
import { Latch } from "./latch.js";
import type { AdaptiveLimitOptions } from "./limits/adaptive-limit.js";
import { LockClassState } from "./lock-class.js";
import { LockCore } from "./lock-core.js";
import { LockLog, type LockLogger } from "./lock-log.js";
import type { Suppression } from "./order/index.js";
import { ReadWriteLock, readersMax } from "./read-write-lock.js";
import { reportText } from "./report/index.js";
import type { DomainReport } from "./report/report-data.js";
import { reportFromEnvironment } from "./signal-report.js";
import { takeReport } from "./take-report.js";
import { Transaction } from "./transaction.js";

/** Bounds of a limit that follows what waits were like, and how it does. */
export type AdaptiveOptions = Pick<
  AdaptiveLimitOptions,
  "floorMs" | "ceilingMs" | "margin" | "halfLifeMs" | "samplesMin" | "jitter"
>;

export interface LimitOptions {
  /** Longest wait for a lock, in milliseconds; Infinity for none. @default 30,000 */
  readonly waitMs?: number;
  /** A wait limit that follows what waits were like, between these; in milliseconds. @default none: `waitMs` holds */
  readonly adaptive?: AdaptiveOptions;
  /** A hold that lasts longer is warned of and its signal aborted; it stays a hold. In milliseconds. @default 60,000 */
  readonly holdWarnMs?: number;
}

export interface CheckOptions {
  /** @default "full" */
  readonly detection?: Detection;
  /** @default "throw" */
  readonly onFinding?: OnFinding;
}

export interface DomainOptions extends LimitOptions, CheckOptions {
  /** For logs and reports. @default "locks" */
  readonly name?: string;
  /** Names of tiers, lowest first, that locks may be given as their level. */
  readonly tiers?: readonly string[];
  /** Cycles that are known and right; each says why. Those that nothing matches are in the report. */
  readonly allow?: readonly Suppression[];
  readonly logger?: LockLogger;
  /**
   * Whether the process's end with locks that are still held or waited for, and nothing left to do that could release them, is reported on
   * stderr, with exit code 1 instead of 0. @default true
   */
  readonly reportAtExit?: boolean;
  /** @default the system's */
  readonly clock?: Clock;
}

export interface LockOptions extends LimitOptions, CheckOptions {
  /** Acquisitions must go upwards: a number, or one of the domain's tiers. */
  readonly level?: number | string;
  /** Whether what runs below a hold may take the lock again; its children then take turns. Mutexes only. @default false */
  readonly reentrant?: boolean;
}

export interface ReadWriteOptions extends LockOptions {
  /** `readers`: they come in even past a waiting writer. @default "nobody" (phases) */
  readonly prefer?: "nobody" | "readers";
}

export interface SemaphoreOptions extends LockOptions {
  /** How many that fit may overtake one at the head of the line that doesn't, before nobody may. @default 0 */
  readonly overtakingMax?: number;
}

export interface KeyedOptions<Key> extends LockOptions {
  /** Order of keys in which one caller may take several one by one: below 0 when `held` comes before `wanted`. @default by value */
  readonly compare?: (held: Key, wanted: Key) => number;
}

const waitMsDefault = 30_000;
const holdWarnMsDefault = 60_000;
const sweepMsMax = 1_000;

/**
 * Makes locks and sees how they are used together. Locks of one name are one class: what is learnt about one is true of all.
 * Use `LockDomain.shared` unless a test needs one of its own: locks of two domains know nothing of each other.
 */
export class LockDomain implements ReportingDomain {
  readonly #state: DomainState;
  readonly #options: DomainOptions;
  readonly #classes = new Map<string, LockClassState>();
  #transactions = 0;

  constructor(options: DomainOptions = {}) {
    this.#options = options;
    const clock = options.clock ?? systemClock;
    const name = options.name ?? "locks";
    const holdWarnMs = positiveMs("holdWarnMs", options.holdWarnMs, holdWarnMsDefault);
    this.#state = new DomainState({
      name,
      clock,
      log: new LockLog({
        clock,
        domain: name,
        ...(options.logger === undefined ? {} : { logger: options.logger }),
      }),
      sweepMs: Math.min(sweepMsMax, Math.max(1, holdWarnMs / 4)),
    });
    for (const suppression of options.allow ?? []) this.#state.order.allow(suppression);
    this.#state.owner = this;
    registerDomain(this);
    if (this.reportsAtExit) reportAtExit();
    reportFromEnvironment();
  }

  /** The process's own domain; several copies of this package in one process share it. */
  static get shared(): LockDomain {
    const place = globalThis as { [sharedKey]?: LockDomain };
    return (place[sharedKey] ??= new LockDomain({ name: "shared" }));
  }

  get name(): string {
    return this.#state.name;
  }

  /** One holder at a time, first come, first served. */
  mutex(name: string, options: LockOptions = {}): Gate {
    return new Gate(this.#core({ kind: "mutex", name, options, discipline: inOrder }), "exclusive", 1);
  }

  /** Many readers or one writer. */
  readWriteLock(name: string, options: ReadWriteOptions = {}): ReadWriteLock {
    const prefersReaders = options.prefer === "readers";
    const discipline = prefersReaders ? readersFirst : phaseFair;
    return new ReadWriteLock(this.#core({ kind: "read-write", name, options, discipline, prefersReaders }));
  }

  /** @param permits how many may hold it at once, 1..1,000,000 */
  semaphore(name: string, permits: number, options: SemaphoreOptions = {}): Gate {
    const checked = integerOption("permits", permits ?? Number.NaN, {
      default: 1,
      min: 1,
      max: 1_000_000,
    });
    const overtakingMax = integerOption("overtakingMax", options.overtakingMax, {
      default: 0,
      min: 0,
      max: 1_000_000,
    });
    const discipline = fifo(overtakingMax);
    return new Gate(
      this.#core({ kind: "semaphore", name, options, discipline, permits: checked }),
      "exclusive",
      1,
    );
  }

  /** A mutex for each key. */
  keyed<Key extends string | number>(name: string, options: KeyedOptions<Key> = {}): KeyedLock<Key> {
    return new KeyedLock<Key>(this.#state, this.#class({ kind: "mutex", name, options, isKeyed: true }));
  }

  /** A condition of the mutex, which must be a lock that one at a time holds. */
  condition(mutex: Gate): Condition {
    const { kind } = mutex.core.lockClass;
    if (kind !== "mutex")
      throw new OptionError(
        "mutex",
        `Cannot make a condition of ${mutex.name}: it is a ${kind} lock, not a mutex`,
      );
    return new Condition(mutex.core);
  }

  /** Closed until it is opened; `detection` below "full" means none. */
  latch(name: string, options: LockOptions = {}): Latch {
    const quiet = { ...options, detection: this.#detection(options) === "full" ? "full" : "off" } as const;
    return new Latch(
      this.#core({ kind: "read-write", name, options: quiet, discipline: phaseFair, isLatch: true }),
    );
  }

  /** Gives what the body does a name in reports and logs. */
  task<T>(name: string, body: () => T): T {
    const { frames } = this.#state;
    return frames.run(this.#state.frame(frames.current(), { task: name }), body, undefined);
  }

  /** For work that is begun and not awaited: it does not inherit what the caller holds. */
  detached<T>(body: () => T): T {
    return this.#state.frames.run(undefined, body, undefined);
  }

  /**
   * Runs a body that may be started again, which needs locks in an order that can't be known before: of two that stand in each other's way
   * the younger one is sent back (LOCK_WOUNDED) and tries again until it is the oldest. The order of acquisition is not judged inside.
   */
  async transaction<T>(body: () => T | PromiseLike<T>): Promise<T> {
    const { frames } = this.#state;
    const outer = frames.current();
    if (outer?.transaction !== undefined) return await body();
    const transaction = new Transaction((this.#transactions += 1));
    for (;;) {
      try {
        const result = await frames.run(this.#state.frame(outer, { transaction }), body, undefined);
        if (!transaction.mustRestart) return result;
        throw new HoldError(
          "Cannot end the transaction: it was told to start again (LOCK_WOUNDED) and went on",
          {
            hint: "let LOCK_WOUNDED pass through",
          },
        );
      } catch (error) {
        if (!(error instanceof LockWoundedError) || !transaction.mustRestart) throw error;
        transaction.restart();
      }
    }
  }

  /**
   * For functions that rely on their caller's lock. Sees what is held by `run`, and nothing with `detection: "off"`.
   * @throws HoldError (LOCK_HOLD) unless the caller holds it
   */
  assertHeld(lock: Gate | ReadWriteLock): void;
  assertHeld<Key extends string | number>(lock: KeyedLock<Key>, key: Key): void;
  assertHeld<Key extends string | number>(lock: Gate | ReadWriteLock | KeyedLock<Key>, key?: Key): void {
    const core = coreOf(lock, key);
    for (let frame = this.#state.frames.current(); frame !== undefined; frame = frame.parent)
      if (frame.hold !== undefined && frame.hold.core === core && !frame.hold.isReleased) return;
    const label = key === undefined ? lock.name : `${lock.name}[${key}]`;
    throw new HoldError(`Cannot go on: ${label} should be held here, and is not`);
  }

  /**
   * For the end of a test or a suite: nothing was found but what can't hang, nothing is held or waited for, and each suppression was needed.
   * @throws LockUnquietError (LOCK_UNQUIET) with the report
   */
  assertQuiet(): void {
    const report = this.report();
    const isQuiet =
      report.findings.every(({ kind }) => kind === "note") &&
      !this.isInUse &&
      report.suppressionsUnused.length === 0;
    if (!isQuiet) throw new LockUnquietError(this.name, reportText(report, { columns: 100 }));
  }

  /** What was found so far, oldest first. */
  get findings(): readonly Finding[] {
    return this.#state.findings;
  }

  /** Whether a lock is held or waited for. */
  get isInUse(): boolean {
    return this.#state.isInUse;
  }

  get reportsAtExit(): boolean {
    return this.#options.reportAtExit ?? true;
  }

  /** Stops what limits that adapt learn and forget, and their jitter, for the classes there are: for tests that need the same limit twice. */
  freezeLimits(): void {
    for (const { limits } of this.#classes.values()) {
      limits?.exclusive.freeze();
      limits?.shared.freeze();
    }
  }

  /** What the domain looks like now, as plain data; `reportText` writes it for a person. */
  report(): DomainReport {
    return takeReport(this.#state, [...this.#classes.values()], this.#options.detection ?? "full");
  }

  #core(given: Given & { readonly discipline: Discipline }): LockCore {
    const lockClass = this.#class(given);
    return new LockCore({
      domain: this.#state,
      lockClass,
      permits: corePermits(given),
      discipline: given.discipline,
    });
  }

  #class(given: Given): LockClassState {
    const { name, kind, options, isKeyed } = given;
    if (typeof name !== "string" || name === "")
      throw new OptionError(
        "name",
        `Cannot make a lock named ${String(name)}: expected a text that is not empty`,
      );
    const known = this.#classes.get(name);
    const permits = given.permits ?? 1;
    const isReaderPreferring = given.prefersReaders ?? false;
    const level = levelOption(options.level, this.#options.tiers);
    if (known !== undefined) {
      const isAlike =
        known.kind === kind &&
        known.isReaderPreferring === isReaderPreferring &&
        known.isLatch === (given.isLatch ?? false) &&
        (known.compare !== undefined) === (isKeyed ?? false);
      if (!isAlike || known.permits !== permits)
        throw new OptionError(
          "name",
          isAlike
            ? `Cannot make "${name}" with ${permits} permits: the domain has one of that name with ${known.permits}`
            : `Cannot make "${name}" as ${isKeyed ? "keyed" : given.isLatch ? "latch" : kind}: the domain has another kind of that name`,
        );
      const { waitMs, holdWarnMs, reentrant: isReentrant, detection, onFinding } = options;
      assertSameClass(known, { level, waitMs, holdWarnMs, isReentrant, detection, onFinding });
      this.#state.another(known);
      return known;
    }
    const about = {
      name,
      kind,
      permits,
      isReaderPreferring,
      level,
      levelName: typeof options.level === "string" ? options.level : undefined,
      compare: isKeyed ? compareOf(options) : undefined,
      isLatch: given.isLatch ?? false,
    };
    const made = new LockClassState(this.#classes.size, about, {
      detection: this.#detection(options),
      onFinding: wordOption("onFinding", options.onFinding ?? this.#options.onFinding, onFindings, "throw"),
      waitMs: positiveMs("waitMs", options.waitMs ?? this.#options.waitMs, waitMsDefault),
      adaptive: this.#adaptive(name, options.adaptive ?? this.#options.adaptive),
      holdWarnMs: positiveMs("holdWarnMs", options.holdWarnMs ?? this.#options.holdWarnMs, holdWarnMsDefault),
      isReentrant: options.reentrant ?? false,
    });
    this.#classes.set(name, made);
    return made;
  }

  #adaptive(lock: string, options: AdaptiveOptions | undefined): AdaptiveLimitOptions | undefined {
    if (options === undefined) return undefined;
    const { clock, log } = this.#state;
    return { ...options, clock, onChange: ({ sentence }) => log.limitChanged(lock, sentence) };
  }

  #detection(options: CheckOptions): Detection {
    return wordOption("detection", options.detection ?? this.#options.detection, detections, "full");
  }
}

const sharedKey: unique symbol = Symbol.for("poundlock.locks.domain.1") as never;

interface Given {
  readonly kind: LockClass["kind"];
  readonly name: string;
  readonly options: LockOptions & { readonly compare?: unknown };
  readonly permits?: number;
  readonly prefersReaders?: boolean;
  readonly isKeyed?: boolean;
  readonly isLatch?: boolean;
}

function corePermits({ kind, permits }: Given): number {
  return kind === "read-write" ? readersMax : (permits ?? 1);
}

function coreOf<Key extends string | number>(
  lock: Gate | ReadWriteLock | KeyedLock<Key>,
  key: Key | undefined,
): LockCore | undefined {
  if (lock instanceof Gate) return lock.core;
  if (lock instanceof ReadWriteLock) return lock.write.core;
  return key === undefined ? undefined : lock.coreOf(key);
}

function compareOf(options: { readonly compare?: unknown }): NonNullable<LockClass["compare"]> {
  const compare = options.compare as LockClass["compare"];
  return compare ?? ((held, wanted) => compareKeys(held as string, wanted as string));
}

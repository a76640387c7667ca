import type { ClassMetricsSnapshot } from "../class-metrics.js";
import type { Detection, LockClass, Mode } from "../kinds.js";
import type { LimitExplanation } from "../limits/limit-explanation.js";

/** What a domain looked like at one moment, as plain data: what `poundlock locks --json` prints under `poundlock.locks/1`. */
export interface DomainReport {
  readonly domain: string;
  readonly detection: Detection;
  readonly pid: number;
  /** Wall time. */
  readonly takenAtMs: number;
  /** Locks that are held or waited for. */
  readonly locks: readonly LockReport[];
  readonly classes: readonly ClassReport[];
  readonly findings: readonly FindingReport[];
  /** Findings beyond those that were kept. */
  readonly findingsDropped?: number;
  /** Suppressions that nothing has matched so far. */
  readonly suppressionsUnused: readonly SuppressionReport[];
  /** The order graph as its module exports it, for `poundlock locks merge`. */
  readonly order?: unknown;
}

export interface LockReport {
  /** Of the instance: the class's name, and the key of a keyed lock. */
  readonly name: string;
  readonly class: string;
  /** A closed latch has one holder, which stands for whoever will open it. */
  readonly kind: LockClass["kind"] | "latch";
  /** Of a semaphore. */
  readonly permits: number;
  readonly level?: number;
  /** Its tier, where levels have names. */
  readonly levelName?: string;
  /** A read-write lock whose readers go past a waiting writer. */
  readonly isReaderPreferring?: boolean;
  readonly holders: readonly HolderReport[];
  /** In the order of the queue. */
  readonly waiters: readonly WaiterReport[];
}

interface PartyReport {
  /** Name of the task for a person; several tasks may have the same. */
  readonly task: string;
  readonly mode: Mode;
  /** Permits of a semaphore; says nothing for other kinds. */
  readonly weight: number;
  /** `at …` lines, innermost first; empty when no site was taken. */
  readonly frames: readonly string[];
  /** How long it has held or waited; absent when it was not timed. */
  readonly ageMs?: number;
  /** It was not timed from its beginning, so it has held or waited for longer than `ageMs`. */
  readonly isAgeAtLeast?: boolean;
}

export interface HolderReport extends PartyReport {
  /** Its own within the report. */
  readonly id: number;
  /** It has held for longer than its hold limit. */
  readonly isOverdue?: boolean;
}

export interface WaiterReport extends PartyReport {
  /** Ids of the holds that will not be released while this waits, because it is below them. */
  readonly holding: readonly number[];
  /** 0 is the next. */
  readonly position: number;
  /** When it gives up, counted from when it began to wait; absent when it waits for ever. */
  readonly limitMs?: number;
}

export interface ClassReport {
  readonly name: string;
  readonly kind: LockClass["kind"];
  readonly permits: number;
  readonly level?: number;
  readonly metrics: ClassMetricsSnapshot;
  /** How long a waiter who joins now would wait, where that adapts; `shared` for read-write locks alone. */
  readonly limits?: { readonly exclusive: LimitExplanation; readonly shared?: LimitExplanation };
}

/** A mistake that was seen, whether it hung anybody or not. */
export interface FindingReport {
  /** `level`, `order`, `deadlock`, `stall`, … */
  readonly kind: string;
  /** The lock or class that was asked for. */
  readonly lock: string;
  /** What is wrong in the first line, who did what where in those after it. */
  readonly message: string;
}

export interface SuppressionReport {
  /** Classes of the cycle that was allowed. */
  readonly cycle: readonly string[];
  readonly reason: string;
}

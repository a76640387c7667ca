import type { ClassMetricsSnapshot } from "../class-metrics.js";
import type { Detection, LockClass, Mode } from "../kinds.js";

/** What a domain looked like at one moment, as plain data: what `poundlock locks --json` prints under `poundlock.locks/1`. */
export interface DomainReport {
  readonly domain: string;
  readonly detection: Detection;
  readonly pid: number;
  /** Wall time. */
  readonly takenAtMs: number;
  /** Locks that are held or waited for; idle ones are only counted. */
  readonly locks: readonly LockReport[];
  readonly idleLocks: number;
  readonly classes: readonly ClassReport[];
  readonly findings: readonly FindingReport[];
  /** Suppressions that nothing has matched so far. */
  readonly suppressionsUnused: readonly SuppressionReport[];
  /** The order graph as its module exports it, for `poundlock locks merge`. */
  readonly order?: unknown;
}

export interface LockReport {
  /** Of the instance: the class's name, and the key of a keyed lock. */
  readonly name: string;
  readonly class: string;
  readonly kind: LockClass["kind"];
  readonly permits: number;
  readonly level?: number;
  readonly holders: readonly HolderReport[];
  /** In the order of the queue. */
  readonly waiters: readonly WaiterReport[];
}

interface PartyReport {
  /** Name of the task for a person; several tasks may have the same. */
  readonly task: string;
  /** Tells tasks of one domain apart: whoever holds one lock and waits for another has the same in both places. */
  readonly taskId: number;
  readonly mode: Mode;
  /** Permits; 1 but for semaphores. */
  readonly weight: number;
  /** `at …` lines, innermost first; empty when no site was taken. */
  readonly frames: readonly string[];
  /** How long it has held or waited; absent when it was not timed. */
  readonly ageMs?: number;
}

export interface HolderReport extends PartyReport {
  /** It has held for longer than its hold limit. */
  readonly isOverdue?: boolean;
}

export interface WaiterReport extends PartyReport {
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
}

/** A possible or real mistake that was seen. */
export interface FindingReport {
  /** `level`, `order`, `self-deadlock`, `deadlock`, … */
  readonly kind: string;
  /** `certain`: it will hang; `feasible`: it can; `stall`: it can, and a limit would end it; `gated`: an outer lock prevents it. */
  readonly severity: "certain" | "feasible" | "stall" | "gated";
  /** One sentence that names the classes in their order. */
  readonly message: string;
  /** Wall time when it was first seen. */
  readonly firstSeenMs: number;
  readonly times: number;
  /** One for each edge: who took `wanted` while it held `held`. */
  readonly steps: readonly FindingStep[];
}

export interface FindingStep {
  readonly held: string;
  readonly heldMode?: Mode;
  readonly heldAt: readonly string[];
  readonly wanted: string;
  readonly wantedMode?: Mode;
  readonly wantedAt: readonly string[];
  readonly task?: string;
}

export interface SuppressionReport {
  /** Classes of the cycle that was allowed. */
  readonly cycle: readonly string[];
  readonly reason: string;
}

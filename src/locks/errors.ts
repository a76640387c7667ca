import { PoundlockError } from "../base/index.js";
import type { Site } from "./site.js";

/** The wait for a lock took longer than its limit. Nothing was acquired. */
export class LockTimeoutError extends PoundlockError {
  readonly code = "LOCK_TIMEOUT";
  override readonly retryable = true;
  readonly lock: string;
  readonly waitMs: number;

  constructor(lock: string, waitMs: number, holders: readonly string[]) {
    const held = holders.length === 0 ? "" : `; held by ${holders.join(", ")}`;
    super(`Cannot acquire ${lock}: waited ${Math.round(waitMs)} ms${held}`, {
      hint: "release what is held, and try again or give up",
    });
    this.lock = lock;
    this.waitMs = waitMs;
  }
}

/** Granting this acquisition could never happen: each of the cycle waits for the next. This one was chosen to give way. */
export class LockDeadlockError extends PoundlockError {
  readonly code = "LOCK_DEADLOCK";
  /** `task holds X, waits for Y`, one line for each task in the cycle. */
  readonly cycle: readonly string[];

  constructor(lock: string, cycle: readonly string[]) {
    super(`Cannot acquire ${lock}: deadlock\n${cycle.map((line) => `  ${line}`).join("\n")}`);
    this.cycle = cycle;
  }
}

/** The caller holds what it asks for, so it would wait for itself. */
export class SelfDeadlockError extends PoundlockError {
  readonly code = "LOCK_SELF_DEADLOCK";

  constructor(lock: string, what: string, held: Site | undefined, wanted: Site) {
    super(`Cannot acquire ${lock}: ${what}\n  held    ${placeOf(held)}\n  wanted  ${wanted.here}`, {
      hint: "call the inner part outside of it, or make a mutex with `reentrant: true`",
    });
  }
}

/** Levels must be acquired upwards. */
export class LockLevelError extends PoundlockError {
  readonly code = "LOCK_LEVEL";

  constructor(lock: string, level: string, held: string, sites: { held: Site | undefined; wanted: Site }) {
    super(
      `Cannot acquire ${lock} (level ${level}): ${held} is held, and levels are acquired upwards\n` +
        `  held    ${placeOf(sites.held)}\n  wanted  ${sites.wanted.here}`,
    );
  }
}

/** The order of acquisition contradicts one that was seen before: some interleaving of the two deadlocks. */
export class LockOrderError extends PoundlockError {
  readonly code = "LOCK_ORDER";
}

/** An older transaction wants what this one holds: it must release everything and start again, which `transaction` does. */
export class LockWoundedError extends PoundlockError {
  readonly code = "LOCK_WOUNDED";
  override readonly retryable = true;

  constructor(lock: string) {
    super(`Cannot go on with ${lock}: an older transaction needs it, this one starts again`);
  }
}

/** A hold was used for what it is not: released is released, and a hold of another lock is no help. */
export class HoldError extends PoundlockError {
  readonly code = "LOCK_HOLD";
}

/** A domain should have nothing to report, and has. */
export class LockUnquietError extends PoundlockError {
  readonly code = "LOCK_UNQUIET";
  /** Lines for a person. */
  readonly report: readonly string[];

  constructor(domain: string, report: readonly string[]) {
    super(
      `Cannot call the locks of ${domain} quiet: something was found, left locked, or allowed for nothing\n${report.join("\n")}`,
    );
    this.report = report;
  }
}

/** Reports on a signal can't be had: no folder to write to, or a thread that gets no signals. */
export class LockReportError extends PoundlockError {
  readonly code = "LOCK_REPORT";
}

function placeOf(site: Site | undefined): string {
  return site?.here ?? "at an unknown place";
}

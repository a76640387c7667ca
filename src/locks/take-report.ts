import { siteOf } from "./checks.js";
import type { DomainState } from "./domain-state.js";
import { heldIn, taskOf } from "./frame.js";
import type { Detection } from "./kinds.js";
import type { LockClassState } from "./lock-class.js";
import type { HeldPart, LockPart } from "./parts.js";
import type {
  ClassReport,
  DomainReport,
  HolderReport,
  LockReport,
  WaiterReport,
} from "./report/report-data.js";

/** What the domain looks like now, as plain data. */
export function takeReport(
  state: DomainState,
  classes: readonly LockClassState[],
  detection: Detection,
): DomainReport {
  const nowMs = state.clock.monotonicMs();
  const ids = new Map<HeldPart, number>();
  const idOf = (hold: HeldPart): number => {
    if (!ids.has(hold)) ids.set(hold, ids.size + 1);
    return ids.get(hold) ?? 0;
  };
  const locks: LockReport[] = [];
  for (let core = state.firstCore; core !== undefined; core = core.next)
    locks.push(lockReport(core, idOf, nowMs));
  return {
    domain: state.name,
    detection,
    pid: process.pid,
    takenAtMs: state.clock.now(),
    locks: locks.reverse(),
    classes: classes.map(({ name, kind, permits, level, metrics, limits }) => ({
      name,
      kind,
      permits,
      ...(level === undefined ? {} : { level }),
      metrics: metrics.snapshot(),
      ...(limits === undefined ? {} : { limits: limitsReport(kind, limits) }),
    })),
    findings: state.findings,
    findingsDropped: state.findingsDropped,
    suppressionsUnused: state.order.unusedSuppressions(),
    order: state.order.export(),
  };
}

function limitsReport(
  kind: LockClassState["kind"],
  { exclusive, shared }: NonNullable<LockClassState["limits"]>,
): NonNullable<ClassReport["limits"]> {
  if (kind !== "read-write") return { exclusive: exclusive.explain() };
  return { exclusive: exclusive.explain(), shared: shared.explain() };
}

function lockReport(core: LockPart, idOf: (hold: HeldPart) => number, nowMs: number): LockReport {
  const { lockClass, permits } = core;
  const holders: HolderReport[] = [];
  for (let hold = core.firstHold; hold !== undefined; hold = hold.next) {
    holders.push({
      id: idOf(hold),
      task: taskOf(hold.outer),
      mode: hold.mode,
      weight: hold.weight,
      frames: siteOf(hold)?.frames ?? [],
      ...ageOf(hold, nowMs),
      isOverdue: hold.isOverdue,
    });
  }
  const waiters: WaiterReport[] = [];
  for (let waiter = core.queue.head; waiter !== undefined; waiter = waiter.behind)
    waiters.push({
      task: taskOf(waiter.frame),
      mode: waiter.mode,
      weight: waiter.weight,
      frames: waiter.site?.frames ?? [],
      ...ageOf(waiter, nowMs),
      ...(Number.isFinite(waiter.limitMs) && waiter.limitMs > 0 ? { limitMs: waiter.limitMs } : {}),
      holding: heldIn(waiter.frame).map(idOf),
      position: waiters.length,
    });
  return {
    name: core.label,
    class: lockClass.name,
    kind: lockClass.isLatch ? "latch" : lockClass.kind,
    permits: lockClass.kind === "read-write" ? 1 : permits,
    ...(lockClass.level === undefined ? {} : { level: lockClass.level }),
    ...(lockClass.levelName === undefined ? {} : { levelName: lockClass.levelName }),
    ...(lockClass.isReaderPreferring ? { isReaderPreferring: true } : {}),
    holders: holders.reverse(),
    waiters,
  };
}

/** At least so long: who was not timed from the start counts from when somebody first looked. */
function ageOf(
  part: { readonly sinceMs: number | undefined; readonly seenMs: number | undefined },
  nowMs: number,
): { readonly ageMs?: number; readonly isAgeAtLeast?: true } {
  const { sinceMs, seenMs } = part;
  if (sinceMs !== undefined) return { ageMs: nowMs - sinceMs };
  return seenMs === undefined ? {} : { ageMs: nowMs - seenMs, isAgeAtLeast: true };
}

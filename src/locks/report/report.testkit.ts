import { ClassMetrics } from "../class-metrics.js";
import type { DomainReport, HolderReport, LockReport, WaiterReport } from "./report-data.js";

/** A report of locks of one kind each, with what a test says about them. */
export function reportOf(locks: readonly LockReport[], rest: Partial<DomainReport> = {}): DomainReport {
  return {
    domain: "main",
    detection: "full",
    pid: 4711,
    takenAtMs: Date.UTC(2026, 10, 21, 16, 0, 0),
    locks,
    classes: [],
    findings: [],
    suppressionsUnused: [],
    ...rest,
  };
}

export function lockOf(name: string, rest: Partial<LockReport> = {}): LockReport {
  return { name, class: name, kind: "mutex", permits: 1, holders: [], waiters: [], ...rest };
}

export function holderOf(id: number, task: string, rest: Partial<HolderReport> = {}): HolderReport {
  return { id, task, mode: "exclusive", weight: 1, frames: [], ...rest };
}

export function waiterOf(
  task: string,
  holding: readonly number[],
  rest: Partial<WaiterReport> = {},
): WaiterReport {
  return { task, holding, mode: "exclusive", weight: 1, frames: [], position: 0, ...rest };
}

/** Two orders in opposite directions, a third task behind them, and a fourth that waits for one that runs. */
export function deadlockReport(): DomainReport {
  const metrics = new ClassMetrics();
  metrics.acquisitions = 1200;
  metrics.contended = 300;
  metrics.timeouts = 2;
  for (let ms = 1; ms <= 300; ms += 1) metrics.recordWait(ms);
  metrics.recordHold(0.25);
  const at = (line: number): string[] => [
    `at Orders.settle (file:///srv/shop/src/orders.js:${line}:7)`,
    "at async handle (file:///srv/shop/src/a/rather/deep/folder/with/a/long/name/request-handler.js:9:3)",
  ];
  return reportOf(
    [
      lockOf("stock", {
        level: 10,
        holders: [holderOf(1, "order#4", { ageMs: 12_500, frames: at(10) })],
        waiters: [
          waiterOf("order#5", [2], { ageMs: 12_100, limitMs: 30_000, frames: at(31) }),
          waiterOf("order#6", [], { ageMs: 900, limitMs: 30_000, position: 1 }),
        ],
      }),
      lockOf('account["7"]', {
        class: "account",
        holders: [holderOf(2, "order#5", { ageMs: 12_400, frames: at(30), isOverdue: true })],
        waiters: [waiterOf("order#4", [1], { ageMs: 12_300, limitMs: 30_000, frames: at(11) })],
      }),
      lockOf("slots", {
        kind: "semaphore",
        permits: 4,
        holders: [holderOf(3, "upload", { weight: 3 })],
        waiters: [waiterOf("upload", [], { weight: 2, ageMs: 42 })],
      }),
    ],
    {
      classes: [{ name: "stock", kind: "mutex", permits: 1, metrics: metrics.snapshot() }],
      findings: [
        {
          kind: "order",
          lock: "stock",
          message:
            "Locks are taken in opposite orders, which can deadlock: stock → account → stock\n  order#4 held stock, taken at Orders.settle (file:///srv/shop/src/orders.js:10:7)\n    and wanted account\n      at Orders.settle (file:///srv/shop/src/orders.js:11:7)",
        },
      ],
      suppressionsUnused: [{ cycle: ["cache", "log"], reason: "the log is flushed at exit only" }],
    },
  );
}

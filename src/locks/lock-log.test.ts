import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { LockLog, type LockLogData, type LockLogger, type LockMoment, lockChannels } from "./lock-log.js";
import { Site } from "./site.js";

const moment: LockMoment = { lock: "cache", mode: "exclusive", task: "refresh#4" };

function logTo(logger: LockLogger): LockLog {
  return new LockLog({ domain: "main", clock: new ManualClock(1_763_740_830_123), logger });
}

function recorder(): { readonly logger: LockLogger; readonly lines: string[]; readonly data: LockLogData[] } {
  const lines: string[] = [];
  const data: LockLogData[] = [];
  const write = (level: string) => (line: string, one: LockLogData) => {
    lines.push(`${level} ${line}`);
    data.push(one);
  };
  return { logger: { debug: write("DEBUG"), warn: write("WARN") }, lines, data };
}

test("LockLog says attempt, acquired and released at debug with time and context", () => {
  const { logger, lines, data } = recorder();
  const log = logTo(logger);

  log.attempt(moment);
  log.acquired(moment, 12.5);
  log.released(moment, 0.25);
  log.acquired({ lock: "slots", mode: "shared", weight: 3 });

  assert.deepEqual(lines, [
    "DEBUG [1763740830.123] main: refresh#4 attempting cache (exclusive)",
    "DEBUG [1763740830.123] main: refresh#4 acquired cache (exclusive) after 12.500 ms",
    "DEBUG [1763740830.123] main: refresh#4 released cache (exclusive) after 0.250 ms",
    "DEBUG [1763740830.123] main: acquired slots (shared, 3 permits)",
  ]);
  assert.deepEqual(data[1], {
    what: "acquired",
    domain: "main",
    atMs: 1_763_740_830_123,
    ...moment,
    waitedMs: 12.5,
  });
});

test("LockLog warns of timeouts, foreign releases, overdue holds, findings and deadlocks", () => {
  const { logger, lines, data } = recorder();
  const log = logTo(logger);
  const site = new Site(recorder);

  log.timeout({ ...moment, site }, { limitMs: 30_000, holders: ["write#1", "write#2"] });
  log.foreignRelease(moment, "it was released before");
  log.holdOverdue(moment, { heldMs: 61_000, limitMs: 60_000 });
  log.finding({ kind: "order", message: "a → b → a" });
  log.deadlock("a and b wait for each other", moment);

  const at = "[1763740830.123] main:";
  assert.deepEqual(lines, [
    `WARN ${at} refresh#4 gave up waiting for cache (exclusive) after 30000.000 ms, held by write#1, write#2, ${site.here}`,
    `WARN ${at} refresh#4 refused the release of cache (exclusive): it was released before`,
    `WARN ${at} refresh#4 still holds cache (exclusive) after 61000.000 ms, limit 60000.000 ms`,
    `WARN ${at} order: a → b → a`,
    `WARN ${at} refresh#4 deadlock: a and b wait for each other`,
  ]);
  assert.equal(data[0]?.site, site);
  assert.deepEqual(data[0]?.holders, ["write#1", "write#2"]);
});

test("LockLog reads no clock and makes no line when nobody listens", () => {
  const clock = new ManualClock(0);
  clock.now = () => assert.fail("read the clock");
  const log = new LockLog({ domain: "main", clock });

  assert.deepEqual(
    [log.wantsAttempts, log.wantsAcquired, log.wantsReleased, log.wantsContended],
    [false, false, false, false],
  );
  log.attempt(moment);
  log.acquired(moment);
  log.released(moment);
  log.contended(moment, 0);
  log.timeout(moment, { limitMs: 1, holders: [] });
  log.finding({ kind: "order", message: "a → b → a" });
  log.deadlock("a → b → a");
});

test("LockLog publishes diagnostics events while there are subscribers", () => {
  const log = logTo({});
  const seen: unknown[] = [];
  const listen = (message: unknown, name: string | symbol): void => {
    seen.push([name, (message as LockLogData).what, (message as LockLogData).lock]);
  };
  for (const name of Object.values(lockChannels)) subscribe(name, listen);

  log.attempt(moment);
  log.contended(moment, 2);
  log.acquired(moment, 1);
  log.released(moment);
  log.timeout(moment, { limitMs: 1, holders: [] });
  log.finding({ kind: "order", message: "a → b → a" }, moment);
  log.deadlock("a → b → a", moment);
  for (const name of Object.values(lockChannels)) unsubscribe(name, listen);
  log.acquired(moment);

  assert.deepEqual(
    seen,
    ["contended", "acquired", "released", "timeout", "finding", "deadlock"].map((what) => [
      `poundlock:locks:${what}`,
      what,
      "cache",
    ]),
  );
});

test("LockLog does not follow a logger that takes a lock of its own, now or later", async () => {
  const lines: string[] = [];
  const file: LockMoment = { lock: "log file", mode: "exclusive" };
  const later: Promise<void>[] = [];
  const log = logTo({
    debug: (line) => {
      lines.push(line);
      log.attempt(file);
      log.acquired(file);
      // As a logger would that writes asynchronously and then lets go.
      later.push(Promise.resolve().then(() => log.released(file)));
    },
    warn: (line) => {
      lines.push(line);
    },
  });

  log.acquired(moment);
  for (let i = 0; i < later.length; i += 1) await later[i];
  log.released(moment);

  assert.deepEqual(
    lines.map((line) => line.replace(/^\S+ main: /, "")),
    [
      "refresh#4 acquired cache (exclusive)",
      "log file is taken by the logger itself, so it has no debug lines",
      "refresh#4 released cache (exclusive)",
    ],
  );
});

test("LockLog lets no error of its logger reach the lock, and says it once", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => {
    if (warning.message === "The logger of the lock domain main threw: disk full") warnings.push(warning);
  };
  process.on("warning", onWarning);
  const log = logTo({
    debug: () => {
      throw new RangeError("disk full");
    },
  });

  log.acquired(moment);
  log.released(moment);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);

  assert.equal(warnings.length, 1);
});

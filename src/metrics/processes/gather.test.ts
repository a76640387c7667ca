import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { eventsOf, numberBy, sizesOf, Tally } from "../../../test/kit/tally.js";
import { until } from "../../../test/kit/until.js";
import { ManualClock, type Notice } from "../../base/index.js";
import { openRegistry } from "../open-registry.js";
import { SnapshotCursor } from "../snapshots/cursor.js";
import { counterBy, numberFamily, snapshotOf } from "../snapshots/snapshot.testkit.js";
import { encodeSnapshot } from "../snapshots/snapshot-codec.js";
import { type GatheredProcesses, type GatherOptions, gatherProcesses } from "./gather.js";
import { reportMessage } from "./messages.js";
import { PipePair } from "./pipe-pair.testkit.js";
import { type MetricsReporter, reportTo } from "./reporter.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

interface Child {
  readonly tally: Tally;
  readonly pair: PipePair;
  readonly reporter: MetricsReporter;
}

function gathered(options: GatherOptions = {}): {
  readonly clock: ManualClock;
  readonly own: Tally;
  readonly processes: GatheredProcesses;
  readonly join: (name: string) => Child;
} {
  const clock = new ManualClock(1_000);
  const own = new Tally();
  const processes = gatherProcesses(own, { clock, clusterWorkers: false, ...options });
  const join = (name: string): Child => {
    const pair = new PipePair(name);
    processes.add(pair.parent);
    const tally = new Tally();
    return { tally, pair, reporter: reportTo(pair.child, tally, { clock }) };
  };
  return { clock, own, processes, join };
}

test("collect() adds this process and all that report, each asked for its newest", async () => {
  const { own, processes, join } = gathered();
  const [a, b] = [join("a"), join("b")];
  own.count("x", 1);
  a.tally.count("x", 10);
  b.tally.count("x", 100);
  b.tally.size(3);

  const snapshot = await processes.collect();

  assert.equal(eventsOf(snapshot, "x"), 111);
  assert.deepEqual(sizesOf(snapshot), { count: 1, sum: 3 });
  assert.equal(snapshot.isExact, true);
  assert.equal(numberBy(snapshot, "poundlock_metrics_processes", "answering"), 2);
});

test("snapshot() answers without asking what was reported last", async () => {
  const { clock, processes, join } = gathered();
  const { tally } = join("a");
  tally.count("x", 5);

  assert.equal(eventsOf(processes.snapshot(), "x"), undefined);
  clock.advance(1_000);
  assert.equal(eventsOf(processes.snapshot(), "x"), 5);
});

test("collect() stands with the last numbers of a process that does not answer, says so, and does not wait for it again", async () => {
  const { clock, processes, join } = gathered();
  const { tally, pair, reporter } = join("pid 7");
  tally.count("x", 5);
  await reporter.report();
  pair.reads = false;
  tally.nowMs = 4_000;

  const waiting = processes.collect({ waitMs: 200 });
  clock.advance(200);
  const stale = await waiting;
  // Nothing moves the clock: waiting would never end.
  const again = await processes.collect({ waitMs: 200 });

  for (const snapshot of [stale, again]) {
    assert.equal(eventsOf(snapshot, "x"), 5);
    assert.equal(snapshot.isExact, false);
    assert.equal(numberBy(snapshot, "poundlock_metrics_process_stale_seconds", "pid 7"), 0.2);
  }
  assert.equal(pair.questions.length, 1);
  assert.deepEqual(processes.status(), [{ name: "pid 7", atMs: 1_000, isStale: true }]);
});

test("collect() waits again for a process that was silent as soon as it has reported", async () => {
  const { clock, processes, join } = gathered();
  const { tally, pair } = join("a");
  pair.reads = false;
  const waiting = processes.collect();
  clock.advance(200);
  await waiting;

  pair.reads = true;
  tally.count("x", 2);
  clock.advance(1_000);
  const snapshot = await processes.collect();

  assert.equal(eventsOf(snapshot, "x"), 2);
  assert.equal(numberBy(snapshot, "poundlock_metrics_process_stale_seconds", "a"), undefined);
});

test("a process that ends leaves its counters, histograms and latest gauges; what tells of the present goes", async () => {
  const { own, processes, join } = gathered();
  const a = join("a");
  a.tally.count("x", 5);
  a.tally.size(2);
  a.tally.open = 3;
  a.tally.held = 4;
  a.tally.newest = { value: 7, setMs: 500 };
  own.newest = { value: 6, setMs: 400 };
  own.open = 1;
  own.held = 1;
  const before = await processes.collect();
  a.pair.close();

  const after = processes.snapshot();

  assert.deepEqual(
    [numberBy(before, "open"), numberBy(before, "held"), numberBy(before, "newest")],
    [4, 5, 7],
  );
  assert.deepEqual([numberBy(after, "open"), numberBy(after, "held"), numberBy(after, "newest")], [1, 1, 7]);
  assert.equal(eventsOf(after, "x"), 5);
  assert.deepEqual(sizesOf(after), { count: 1, sum: 2 });
  assert.equal(numberBy(after, "poundlock_metrics_processes_ended_total"), 1);
});

test("a report that comes twice, late, over another pipe, or after its process has ended counts once", async () => {
  const { processes, join } = gathered();
  const a = join("a");
  const b = join("b");
  a.tally.count("x", 5);
  await a.reporter.report();
  a.tally.count("x", 5);
  await a.reporter.report();

  for (const report of a.pair.reports) a.pair.inject(report);
  b.pair.inject({ ...a.pair.reports.at(-1), sequence: 99 });
  a.pair.close();
  for (const report of a.pair.reports) b.pair.inject({ ...report, sequence: 99 });
  const snapshot = processes.snapshot();

  assert.equal(eventsOf(snapshot, "x"), 10);
  const late = 2 * a.pair.reports.length + 1;
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "late"), late);
});

test("a registry whose reporter was closed and opened again counts once", async () => {
  const { clock, processes, join } = gathered();
  const { tally, pair, reporter } = join("a");
  tally.count("x", 5);
  await reporter.close();
  tally.count("x", 1);
  assert.equal(eventsOf(await processes.collect(), "x"), 5);

  reportTo(pair.child, tally, { clock });

  assert.equal(eventsOf(await processes.collect(), "x"), 6);
});

test("reportTo() refuses a registry that is reported already, and a process without a parent", () => {
  const { join } = gathered();
  const { tally, pair } = join("a");

  assert.throws(() => reportTo(pair.child, tally), { code: "OPTION_INVALID", option: "registry" });
  assert.throws(() => reportTo(pair.child, new Tally(), { everyMs: 0 }), { option: "everyMs" });
  if (process.send === undefined)
    assert.throws(() => reportTo(process, new Tally()), { code: "OPTION_INVALID", option: "parent" });
});

test("what is no report is left alone or counted, and harms nobody", async () => {
  const { processes, join } = gathered({ reportBytesMax: 10_000 });
  const { tally, pair, reporter } = join("a");
  tally.count("x", 5);
  await reporter.report();
  const good = { instance: "i", sequence: 1, answers: 0, isLast: false, snapshot: "" };
  const huge = "A".repeat(20_000);

  for (const foreign of [null, undefined, 5, "text", [], {}, { tag: "poundlock.metrics" }])
    pair.inject(foreign);
  for (const bad of [
    { instance: 5 },
    { instance: "" },
    { instance: "x".repeat(65) },
    { sequence: -1 },
    { isLast: 1 },
    { snapshot: {} },
  ])
    pair.inject({ ...reportMessage(good), ...bad });
  pair.inject({ ...reportMessage(good), "poundlock.metrics": 2 });
  pair.inject(reportMessage({ ...good, snapshot: Buffer.from("garbage").toString("base64") }));
  pair.inject(reportMessage({ ...good, snapshot: huge }));
  const snapshot = await processes.collect();

  assert.equal(eventsOf(snapshot, "x"), 5);
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "garbage"), 8);
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "too-large"), 1);
  assert.equal(numberBy(snapshot, "poundlock_metrics_processes", "answering"), 1);
});

test("a damaged report does not keep the next good one of its instance from counting", () => {
  const { processes, join } = gathered();
  const { pair } = join("a");
  const report = { instance: "i", answers: 0, isLast: false };
  const snapshot = Buffer.from(encodeSnapshot(snapshotOf(1, counterBy("events", "k", { x: 3 })))).toString(
    "base64",
  );

  pair.inject(reportMessage({ ...report, sequence: 9, snapshot: "AAAA" }));
  pair.inject(reportMessage({ ...report, sequence: 2, snapshot }));

  assert.equal(eventsOf(processes.snapshot(), "x"), 3);
});

test("a damaged report of a known process leaves its last good one, and the next good one counts", () => {
  const { clock, processes, join } = gathered();
  const { tally, pair } = join("a");
  tally.count("x", 5);
  clock.advance(1_000);
  pair.inject({ ...pair.reports.at(-1), sequence: 99, snapshot: "AAAA" });

  assert.equal(eventsOf(processes.snapshot(), "x"), 5);
  tally.count("x", 1);
  clock.advance(1_000);
  const snapshot = processes.snapshot();
  assert.equal(eventsOf(snapshot, "x"), 6);
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "garbage"), 1);
});

test("a series that came and was given up while nobody asked for numbers is not lost", () => {
  const { clock, own, processes, join } = gathered();
  const { tally } = join("a");
  own.count("x", 1);
  processes.snapshot();
  tally.count("x", 10);
  // A minute of reports with it, then a minute without.
  for (let second = 0; second < 60; second += 1) clock.advance(1_000);
  tally.events.delete("x");
  for (let second = 0; second < 60; second += 1) clock.advance(1_000);

  assert.equal(eventsOf(processes.snapshot(), "x"), 11);
});

test("gatherProcesses() keeps no more processes than it may", () => {
  const notices: Notice[] = [];
  const { processes, join } = gathered({ processesMax: 2, notices: (notice) => notices.push(notice) });

  for (const name of ["a", "b", "c"]) join(name).tally.count("x", 1);

  assert.equal(processes.status().length, 2);
  assert.deepEqual(
    notices.map(({ name }) => name),
    ["metrics.process-refused"],
  );
});

test("a family of another shape is left out, counted, and told of once", async () => {
  const notices: Notice[] = [];
  const { processes, join } = gathered({ notices: (notice) => notices.push(notice) });
  const { pair } = join("a");
  const snapshot = encodeSnapshot(snapshotOf(1, numberFamily("gauge", "events", { value: 5 })));
  const report = { instance: "i", sequence: 1, answers: 0, isLast: false };
  pair.inject(reportMessage({ ...report, snapshot: Buffer.from(snapshot).toString("base64") }));

  const snapshots = [processes.snapshot(), processes.snapshot()];

  assert.equal(numberBy(snapshots[1]!, "poundlock_metrics_series_conflicting"), 1);
  assert.equal(notices.length, 1);
  assert.match(
    notices[0]!.message!,
    /"events" is a counter by \["k"\]; one that is a gauge \(latest\) is left out/,
  );
});

test("a series that one process gave up stays in the sum while another counts on, and ends when none does", async () => {
  const { clock, processes, join } = gathered();
  const [a, b] = [join("a"), join("b")];
  a.tally.count("x", 10);
  b.tally.count("x", 1);
  await processes.collect();

  a.tally.events.delete("x");
  clock.advance(1_000);
  assert.equal(eventsOf(processes.snapshot(), "x"), 11);

  b.tally.events.delete("x");
  clock.advance(1_000);
  assert.equal(eventsOf(processes.snapshot(), "x"), undefined);
});

test("a series that begins anew between two reports does not go back where another has it", async () => {
  const { processes, join } = gathered();
  const [a, b] = [join("a"), join("b")];
  a.tally.count("x", 10);
  b.tally.count("x", 1);
  await processes.collect();

  a.tally.events.delete("x");
  a.tally.nowMs = 2_000;
  a.tally.count("x", 4);

  assert.equal(eventsOf(await processes.collect(), "x"), 15);
});

test("beyond residueSeriesMax the overflow series has what processes that are gone have counted", async () => {
  const { processes, join } = gathered({ residueSeriesMax: 1 });
  const [a, b] = [join("a"), join("b")];
  for (const key of ["x", "y", "z"]) a.tally.count(key, 2);
  b.tally.count("z", 1);
  await processes.collect();
  a.pair.close();

  const snapshot = processes.snapshot();

  const family = snapshot.families.find(({ name }) => name === "events");
  const values = family?.points.map((point) => ("value" in point ? [point.labels[0], point.value] : []));
  // z is kept because b counts on in it.
  assert.deepEqual(values, [
    ["x", 2],
    ["", 2],
    ["z", 3],
  ]);
  assert.equal(family?.points[1]?.isOverflow, true);
});

test("gatherProcesses() takes a MessagePort, until it closes", async () => {
  const { port1, port2 } = new MessageChannel();
  const processes = gatherProcesses(new Tally(), { clusterWorkers: false });
  const tally = new Tally();
  processes.add(port1);
  reportTo(port2, tally, { everyMs: 3_600_000 });
  await until("the port's registry is known", () => processes.status().length === 1);
  tally.count("x", 5);

  assert.equal(eventsOf(await processes.collect({ waitMs: 5_000 }), "x"), 5);
  port2.close();
  await until("the port is closed", () => processes.status().length === 0);
  assert.equal(eventsOf(processes.snapshot(), "x"), 5);
});

test("registries of several processes become one, with what they say of themselves", async () => {
  const clock = new ManualClock(1_000);
  const [own, other] = ["own", "other"].map((name) => {
    const registry = openRegistry({ name: `gather-${name}`, reserveBytes: 8 * 2 ** 20 }, clock);
    registry.counter("jobs", { labels: ["kind"] }).add(2, { kind: "x|" });
    registry.histogram("sizes").record(3);
    return registry;
  });
  const processes = gatherProcesses(own!, { clock, clusterWorkers: false });
  const pair = new PipePair("other");
  processes.add(pair.parent);
  await reportTo(pair.child, other!, { clock }).report();
  const before = await processes.collect();
  pair.close();
  const after = processes.snapshot();

  for (const snapshot of [before, after]) {
    assert.equal(numberBy(snapshot, "jobs", "x|"), 4);
    assert.deepEqual(sizesOf(snapshot), { count: 2, sum: 6 });
  }
  const memory = [before, after].map((snapshot) =>
    numberBy(snapshot, "poundlock_metrics_memory_reserved_bytes"),
  );
  assert.deepEqual(memory, [16 * 2 ** 20, 8 * 2 ** 20]);
  const names = after.families.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  own!.close();
  other!.close();
});

const actions = fc.array(
  fc.record({
    kind: fc.constantFrom("count", "count", "count", "report", "collect", "expire", "die", "stop", "repeat"),
    process: fc.nat({ max: 3 }),
    key: fc.constantFrom("x", "y"),
    n: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 80 },
);

/** Four processes that do as they are told, and what of it must be found again. */
class Troop {
  readonly #join: (name: string) => Child;
  readonly #children: { child: Child; unreported: number }[];
  recorded = 0;
  lost = 0;

  constructor(join: (name: string) => Child) {
    this.#join = join;
    this.#children = [0, 1, 2, 3].map((at) => ({ child: join(String(at)), unreported: 0 }));
  }

  async do(kind: string, at: number, key: string, n: number, nowMs: number): Promise<void> {
    const one = this.#children[at]!;
    const { tally, pair } = one.child;
    tally.nowMs = nowMs;
    if (kind === "count") {
      tally.count(key, n);
      this.recorded += n;
      one.unreported += n;
    } else if (kind === "stop") {
      pair.reads = !pair.reads;
    } else if (kind === "repeat") {
      for (const report of pair.reports) pair.inject(report);
    } else if (kind === "die") {
      pair.close();
      this.lost += one.unreported;
      this.#children[at] = { child: this.#join(String(at)), unreported: 0 };
    } else {
      // What expires has been idle for long, and so was reported before.
      await this.report(at);
      if (kind === "expire") tally.events.delete(key);
    }
  }

  async report(at: number): Promise<void> {
    const one = this.#children[at]!;
    await one.child.reporter.report();
    one.unreported = 0;
  }

  noteCollected(): void {
    for (const one of this.#children) if (one.child.pair.reads) one.unreported = 0;
  }
}

test(`gathered counters never go back, and lose what dead processes had not reported and nothing else (POUNDLOCK_SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const { clock, own, processes, join } = gathered();
      const troop = new Troop(join);
      const cursor = new SnapshotCursor();
      // Also that no series ends: own counts on in both.
      own.count("x", 1);
      own.count("y", 1);
      const former = { x: 0, y: 0 };
      const answered = { x: 0, y: 0 };
      const look = (): void => {
        const snapshot = processes.snapshot();
        const difference = cursor.next(snapshot);
        for (const key of ["x", "y"] as const) {
          const value = eventsOf(snapshot, key)!;
          assert.ok(value >= former[key], `${key} went from ${former[key]} to ${value}`);
          former[key] = value;
          answered[key] += eventsOf(difference, key) ?? 0;
        }
      };
      for (const { kind, process: at, key, n } of steps) {
        if (kind === "collect") {
          const waiting = processes.collect({ waitMs: 50 });
          troop.noteCollected();
          clock.advance(50);
          await waiting;
        } else {
          await troop.do(kind, at, key, n, clock.now());
        }
        clock.advance(1);
        look();
      }
      for (const at of [0, 1, 2, 3]) await troop.report(at);
      look();

      assert.equal(former.x + former.y, 2 + troop.recorded - troop.lost);
      assert.deepEqual(answered, former);
    }),
    { seed, numRuns: 150 },
  );
});

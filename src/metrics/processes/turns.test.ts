import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventsOf, numberBy, Tally } from "../../../test/kit/tally.js";
import { ManualClock } from "../../base/index.js";
import type { MetricsSnapshot } from "../snapshot.js";
import type { SnapshotSource } from "../snapshot-source.js";
import { decodeSnapshot } from "../snapshots/snapshot-codec.js";
import { type GatheredProcesses, gatherProcesses } from "./gather.js";
import { PipePair } from "./pipe-pair.testkit.js";
import { type MetricsReporter, reportTo } from "./reporter.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

/** By which each step of a longer work takes so long that the event loop has a turn after it. */
class HurriedClock extends ManualClock {
  #looks = 0;

  override monotonicMs(): number {
    this.#looks += 1;
    return super.monotonicMs() + this.#looks * 3;
  }
}

const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);

function countAll(tally: Tally, n: number): void {
  for (const key of keys) tally.count(key, n);
}

/** The value that all series have; whatever else is no state that ever was. */
function commonValue(snapshot: MetricsSnapshot): number {
  const values = new Set(keys.map((key) => eventsOf(snapshot, key)));
  assert.equal(values.size, 1, `the series have ${[...values].join(", ")}`);
  return [...values][0]!;
}

/** Of so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

interface Child {
  readonly tally: Tally;
  readonly pair: PipePair;
  readonly reporter: MetricsReporter;
}

class Family {
  readonly clock: HurriedClock = new HurriedClock(1_000);
  readonly own: Tally = new Tally();
  readonly processes: GatheredProcesses;
  readonly children: Child[];
  recorded = 1;
  /** Processes of which nothing can be known yet. */
  joining = 0;

  constructor() {
    countAll(this.own, 1);
    this.processes = gatherProcesses(this.own, { clock: this.clock, clusterWorkers: false });
    this.children = [0, 1, 2].map(() => this.#join());
  }

  count(at: number, n: number): void {
    countAll(this.children[at]!.tally, n);
    this.recorded += n;
  }

  /** It dies with nothing unreported, and another takes its place. */
  async replace(at: number): Promise<void> {
    const { reporter, pair } = this.children[at]!;
    // From now on its successor counts: what it counted itself after its report would be lost.
    const next = this.#join();
    this.children[at] = next;
    this.joining += 1;
    await reporter.report();
    pair.close();
    await next.reporter.report();
    this.joining -= 1;
  }

  #join(): Child {
    const pair = new PipePair("child");
    this.processes.add(pair.parent);
    const tally = new Tally();
    return { tally, pair, reporter: reportTo(pair.child, tally, { clock: this.clock }) };
  }
}

const actions = fc.array(
  fc.record({
    kind: fc.constantFrom("count", "count", "collect", "collect", "snapshot", "report", "replace", "turns"),
    at: fc.nat({ max: 2 }),
    n: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 20, maxLength: 60, size: "max" },
);

test(`numbers that are added up in turns are one state, have all that was recorded before, and never go back (POUNDLOCK_SEED=${seed})`, async () => {
  let overlapping = 0;
  await fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const family = new Family();
      await Promise.all(family.children.map(({ reporter }) => reporter.report()));
      const open: Promise<unknown>[] = [];
      let former = 0;
      let collecting = 0;
      const look = (snapshot: MetricsSnapshot): number => {
        const value = commonValue(snapshot);
        assert.ok(value >= former, `went from ${former} to ${value}`);
        assert.ok(value <= family.recorded, `${value} of ${family.recorded}`);
        former = value;
        return value;
      };
      const collect = async (): Promise<void> => {
        // A second one at the same time does not wait for answers to the first one's questions.
        const isAlone = collecting === 0 && family.joining === 0;
        const recorded = isAlone ? family.recorded : 0;
        collecting += 1;
        const snapshot = await family.processes.collect();
        collecting -= 1;
        assert.ok(look(snapshot) >= recorded, `a collect has not all of ${recorded}`);
      };
      for (const { kind, at, n } of steps) {
        if (collecting > 0 && kind !== "turns") overlapping += 1;
        if (kind === "count") family.count(at, n);
        else if (kind === "collect") open.push(collect());
        else if (kind === "snapshot") look(family.processes.snapshot());
        else if (kind === "report") open.push(family.children[at]!.reporter.report());
        else if (kind === "replace") open.push(family.replace(at));
        else await turns(n);
      }
      await Promise.all(open);
      await collect();

      assert.equal(former, family.recorded);
    }),
    { seed, numRuns: 80 },
  );
  assert.ok(overlapping > 500, `only ${overlapping} actions came in between`);
});

test("snapshot() while a collect is adding up is the newer one, and the collect's answer too", async () => {
  const { processes, count, reporter } = withOneChild();
  count(5);
  await reporter.report();
  const collecting = processes.collect({ waitMs: 0 });
  await turns(2);
  count(1);
  await reporter.report();

  const snapshot = processes.snapshot();

  assert.equal(commonValue(snapshot), 6);
  assert.equal(await collecting, snapshot);
});

test("collect() of several at once is one work for all that came before it began", async () => {
  const { processes, own } = withOneChild();
  let snapshots = 0;
  const { snapshot } = own;
  own.snapshot = () => {
    snapshots += 1;
    return snapshot.call(own);
  };

  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => processes.collect({ waitMs: 0 })));

  assert.equal(snapshots, 1);
  assert.equal(new Set(answers).size, 1);
});

test("collect() waits for answers to questions that another one has asked, but not again for a process that was silent", async () => {
  const { processes, count, clock, pair, reporter } = withOneChild();
  await reporter.report();
  count(5);

  const answers = await Promise.all([processes.collect(), processes.collect()]);
  assert.deepEqual(
    answers.map((answer) => [commonValue(answer), answer.isExact]),
    [
      [5, true],
      [5, true],
    ],
  );

  pair.reads = false;
  const first = processes.collect({ waitMs: 200 });
  clock.advance(100);
  const second = processes.collect({ waitMs: 200 });
  clock.advance(100);
  await first;
  // Nothing moves the clock on: it does not wait for what only the second waits for.
  const third = await processes.collect({ waitMs: 200 });
  clock.advance(100);
  await second;

  assert.equal(third.isExact, false);
});

test("a process that ends while its numbers are being added up is neither missing nor twice in this answer and the next", async () => {
  for (let after = 0; after < 40; after += 1) {
    const { processes, count, pair, reporter } = withOneChild();
    count(5);
    await reporter.report();

    const collecting = processes.collect({ waitMs: 0 });
    await turns(after);
    pair.close();

    assert.equal(commonValue(await collecting), 5, `after ${after} turns`);
    assert.equal(commonValue(await processes.collect()), 5, `after ${after} turns`);
  }
});

test("a report that comes behind a damaged one counts, whose damage nobody has seen yet", async () => {
  const { processes, count, pair, reporter } = withOneChild();
  await reporter.report();
  await processes.collect();
  pair.inject({ ...pair.reports.at(-1), sequence: 99, snapshot: "AAAA" });
  count(5);
  await reporter.report();

  const snapshot = processes.snapshot();

  assert.equal(commonValue(snapshot), 5);
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "garbage"), 1);
  assert.equal(numberBy(snapshot, "poundlock_metrics_reports_refused_total", "late"), 0);
});

test("reportTo() collects where the source can, and sends nothing older after its last report", async () => {
  const clock = new ManualClock(1_000);
  const pair = new PipePair("child");
  const tally = new Tally();
  const asked: ((snapshot: MetricsSnapshot) => void)[] = [];
  const source: SnapshotSource = {
    snapshot: () => tally.snapshot(),
    collect: () => new Promise((resolve) => asked.push(resolve)),
  };
  const reporter = reportTo(pair.child, source, { clock });
  tally.count("x", 1);
  asked.shift()!(tally.snapshot());
  await turns(1);
  assert.deepEqual(pair.reports.map(valueIn), [1]);

  const late = tally.snapshot();
  const reporting = reporter.report();
  tally.count("x", 1);
  await reporter.close();
  asked.shift()!(late);
  await reporting;

  assert.deepEqual(pair.reports.map(valueIn), [1, 2]);
});

test("reportTo() reports again after a source has failed to collect", async () => {
  const clock = new ManualClock(1_000);
  const pair = new PipePair("child");
  const tally = new Tally();
  const notices: string[] = [];
  let isBroken = true;
  const source: SnapshotSource = {
    snapshot: () => tally.snapshot(),
    collect: async () => {
      if (isBroken) throw new Error("made to fail");
      return tally.snapshot();
    },
  };
  const reporter = reportTo(pair.child, source, { clock, notices: ({ name }) => notices.push(name) });
  await turns(1);
  assert.deepEqual(notices, ["metrics.report-failed"]);
  assert.deepEqual(pair.reports, []);

  isBroken = false;
  await reporter.report();

  assert.equal(pair.reports.length, 1);
});

function valueIn(report: object): number | undefined {
  const { snapshot } = report as { readonly snapshot: string };
  return eventsOf(decodeSnapshot(Buffer.from(snapshot, "base64")), "x");
}

function withOneChild(): {
  readonly clock: ManualClock;
  readonly own: Tally;
  readonly processes: GatheredProcesses;
  readonly pair: PipePair;
  readonly reporter: MetricsReporter;
  readonly count: (n: number) => void;
} {
  const clock = new HurriedClock(1_000);
  const own = new Tally();
  const processes = gatherProcesses(own, { clock, clusterWorkers: false });
  const pair = new PipePair("child");
  processes.add(pair.parent);
  const tally = new Tally();
  const reporter = reportTo(pair.child, tally, { clock });
  return { clock, own, processes, pair, reporter, count: (n) => countAll(tally, n) };
}

import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "../../../test/kit/reporting-child.js";
import { eventsOf, numberBy, sizesOf, Tally } from "../../../test/kit/tally.js";
import { until } from "../../../test/kit/until.js";
import { type GatheredProcesses, gatherProcesses } from "./gather.js";

const script = fileURLToPath(new URL("../../../test/kit/reporting-child.js", import.meta.url));

const forked: ChildProcess[] = [];
// A test that failed leaves its children, for which the run would wait.
after(() => {
  for (const child of forked) child.kill("SIGKILL");
});

/** A real child; `tell` waits for its answer. */
class Child {
  readonly process: ChildProcess;
  readonly #answers: { readonly done: string; readonly counted?: number }[] = [];

  constructor(processes: GatheredProcesses, ...args: readonly string[]) {
    this.process = fork(script, args, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    forked.push(this.process);
    processes.add(this.process);
    this.process.on("message", (message: { done?: string; counted?: number }) => {
      if (message.done !== undefined) this.#answers.push(message as { done: string });
    });
  }

  async started(): Promise<this> {
    await this.answer("start");
    return this;
  }

  async tell(command: Command): Promise<{ readonly counted?: number }> {
    this.process.send(command);
    return this.answer(command.do);
  }

  answer(done: string): Promise<{ readonly counted?: number }> {
    return until(`the child answers ${done}`, () => {
      const at = this.#answers.findIndex((answer) => answer.done === done);
      return at === -1 ? undefined : this.#answers.splice(at, 1)[0];
    });
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
    // Only then has everything that it sent been read.
    if (this.process.connected) await once(this.process, "disconnect");
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended();
  }
}

function gathered(): { readonly own: Tally; readonly processes: GatheredProcesses } {
  const own = new Tally();
  own.count("x", 1);
  return { own, processes: gatherProcesses(own, { clusterWorkers: false }) };
}

test("gatherProcesses() has the newest numbers of forked processes, and exact ones of those that end in good order", async () => {
  const { processes } = gathered();
  const children = await Promise.all([1, 2, 3, 4].map(() => new Child(processes, "3600000").started()));
  for (const [at, child] of children.entries()) await child.tell({ do: "count", n: 10 ** (at + 1) });

  const living = await processes.collect({ waitMs: 5_000 });
  assert.equal(eventsOf(living, "x"), 11_111);
  assert.deepEqual(sizesOf(living), { count: 11_110, sum: 11_110 / 4 });
  assert.equal(numberBy(living, "open"), 4);

  const ways = ["exit", "throw", "disconnect", "finish"] as const;
  for (const [at, how] of ways.entries()) {
    const child = children[at]!;
    child.process.send({ do: "end", how });
    await child.ended();

    const left = processes.snapshot();
    assert.equal(eventsOf(left, "x"), 11_111 + 7 * (at + 1), how);
    assert.equal(numberBy(left, "open"), 3 - at, how);
  }
  assert.equal(numberBy(processes.snapshot(), "poundlock_metrics_processes_ended_total"), 4);
});

test("gatherProcesses() is not delayed beyond the wait by a stopped process, names it, and has its numbers when it goes on", async () => {
  const { processes } = gathered();
  const [stopped, other] = [
    await new Child(processes, "20").started(),
    await new Child(processes, "3600000").started(),
  ];
  await stopped.tell({ do: "count", n: 5 });
  assert.equal(eventsOf(await processes.collect({ waitMs: 5_000 }), "x"), 6);
  const name = `pid ${stopped.process.pid}`;
  try {
    stopped.process.kill("SIGSTOP");
    // Still read are reports that were in the pipe; then it is silent.
    await until("the process is stale", async () => {
      await processes.collect({ waitMs: 100 });
      return processes.status().some((status) => status.name === name && status.isStale);
    });
    await other.tell({ do: "count", n: 100 });
    const startMs = performance.now();
    const looks = [await processes.collect(), await processes.collect(), await processes.collect()];
    const tookMs = performance.now() - startMs;

    assert.ok(tookMs < 2_000, `three collects took ${tookMs} ms`);
    assert.equal(eventsOf(looks[2]!, "x"), 106);
    assert.ok(numberBy(looks[2]!, "poundlock_metrics_process_stale_seconds", name)! >= 0);
  } finally {
    stopped.process.kill("SIGCONT");
  }
  await stopped.tell({ do: "count", n: 10 });
  await until("it answers again", async () => eventsOf(await processes.collect(), "x") === 116);
  assert.ok(processes.status().every(({ isStale }) => !isStale));
  await Promise.all([stopped.kill(), other.kill()]);
});

test("gatherProcesses() is not delayed beyond the wait by a process in a synchronous loop", async () => {
  const { processes } = gathered();
  const child = await new Child(processes, "3600000").started();
  await child.tell({ do: "count", n: 5 });
  await processes.collect({ waitMs: 5_000 });
  await child.tell({ do: "spin", forMs: 1_500 });

  const startMs = performance.now();
  const during = await processes.collect({ waitMs: 100 });
  const tookMs = performance.now() - startMs;

  assert.ok(tookMs < 1_000, `the collect took ${tookMs} ms`);
  assert.equal(eventsOf(during, "x"), 6);
  assert.equal(during.isExact, false);
  await until("the loop ends", async () => (await processes.collect()).isExact);
  await child.kill();
});

const listening = `
  process.send({ early: 1 });
  process.send({ "poundlock.metrics": 1 });
  process.on("message", (message) => process.send({ echo: message }));`;

test("a child that does not report costs no wait, and other messages of the channel are left alone, early ones too", async () => {
  const { processes } = gathered();
  const silent = fork("-e", [listening], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [],
  });
  forked.push(silent);
  processes.add(silent);
  // So the message before it has come too, for which nobody listens yet: Node keeps such.
  await until(
    "damaged report has come",
    () => numberBy(processes.snapshot(), "poundlock_metrics_reports_refused_total", "garbage") === 1,
  );
  const startMs = performance.now();
  for (let i = 0; i < 20; i += 1) await processes.collect({ waitMs: 10_000 });
  assert.ok(performance.now() - startMs < 5_000);

  const received: unknown[] = [];
  silent.on("message", (message) => received.push(message));
  silent.send({ hello: 1 });
  await until("both messages are here", () => received.length === 2);

  assert.deepEqual(received, [{ early: 1 }, { echo: { hello: 1 } }]);
  silent.kill("SIGKILL");
  await once(silent, "disconnect");
});

/** More on demand: POUNDLOCK_KILLS=300. */
const kills = Number(process.env.POUNDLOCK_KILLS ?? 12);

test(`counters never go back over ${kills} SIGKILLs, and have all that was reported`, {
  timeout: 300_000,
}, async () => {
  const { processes } = gathered();
  let former = 0;
  let looks = 0;
  let isDone = false;
  const look = async (): Promise<void> => {
    const value = eventsOf(await processes.collect({ waitMs: 20 }), "x")!;
    assert.ok(value >= former, `went from ${former} to ${value}`);
    former = value;
    looks += 1;
  };
  let reported = 0;
  const killOne = async (): Promise<void> => {
    const child = await new Child(processes, "10", "count").started();
    const { counted = 0 } = await child.tell({ do: "report" });
    reported += counted;
    await child.kill();
  };
  const line = async (): Promise<void> => {
    for (let left = kills / 4; left > 0; left -= 1) await killOne();
  };
  const looking = (async () => {
    while (!isDone) {
      await look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all([line(), line(), line(), line()]);
  isDone = true;
  await looking;
  await look();

  assert.equal(numberBy(processes.snapshot(), "poundlock_metrics_processes_ended_total"), kills);
  assert.equal(processes.status().length, 0);
  assert.ok(former >= reported + 1, `${former} of ${reported}`);
  assert.ok(looks > kills, `only ${looks} looks`);
});

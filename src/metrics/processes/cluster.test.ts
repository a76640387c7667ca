import assert from "node:assert/strict";
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventsOf, numberBy, Tally } from "../../../test/kit/tally.js";
import { until } from "../../../test/kit/until.js";
import { type GatheredProcesses, gatherProcesses } from "./gather.js";

async function forked(everyMs: number): Promise<Worker> {
  const exec = fileURLToPath(new URL("../../../test/kit/reporting-child.js", import.meta.url));
  cluster.setupPrimary({ exec, args: [String(everyMs)], silent: true });
  const worker = cluster.fork();
  await said(worker, "start");
  return worker;
}

function said(worker: Worker, done: string): Promise<void> {
  return new Promise((resolve) => {
    const onMessage = (message: { readonly done?: string }): void => {
      if (message.done !== done) return;
      worker.off("message", onMessage);
      resolve();
    };
    worker.on("message", onMessage);
  });
}

async function count(worker: Worker, n: number): Promise<void> {
  const answer = said(worker, "count");
  worker.send({ do: "count", n });
  await answer;
}

async function gone(worker: Worker, processes: GatheredProcesses, ended: number): Promise<void> {
  if (!worker.isDead()) await once(worker, "exit");
  await until(
    "the worker is counted as gone",
    () => numberBy(processes.snapshot(), "poundlock_metrics_processes_ended_total") === ended,
  );
}

test("gatherProcesses() has all workers of a cluster, over restarts in good order and kills", async (t) => {
  t.after(() => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGKILL");
  });
  // Older than the gathering: its next report makes it known.
  const early = await forked(20);
  const processes = gatherProcesses(new Tally());
  const workers = [early, await forked(3_600_000), await forked(3_600_000)];
  await until("all are known", () => processes.status().length === 3);
  for (const [at, worker] of workers.entries()) await count(worker, 10 ** at);
  assert.equal(eventsOf(await processes.collect({ waitMs: 5_000 }), "x"), 111);

  // In good order: what it counted after its last report is there.
  await count(workers[1]!, 1_000);
  workers[1]!.disconnect();
  await gone(workers[1]!, processes, 1);
  assert.equal(eventsOf(processes.snapshot(), "x"), 1_111);

  // Killed: what it had not reported is lost, and nothing else.
  await count(workers[2]!, 10_000);
  workers[2]!.process.kill("SIGKILL");
  await gone(workers[2]!, processes, 2);
  assert.equal(eventsOf(processes.snapshot(), "x"), 1_111);

  const next = await forked(3_600_000);
  await count(next, 100_000);
  assert.equal(eventsOf(await processes.collect({ waitMs: 5_000 }), "x"), 101_111);
  assert.equal(processes.status().length, 2);
  early.kill();
  next.kill();
  await gone(next, processes, 4);
  assert.equal(eventsOf(processes.snapshot(), "x"), 101_111);
  processes.close();
});

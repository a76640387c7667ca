import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { until } from "../../../test/kit/until.js";
import { ManualClock } from "../../base/index.js";
import { openRegistry, type Registry } from "../index.js";
import { processMetrics } from "./process-metrics.js";

let made = 0;

function testRegistry(): Registry {
  made += 1;
  return openRegistry({
    name: `process-metrics.test ${made}`,
    reserveBytes: 8 * 2 ** 20,
    hasOwnMetrics: false,
  });
}

/** Numbers of a family by its label values; of histograms, how many there were. */
function valuesOf(registry: Registry, name: string): Record<string, number> {
  const family = registry.snapshot().families.find((one) => one.name === name);
  assert.ok(family !== undefined, `no ${name}`);
  return Object.fromEntries(
    family.points.map((point) => [
      point.labels.join(" "),
      "value" in point ? point.value : "histogram" in point ? point.histogram.count : Number.NaN,
    ]),
  );
}

function busy(forMs: number): void {
  const endsAt = performance.now() + forMs;
  while (performance.now() < endsAt);
}

test("processMetrics() has the process's numbers under Prometheus' names", async (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry);
  t.after(() => metrics.close());

  metrics.sample();

  const [resident] = Object.values(valuesOf(registry, "process_resident_memory_bytes"));
  const usage = process.memoryUsage.rss();
  assert.ok(Math.abs(resident! - usage) < usage / 2, `${resident} is not about ${usage}`);
  const [started] = Object.values(valuesOf(registry, "process_start_time_seconds"));
  assert.ok(Math.abs(started! + process.uptime() - Date.now() / 1000) < 2);
  assert.deepEqual(Object.keys(valuesOf(registry, "nodejs_version_info")), [
    [process.version, ...process.versions.node.split(".")].join(" "),
  ]);
  assert.ok(valuesOf(registry, "nodejs_heap_size_used_bytes")["0"]! > 1e6);
  assert.ok(valuesOf(registry, "nodejs_heap_space_size_used_bytes")["old 0"]! > 0);
});

test("processMetrics() counts CPU time and how busy the loop was, as much as was used", async (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry);
  t.after(() => metrics.close());
  const cpu = (): number => Object.values(valuesOf(registry, "process_cpu_seconds_total"))[0]!;
  const active = (): number => valuesOf(registry, "nodejs_eventloop_active_seconds_total")["0"]!;
  // Node says nothing of the loop until it has begun to turn.
  await new Promise((resolve) => setImmediate(resolve));
  metrics.sample();
  const before = { cpu: cpu(), own: process.cpuUsage(), active: active() };

  busy(200);
  metrics.sample();

  const { user, system } = process.cpuUsage(before.own);
  const used = (user + system) / 1e6;
  assert.ok(Math.abs(cpu() - before.cpu - used) < 0.1, `${cpu() - before.cpu} of ${used} s`);
  assert.ok(active() - before.active >= 0.15, `${active() - before.active} s`);
  const parts = ["user", "system"].map(
    (part) => valuesOf(registry, `process_cpu_${part}_seconds_total`)[""]!,
  );
  assert.ok(Math.abs(parts[0]! + parts[1]! - cpu()) < 1e-6);
});

test("processMetrics() shows how late the loop was: nothing when it was not, and what blocked it", async (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry, { loopProbeMs: 5 });
  t.after(() => metrics.close());
  const latest = (which: string): number => {
    metrics.sample();
    return valuesOf(registry, `nodejs_eventloop_lag_${which}_seconds`)["0"] ?? Number.NaN;
  };
  // Not even the pause between probes.
  await until("the loop was hardly late once", () => latest("min") < 0.004);

  busy(300);

  await until("the block is seen", () => latest("max") >= 0.25);
});

test("processMetrics() shows delays of 15 to 30 s, mean and deviation at the end of 15", async (t) => {
  const registry = testRegistry();
  const clock = new ManualClock(0);
  const metrics = processMetrics(registry, { loopProbeMs: 1, clock });
  t.after(() => metrics.close());
  const lag = (which: string): number | undefined =>
    valuesOf(registry, `nodejs_eventloop_lag_${which}_seconds`)["0"];
  const probed = (): Promise<true> =>
    until("there were probes", () => {
      metrics.sample();
      return lag("p50") !== undefined;
    });
  await probed();
  busy(400);
  await until("the block is seen", () => {
    metrics.sample();
    return lag("max")! > 0.3;
  });
  assert.equal(lag("mean"), undefined);

  clock.advance(16_000);

  assert.ok(lag("mean")! > 0);
  assert.ok(lag("stddev")! > 0);
  metrics.sample();
  let looks = 0;
  await until("some more probes came", () => {
    metrics.sample();
    looks += 1;
    return looks > 10;
  });
  assert.ok(lag("max")! > 0.3, "the block is forgotten after 15 s");
  await until("the block is forgotten after 30 s", () => {
    // More than once: the machine may be late by itself.
    clock.advance(16_000);
    metrics.sample();
    return lag("max")! < 0.3;
  });
});

test("processMetrics() records collections of garbage by kind", async (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry);
  t.after(() => metrics.close());

  const kept: unknown[] = [];
  await until("some garbage was collected", () => {
    for (let n = 0; n < 200_000; n += 1) kept[n % 1000] = { n };
    return (valuesOf(registry, "nodejs_gc_duration_seconds")["minor 0"] ?? 0) > 0;
  });
});

if (process.platform === "linux")
  test("processMetrics() counts open files and what keeps the loop alive", async (t) => {
    const registry = testRegistry();
    const metrics = processMetrics(registry);
    t.after(() => metrics.close());
    const open = (): number | undefined => {
      metrics.sample();
      return Object.values(valuesOf(registry, "process_open_fds"))[0];
    };
    const before = await until("files are counted", open);

    const opened = Array.from({ length: 50 }, () => openSync(process.execPath, "r"));

    await until("the new files are counted", () => (open() ?? 0) >= before + 40);
    for (const descriptor of opened) closeSync(descriptor);
    await until("the closed ones are not", () => (open() ?? Number.NaN) < before + 40);
    assert.ok(Object.values(valuesOf(registry, "process_max_fds"))[0]! >= 50);
    assert.ok(Object.keys(valuesOf(registry, "nodejs_active_resources")).every((key) => key.endsWith(" 0")));
  });

test("each thread's numbers carry its number, and the process's are its main thread's alone", async (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry);
  t.after(() => metrics.close());
  const door = new URL("../index.js", import.meta.url).href;
  const code = `
    const { openRegistry, processMetrics } = await import(${JSON.stringify(door)});
    processMetrics(openRegistry({ name: ${JSON.stringify(registry.name)} }));
    const { parentPort } = await import("node:worker_threads");
    parentPort.once("message", () => undefined);
    parentPort.postMessage("sampled");`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  await once(worker, "message");

  const heaps = Object.keys(valuesOf(registry, "nodejs_heap_size_used_bytes"));
  assert.deepEqual(heaps.sort(), ["0", String(worker.threadId)].sort());
  // Both count from the process's start: what the two recorded would be twice of it.
  metrics.sample();
  const { user, system } = process.cpuUsage();
  assert.ok(valuesOf(registry, "process_cpu_seconds_total")[""]! <= (user + system) / 1e6);

  // Nothing but the message that it waits for keeps the thread: it ends once that came.
  worker.postMessage("end");
  await once(worker, "exit");
});

test("processMetrics() keeps no process alive, and close() stops it", () => {
  const door = fileURLToPath(new URL("../index.js", import.meta.url));
  const code = `
    const { openRegistry, processMetrics } = await import(${JSON.stringify(door)});
    const metrics = processMetrics(openRegistry(), { everyMs: 100 });
    process.on("exit", () => console.log("ended"));`;

  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
    timeout: 20_000,
  });

  assert.deepEqual([stdout, status], ["ended\n", 0]);
});

test("a closed ProcessMetrics records nothing more", (t) => {
  const registry = testRegistry();
  const metrics = processMetrics(registry);
  t.after(() => metrics.close());
  metrics.close();
  const before = valuesOf(registry, "process_cpu_seconds_total");

  busy(20);
  metrics.sample();
  metrics.close();

  assert.deepEqual(valuesOf(registry, "process_cpu_seconds_total"), before);
});

test("processMetrics() refuses intervals out of range", () => {
  assert.throws(() => processMetrics(testRegistry(), { everyMs: 10 }), { code: "OPTION_INVALID" });
  assert.throws(() => processMetrics(testRegistry(), { loopProbeMs: 0 }), { code: "OPTION_INVALID" });
});

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { until as untilHolds } from "../../test/kit/until.js";
import { systemClock } from "../base/index.js";
import type { LoadedConfig } from "../config/index.js";
import { type Engine, openEngine } from "./engine.js";

const folder = mkdtempSync(join(tmpdir(), "poundlock-engine-"));
after(() => rmSync(folder, { recursive: true }));

type EngineConfig = Pick<LoadedConfig, "sources" | "metrics" | "store">;

function configOf(pattern: string, store: EngineConfig["store"]): EngineConfig {
  return {
    sources: [
      {
        rule: { name: "app", format: { kind: "json" }, time: { kind: "field", path: "ts", format: "ms" } },
        patterns: [pattern],
        from: "start",
      },
    ],
    metrics: [
      { name: "requests", kind: "count", from: [], by: ["status"] },
      { name: "latency", kind: "distribution", value: "ms", unit: "ms", from: [], by: [] },
    ],
    store,
  };
}

async function until(engine: Engine, accepted: number): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]);
  try {
    const reached = async (): Promise<boolean> => ((await engine.ledger())[0]?.accepted ?? 0) >= accepted;
    const { storeVersion } = await engine.status();
    if (await reached()) return;
    for await (const _change of engine.changes(storeVersion, signal)) if (await reached()) return;
  } finally {
    stop.abort();
  }
}

function lines(count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `{"ts":${systemClock.now()},"status":${i % 4 ? 200 : 500},"ms":${i}}\n`,
  ).join("");
}

for (const kind of ["memory", "lmdb"] as const) {
  test(`Engine on ${kind} follows a growing and rotating file and answers exactly`, {
    timeout: 60_000,
  }, async () => {
    const path = join(folder, `${kind}.jsonl`);
    writeFileSync(path, lines(100));
    const store = kind === "memory" ? { kind } : { kind, path: join(folder, `${kind}-store`) };
    await using engine = await openEngine({ config: configOf(path, store), threads: 2 });
    await until(engine, 100);

    appendFileSync(path, lines(50));
    await until(engine, 150);
    renameSync(path, `${path}.1`);
    writeFileSync(path, lines(25));
    await until(engine, 175);

    const requests = await engine.query({ metric: "requests" });
    assert.deepEqual(
      requests.groups.map(({ by, value }) => [by.status, value]),
      [
        ["200", 75 + 37 + 18],
        ["500", 25 + 13 + 7],
      ],
    );
    const recent = await engine.query({ metric: "latency", windowMs: 60_000 });
    assert.equal(recent.all.n, 175);
    assert.equal((await engine.ledger())[0]?.unaccounted, 0);
  });
}

test("Engine on lmdb goes on where it stopped", { timeout: 60_000 }, async () => {
  const path = join(folder, "again.jsonl");
  const config = configOf(path, { kind: "lmdb", path: join(folder, "again-store") });
  writeFileSync(path, lines(1000));
  {
    await using engine = await openEngine({ config, threads: 1 });
    await until(engine, 1000);
    await engine.drain();
  }
  appendFileSync(path, lines(10));

  await using engine = await openEngine({ config, threads: 1 });
  await until(engine, 1010);

  assert.equal((await engine.query({ metric: "requests" })).all.value, 1010);
  assert.ok((await engine.status()).linesRead <= 10, "what was settled is not read again");
});

test("Engine.registry has what each settlement took, and what the modules had to say", {
  timeout: 60_000,
}, async () => {
  const path = join(folder, "own.jsonl");
  writeFileSync(path, lines(100));
  const said: string[] = [];
  const config = configOf(path, { kind: "memory" });
  await using engine = await openEngine({ config, threads: 1, notices: ({ name }) => said.push(name) });
  await until(engine, 100);

  const { families } = await engine.registry.collect();

  const settled = families.find(({ name }) => name === "poundlock_settle_seconds");
  const point = settled?.kind === "histogram" ? settled.points[0] : undefined;
  assert.deepEqual(point?.labels, ["app"]);
  assert.equal(point?.histogram.count, said.filter((name) => name === "pipeline.settled").length);
});

for (const kind of ["memory", "lmdb"] as const)
  test(`Engine on ${kind} keeps what it measures of itself when the configuration says so`, {
    timeout: 60_000,
  }, async () => {
    const path = join(folder, `self-${kind}.jsonl`);
    writeFileSync(path, lines(100));
    const store = kind === "memory" ? { kind } : { kind, path: join(folder, "self-store") };
    const config = { ...configOf(path, store), self: { everyMs: 100 } };
    await using engine = await openEngine({ config, threads: 1 });
    const settled = async (): Promise<number> =>
      (await engine.query({ metric: "poundlock_settle_seconds", windowMs: 60_000 })).all.n;

    await untilHolds("the settlement is in the store", async () => (await settled()) > 0);

    const { metrics, name } = { metrics: engine.metrics(), name: "poundlock_settle_seconds" };
    assert.deepEqual(metrics.find((metric) => metric.name === name)?.by, ["source"]);
    assert.equal((await engine.query({ metric: "requests" })).all.value, 100);
    const ledger = await engine.ledger();
    assert.deepEqual(ledger.map(({ source, unaccounted }) => [source, unaccounted]).sort(), [
      ["(self)", 0],
      ["app", 0],
    ]);
    const drained = await engine.drain();
    assert.deepEqual(
      drained.map(({ source }) => source),
      ["app"],
    );
  });

test("a metric that no rule has is refused before anything is opened", async () => {
  const config = configOf(join(folder, "none"), { kind: "memory" });
  const ratio = { name: "r", kind: "ratio", of: "nope", where: "true", from: [], by: [] } as const;

  await assert.rejects(openEngine({ config: { ...config, metrics: [ratio] } }), { code: "RULE_REFERENCE" });
});

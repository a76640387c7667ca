import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { countsOf, testService } from "./service.testkit.js";

test("retrieval() and generation() record ok and error, and answer and throw what their bodies do", async () => {
  const clock = new ManualClock(0);
  const service = testService({}, clock);
  const mistake = new RangeError("mine");

  const found = service.retrieval((timer) => {
    clock.advance(20);
    return [timer.elapsedMs];
  });
  const text = await service.generation(async (timer) => {
    await Promise.resolve();
    clock.advance(500);
    return timer.elapsedMs;
  });
  assert.throws(
    () =>
      service.retrieval(() => {
        throw mistake;
      }),
    (error) => error === mistake,
  );
  await assert.rejects(
    service.generation(async () => {
      throw mistake;
    }),
    (error) => error === mistake,
  );

  assert.deepEqual([found, text], [[20], 500]);
  assert.deepEqual(countsOf(service.registry, "rag_stage_duration_seconds"), {
    "retrieval ok": 1,
    "generation ok": 1,
    "retrieval error": 1,
    "generation error": 1,
  });
  const [point] = service.registry
    .snapshot()
    .families.filter(({ name }) => name === "rag_stage_duration_seconds")
    .flatMap((family) => (family.kind === "histogram" ? family.points : []));
  assert.equal(point?.histogram.sum, 0.02);
});

test("stage() refuses a stage that the service has not, before its body runs", () => {
  const service = testService({ stages: ["rerank"] });
  let ran = 0;

  assert.throws(() => service.stage("generation", () => (ran += 1)), { code: "OPTION_INVALID" });
  assert.equal(ran, 0);
  assert.equal(
    service.stage("rerank", () => "done"),
    "done",
  );
});

test("a stage's timer keeps its time after the end", () => {
  const clock = new ManualClock(0);
  const service = testService({}, clock);

  const timer = service.retrieval((running) => {
    clock.advance(7);
    return running;
  });
  clock.advance(100);

  assert.equal(timer.elapsedMs, 7);
});

test("cacheHit(), cacheMiss() and tokens() count by what they are told", () => {
  const service = testService({ cachesMax: 2 });

  for (const cache of ["answers", "embeddings", "third", "fourth"]) service.cacheHit(cache);
  service.cacheMiss("answers");
  service.tokens({ input: 120, output: 34 });
  service.tokens({ output: 6 });

  assert.deepEqual(countsOf(service.registry, "cache_requests_total"), {
    "answers hit": 1,
    "embeddings hit": 1,
    "(other) hit": 2,
    "answers miss": 1,
  });
  assert.deepEqual(countsOf(service.registry, "rag_tokens_total"), { input: 120, output: 40 });
  assert.equal(service.numbers().cache_hits_total, 4);
});

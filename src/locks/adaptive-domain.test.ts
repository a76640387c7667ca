import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.js";
import { LockDomain } from "./index.js";

test("a lock's limit follows its waits, says so, and can be frozen", async () => {
  const clock = new ManualClock(0);
  const lines: string[] = [];
  const domain = new LockDomain({
    name: "main",
    clock,
    waitMs: 5_000,
    adaptive: { floorMs: 50, ceilingMs: 60_000, samplesMin: 20, jitter: 0 },
    logger: { debug: (line) => lines.push(line) },
  });
  const mutex = domain.mutex("cache");
  const limitOfWaiter = async (heldMs: number): Promise<number | undefined> => {
    const holder = await mutex.acquire();
    const waiting = mutex.acquire();
    const limitMs = domain.report().locks[0]?.waiters[0]?.limitMs;
    clock.advance(heldMs);
    holder.release();
    (await waiting).release();
    return limitMs;
  };

  const first = await limitOfWaiter(100);
  for (let i = 0; i < 40; i += 1) await limitOfWaiter(100);
  const learnt = await limitOfWaiter(100);
  const explained = domain.report().classes[0]?.limits?.exclusive;
  domain.freezeLimits();
  const frozen = await limitOfWaiter(100);
  for (let i = 0; i < 40; i += 1) await limitOfWaiter(200);

  assert.equal(first, 5_000);
  assert.ok(learnt! > 250 && learnt! < 360, `learnt ${learnt}`);
  assert.equal(explained?.by, "history");
  assert.equal(await limitOfWaiter(100), frozen);
  const changes = lines.filter((line) => line.includes("limit of cache changed"));
  assert.equal(changes.length, 1, changes.join("\n"));
  assert.match(
    changes[0]!,
    /^\[\d+\.\d{3}\] main: limit of cache changed: A waiter gives up after \d+ ms: 3 × /,
  );
});

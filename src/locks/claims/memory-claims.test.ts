import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { claimsContract } from "../../../test/kit/claims-contract/index.js";
import { codeOf, ManualClock } from "../../base/index.js";
import type { Claim } from "./claim.js";
import { MemoryClaims } from "./memory-claims.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));

claimsContract("MemoryClaims", () => {
  const clock = new ManualClock(0);
  const claims = new MemoryClaims({ clock });
  return {
    client: () => claims,
    advance: async (byMs) => {
      await Promise.resolve();
      clock.advance(byMs);
    },
  };
});

test("MemoryClaims does not mind that the machine's clock is set", async () => {
  const clock = new ManualClock(1_000_000);
  const claims = new MemoryClaims({ clock });
  const claim = await claims.claim("book", { owner: "a", leaseMs: 1_000 });

  clock.setWall(900_000_000);
  assert.equal(claim.lost, undefined);
  clock.setWall(0);
  clock.advance(1_000);

  assert.equal(claim.lost, "expired");
  assert.ok(await claims.claim("book", { owner: "b", leaseMs: 1_000, waitMs: 0 }));
});

test("MemoryClaims has one holder at a time, and rising tokens, whatever is done in whatever order", async (t) => {
  t.diagnostic(`seed ${seed}`);
  const action = fc.record({
    owner: fc.constantFrom("a", "b", "c"),
    does: fc.constantFrom("claim", "claim", "ask", "renew", "release", "abort", "time", "much time"),
  });
  const property = fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
    const clock = new ManualClock(0);
    const claims = new MemoryClaims({ clock });
    const granted: Claim[] = [];
    const stops: AbortController[] = [];
    const pending: Promise<unknown>[] = [];
    const take = (owner: string, waitMs: number): void => {
      const stop = new AbortController();
      stops.push(stop);
      const options = { owner, leaseMs: 1_000, waitMs, signal: stop.signal, onTimeout: "undefined" } as const;
      const claim = claims.claim("book", options).then((got) => got !== undefined && granted.push(got));
      pending.push(claim.catch((error: unknown) => assert.match(String(error), /abort/i)));
    };
    for (const { owner, does } of actions) {
      const newest = granted.findLast((claim) => claim.owner === owner);
      if (does === "claim") take(owner, 5_000);
      if (does === "ask") take(owner, 0);
      if (does === "renew") pending.push(newest?.renew().catch(isLost) ?? Promise.resolve());
      if (does === "release") pending.push(newest?.release() ?? Promise.resolve());
      if (does === "abort") stops.shift()?.abort();
      if (does === "time") clock.advance(300);
      if (does === "much time") clock.advance(1_000);
      await new Promise(setImmediate);
      assert.ok(granted.filter((claim) => claim.lost === undefined).length <= 1, "two hold it");
      assert.ok(
        granted.every((claim, n) => n === 0 || claim.token > granted[n - 1]!.token),
        "a token fell",
      );
    }
    // Time alone serves everybody who still waits.
    for (let n = 0; n < 60; n += 1) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
    await Promise.all(pending);
    assert.ok(await claims.claim("book", { owner: "d", leaseMs: 1_000, waitMs: 0 }));
  });

  await fc.assert(property, { seed, numRuns: 150 });
});

function isLost(error: unknown): void {
  assert.equal(codeOf(error), "LOCK_CLAIM_LOST");
}

test("MemoryClaims leaves no timer behind", async () => {
  let pending = 0;
  const manual = new ManualClock(0);
  const clock = {
    now: () => manual.now(),
    monotonicMs: () => manual.monotonicMs(),
    after(delayMs: number, run: () => void): () => void {
      let isPending = true;
      const end = (): void => {
        if (isPending) pending -= 1;
        isPending = false;
      };
      pending += 1;
      const cancel = manual.after(delayMs, () => {
        end();
        run();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
  const claims = new MemoryClaims({ clock });
  const holder = await claims.claim("book", { owner: "a", leaseMs: 1_000 });
  const stop = new AbortController();
  const aborted = claims.claim("book", { owner: "b", leaseMs: 1_000, signal: stop.signal });
  const waiter = claims.claim("book", { owner: "c", leaseMs: 1_000 });

  stop.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  await holder.release();
  await (await waiter).release();

  assert.equal(pending, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsContract } from "../../../test/kit/claims-contract/index.js";
import { ManualClock } from "../../base/index.js";
import { MemoryClaims } from "./memory-claims.js";

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

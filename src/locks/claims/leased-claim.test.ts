import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, ManualClock } from "../../base/index.js";
import { type ClaimBackend, LeasedClaim } from "./leased-claim.js";

const grant = { name: "book", owner: "a", token: 7, leaseMs: 1_000, askedMs: 0 };

/** A backend whose answers the test gives. */
class SlowBackend implements ClaimBackend {
  readonly calls: string[] = [];
  answer: (isOurs: boolean) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  renew(token: number, leaseMs: number): Promise<boolean> {
    this.calls.push(`renew ${token} ${leaseMs}`);
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.fail = reject;
    });
  }

  release(token: number): Promise<void> {
    this.calls.push(`release ${token}`);
    return Promise.resolve();
  }
}

test("LeasedClaim ends a tenth of its lease early, counted from before the request", () => {
  const clock = new ManualClock(0);
  clock.advance(400);
  const claim = new LeasedClaim(grant, new SlowBackend(), clock);

  assert.equal(claim.leftMs, 500);
  clock.advance(499);
  assert.equal(claim.signal.aborted, false);
  clock.advance(1);

  assert.equal(claim.signal.aborted, true);
});

test("LeasedClaim that took longer to be granted than it lasts is lost from the start", () => {
  const clock = new ManualClock(0);
  clock.advance(900);

  assert.throws(() => new LeasedClaim(grant, new SlowBackend(), clock).check(), { reason: "expired" });
});

test("LeasedClaim is lost once the clock says so, though the event loop was blocked and no timer ran", () => {
  const manual = new ManualClock(0);
  let blockedMs = 0;
  const clock: Clock = {
    now: () => manual.now(),
    monotonicMs: () => manual.monotonicMs() + blockedMs,
    after: (delayMs, run) => manual.after(delayMs, run),
  };
  const claim = new LeasedClaim(grant, new SlowBackend(), clock);
  let aborts = 0;
  claim.signal.addEventListener("abort", () => {
    aborts += 1;
  });

  blockedMs = 900;

  assert.throws(() => claim.check(), { code: "LOCK_CLAIM_LOST", reason: "expired" });
  manual.advance(5_000);
  assert.equal(aborts, 1);
});

test("LeasedClaim.renew() counts from before the request, and one waits for the other", async () => {
  const clock = new ManualClock(0);
  const backend = new SlowBackend();
  const claim = new LeasedClaim(grant, backend, clock);
  const longer = claim.renew(5_000);
  const shorter = claim.renew(500);
  await Promise.resolve();
  clock.advance(300);

  backend.answer(true);
  await longer;
  assert.equal(claim.leftMs, 4_200);
  await new Promise(setImmediate);
  backend.answer(true);
  await shorter;

  assert.equal(claim.leftMs, 450);
  assert.deepEqual(backend.calls, ["renew 7 5000", "renew 7 500"]);
});

test("LeasedClaim.renew() whose answer comes too late does not bring the claim back, and gives it up", async () => {
  const clock = new ManualClock(0);
  const backend = new SlowBackend();
  const claim = new LeasedClaim(grant, backend, clock);
  const renewal = claim.renew();
  await Promise.resolve();
  clock.advance(950);

  backend.answer(true);

  await assert.rejects(renewal, { code: "LOCK_CLAIM_LOST", reason: "expired" });
  assert.deepEqual(backend.calls, ["renew 7 1000", "release 7"]);
});

test("LeasedClaim.renew() that can't reach its backend leaves the claim until its lease ends", async () => {
  const clock = new ManualClock(0);
  const backend = new SlowBackend();
  const claim = new LeasedClaim(grant, backend, clock);
  const renewal = claim.renew();
  await Promise.resolve();

  backend.fail(new Error("connection refused"));

  await assert.rejects(renewal, { code: "LOCK_CLAIM_UNAVAILABLE", retryable: true });
  claim.check();
  clock.advance(900);
  assert.equal(claim.lost, "expired");
});

test("LeasedClaim.release() waits for a renewal under way, so that none can come after it", async () => {
  const backend = new SlowBackend();
  const claim = new LeasedClaim(grant, backend, new ManualClock(0));
  const renewal = claim.renew();
  await Promise.resolve();
  const release = claim.release();
  await new Promise(setImmediate);
  assert.deepEqual(backend.calls, ["renew 7 1000"]);

  backend.answer(true);

  await assert.rejects(renewal, { reason: "released" });
  await release;
  assert.deepEqual(backend.calls, ["renew 7 1000", "release 7"]);
});

test("LeasedClaim.release() says when its backend can't be reached, and is over all the same", async () => {
  const backend = new SlowBackend();
  backend.release = () => Promise.reject(new Error("connection refused"));
  const claim = new LeasedClaim(grant, backend, new ManualClock(0));

  await assert.rejects(claim.release(), { code: "LOCK_CLAIM_UNAVAILABLE" });

  assert.equal(claim.lost, "released");
});

test("LeasedClaim.renew() that is told that another has the claim loses it at once", async () => {
  const backend = new SlowBackend();
  const claim = new LeasedClaim(grant, backend, new ManualClock(0));
  const { signal } = claim;
  const renewal = claim.renew();
  await Promise.resolve();

  backend.answer(false);

  await assert.rejects(renewal, { code: "LOCK_CLAIM_LOST", reason: "taken" });
  assert.deepEqual([signal.aborted, claim.leftMs], [true, 0]);
  await claim.release();
  assert.deepEqual(backend.calls, ["renew 7 1000"]);
});

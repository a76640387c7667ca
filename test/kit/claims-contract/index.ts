import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Claim, ClaimLostError, type Claims, TokenGate } from "../../../src/locks/index.js";

/** Some claims to be tested, and their time. */
export interface ClaimsLab {
  /** The claims as another process sees them; a new client each time. */
  client(): Claims;
  /** Lets time pass, for the claims and for all clients. */
  advance(byMs: number): Promise<void>;
  close?(): Promise<void>;
}

export type OpenClaims = () => ClaimsLab | Promise<ClaimsLab>;

const leaseMs = 1_000;
const asQuestion = { leaseMs, waitMs: 0, onTimeout: "undefined" } as const;

/** The guarantees of claims, each as a test; `open` gives new ones each time. */
export function claimsContract(name: string, open: OpenClaims): void {
  const check = (what: string, body: (lab: ClaimsLab) => Promise<void>): void => {
    test(`${name}: ${what}`, async (t: TestContext) => {
      const lab = await open();
      t.after(() => lab.close?.());
      await body(lab);
    });
  };

  check("a name is one owner's, other names are free", async (lab) => {
    const [ours, theirs] = [lab.client(), lab.client()];
    const claim = await ours.claim("book", { owner: "a", leaseMs });

    assert.deepEqual(
      [claim.name, claim.owner, claim.lost, claim.signal.aborted],
      ["book", "a", undefined, false],
    );
    assert.equal(await theirs.claim("book", { ...asQuestion, owner: "b" }), undefined);
    const busy = theirs.claim("book", { owner: "b", leaseMs, waitMs: 0 });
    await assert.rejects(busy, { code: "LOCK_CLAIM_BUSY", claim: "book", retryable: true });
    assert.ok(await theirs.claim("other", { ...asQuestion, owner: "b" }));
  });

  check("tokens of a name rise with each grant, also after a release and an expiry", async (lab) => {
    const tokens: number[] = [];
    const take = async (owner: string): Promise<Claim> => {
      const claim = await lab.client().claim("book", { owner, leaseMs });
      tokens.push(claim.token);
      return claim;
    };

    await (await take("a")).release();
    await take("b");
    await lab.advance(leaseMs);
    await take("a");
    await take("a");

    assert.ok(tokens.every((token) => Number.isSafeInteger(token) && token > 0));
    assert.deepEqual(
      tokens,
      [...new Set(tokens)].sort((a, b) => a - b),
    );
  });

  check("those who wait are served in order, and who gives up is stepped over", async (lab) => {
    const holder = await lab.client().claim("book", { owner: "a", leaseMs: 60_000 });
    const stop = new AbortController();
    const order: string[] = [];
    const wait = (owner: string, options: { waitMs?: number; signal?: AbortSignal } = {}): Promise<void> =>
      lab
        .client()
        .claim("book", { owner, leaseMs: 60_000, ...options })
        .then(async (claim) => {
          order.push(owner);
          await claim.release();
        });
    const aborted = wait("b", { signal: stop.signal });
    const first = wait("c");
    const brief = wait("d", { waitMs: 50 });
    const second = wait("e");
    const asked = lab.client().claim("book", { owner: "f", leaseMs, waitMs: 50, onTimeout: "undefined" });

    stop.abort(new RangeError("enough"));
    await assert.rejects(aborted, /enough/);
    await Promise.all([
      assert.rejects(brief, { code: "LOCK_CLAIM_TIMEOUT", claim: "book", waitMs: 50 }),
      asked.then((claim) => assert.equal(claim, undefined)),
      lab.advance(50),
    ]);
    await holder.release();
    await Promise.all([first, second]);

    assert.deepEqual(order, ["c", "e"]);
  });

  check("an aborted signal claims nothing", async (lab) => {
    const signal = AbortSignal.abort(new RangeError("enough"));

    await assert.rejects(lab.client().claim("book", { owner: "a", leaseMs, signal }), /enough/);

    assert.ok(await lab.client().claim("book", { ...asQuestion, owner: "b" }));
  });

  check(
    "a claim that is not renewed goes to the next, its holder having been told once and before",
    async (lab) => {
      const holder = await lab.client().claim("book", { owner: "a", leaseMs });
      let aborts = 0;
      holder.signal.addEventListener("abort", () => {
        aborts += 1;
      });
      const wasToldBefore = lab
        .client()
        .claim("book", { owner: "b", leaseMs })
        .then(() => aborts === 1);

      await lab.advance(leaseMs);

      assert.equal(await wasToldBefore, true);
      assert.deepEqual([holder.lost, holder.leftMs], ["expired", 0]);
      assert.ok(holder.signal.reason instanceof ClaimLostError);
      await holder.release();
      assert.equal(aborts, 1);
      assert.throws(() => holder.check(), {
        code: "LOCK_CLAIM_LOST",
        reason: "expired",
        token: holder.token,
      });
    },
  );

  check("a claim that is renewed stays", async (lab) => {
    const holder = await lab.client().claim("book", { owner: "a", leaseMs });
    for (let n = 0; n < 3; n += 1) {
      await lab.advance(leaseMs * 0.6);
      await holder.renew();
    }

    holder.check();
    assert.equal(await lab.client().claim("book", { ...asQuestion, owner: "b" }), undefined);
    assert.ok(holder.leftMs > 0 && holder.leftMs <= leaseMs);
  });

  check(
    "a holder that was paused past its lease can't renew, and a token gate turns its write away",
    async (lab) => {
      const gate = new TokenGate("balance");
      const paused = await lab.client().claim("book", { owner: "a", leaseMs });
      await lab.advance(leaseMs);
      const next = await lab.client().claim("book", { owner: "b", leaseMs });
      gate.pass(next.token);

      await assert.rejects(paused.renew(), { code: "LOCK_CLAIM_LOST", reason: "expired" });

      assert.throws(() => gate.pass(paused.token), { code: "LOCK_TOKEN_STALE", newest: next.token });
      assert.equal(paused.signal.aborted, true);
      await paused.release();
      gate.pass(next.token);
      await next.renew();
    },
  );

  check("a claim that expired is not renewed, even when nobody took it", async (lab) => {
    const holder = await lab.client().claim("book", { owner: "a", leaseMs });

    await lab.advance(leaseMs);

    await assert.rejects(holder.renew(), { code: "LOCK_CLAIM_LOST" });
    assert.ok(await lab.client().claim("book", { ...asQuestion, owner: "b" }));
  });

  check("an owner that claims again fences off its former self", async (lab) => {
    const former = await lab.client().claim("book", { owner: "a", leaseMs });
    const newer = await lab.client().claim("book", { owner: "a", leaseMs });

    assert.ok(newer.token > former.token);
    await assert.rejects(former.renew(), { code: "LOCK_CLAIM_LOST", reason: "taken" });
    await former.release();
    await newer.renew();
    assert.equal(await lab.client().claim("book", { ...asQuestion, owner: "b" }), undefined);
  });

  check("release() gives the claim to the next at once, and may be called again", async (lab) => {
    const holder = await lab.client().claim("book", { owner: "a", leaseMs: 60_000 });
    const waiter = lab.client().claim("book", { owner: "b", leaseMs: 60_000 });

    await Promise.all([holder.release(), holder.release()]);
    const next = await waiter;
    await holder.release();

    assert.deepEqual([holder.lost, holder.signal.aborted], ["released", true]);
    await assert.rejects(holder.renew(), { code: "LOCK_CLAIM_LOST", reason: "released" });
    await next.renew();
  });

  check("release() during a renewal wins", async (lab) => {
    const holder = await lab.client().claim("book", { owner: "a", leaseMs: 60_000 });

    const renewal = holder.renew();
    const release = holder.release();

    await assert.rejects(renewal, { code: "LOCK_CLAIM_LOST", reason: "released" });
    await release;
    assert.ok(await lab.client().claim("book", { ...asQuestion, owner: "b" }));
  });

  check("a claim ends with its block", async (lab) => {
    {
      await using claim = await lab.client().claim("book", { owner: "a", leaseMs: 60_000 });
      claim.check();
    }

    assert.ok(await lab.client().claim("book", { ...asQuestion, owner: "b" }));
  });

  check("options outside their range are refused", async (lab) => {
    const claims = lab.client();

    await assert.rejects(claims.claim("book", { owner: "", leaseMs }), { option: "owner" });
    await assert.rejects(claims.claim("book", { owner: "a", leaseMs: 0 }), { option: "leaseMs" });
    await assert.rejects(claims.claim("book", { owner: "a", leaseMs, waitMs: -1 }), { option: "waitMs" });
    const claim = await claims.claim("book", { owner: "a", leaseMs });
    await assert.rejects(claim.renew(Number.NaN), { option: "leaseMs" });
    claim.check();
  });
}

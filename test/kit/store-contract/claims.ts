import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, Lab, type OpenStore, secondMs } from "./lab.js";

/** Claims with fencing tokens, and the lanes that they guard. */
export function claims(name: string, open: OpenStore): void {
  test(`${name}: a claim is one owner's until it ends, and its token rises with every grant`, async (t) => {
    const lab = await Lab.open(t, open);

    const a = (await lab.store.claim("file", "a", secondMs))!;
    assert.equal(await lab.store.claim("file", "b", secondMs), undefined);
    lab.clock.advance(secondMs);
    const b = (await lab.store.claim("file", "b", secondMs))!;

    assert.ok(b.token > a.token);
    assert.equal(await lab.store.renewClaim(a, secondMs), false);
    assert.equal(await lab.store.renewClaim(b, secondMs), true);
    await lab.store.releaseClaim(a);
    assert.equal(
      await lab.store.claim("file", "c", secondMs),
      undefined,
      "a late owner can't release another's",
    );
    await lab.store.releaseClaim(b);
    const c = (await lab.store.claim("file", "c", secondMs))!;
    assert.ok(c.token > b.token);
  });

  test(`${name}: a claim that ended and was not taken can be renewed`, async (t) => {
    const lab = await Lab.open(t, open);
    const a = (await lab.store.claim("file", "a", secondMs))!;

    lab.clock.advance(10 * secondMs);

    assert.equal(await lab.store.renewClaim(a, secondMs), true);
    assert.equal(await lab.store.claim("file", "b", secondMs), undefined);
  });

  test(`${name}: an owner that claims again fences off its former self`, async (t) => {
    const lab = await Lab.open(t, open);
    const before = (await lab.store.claim("file", "a", secondMs))!;

    const after = (await lab.store.claim("file", "a", secondMs))!;

    assert.ok(after.token > before.token);
    assert.equal(await lab.store.renewClaim(before, secondMs), false);
  });

  test(`${name}: a lane takes its state under the newest token only`, async (t) => {
    const lab = await Lab.open(t, open);
    const old = (await lab.store.claim("book", "a", secondMs))!;
    const write = (token: number): Promise<number> =>
      lab.settle({
        events: [counted("x")],
        delta: { ordered: [{ lane: "book", token, state: Buffer.from("bids") }] },
      });
    await write(old.token);
    lab.clock.advance(secondMs);
    const owner = (await lab.store.claim("book", "b", secondMs))!;
    const before = await lab.picture();

    await assert.rejects(write(old.token), { code: "SETTLEMENT_LANE_FENCED" });

    assert.equal(await lab.picture(), before);
    await write(owner.token);
    await lab.store.releaseClaim(owner);
    await assert.rejects(write(owner.token), { code: "SETTLEMENT_LANE_FENCED" });
  });
}

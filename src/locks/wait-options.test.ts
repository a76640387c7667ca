import assert from "node:assert/strict";
import { test } from "node:test";
import { LockDomain } from "./index.js";

test("a wait of less than nothing is refused by every kind of lock", async () => {
  const domain = new LockDomain();
  const refused = { code: "OPTION_INVALID", option: "waitMs" };
  for (const waitMs of [-1, Number.NaN]) {
    await assert.rejects(domain.mutex("m").acquire({ waitMs }), refused);
    await assert.rejects(domain.latch("l").wait({ waitMs }), refused);
    const lock = domain.readWriteLock("rw");
    await lock.read.run((hold) => assert.rejects(lock.upgrade(hold, { waitMs }), refused));
  }
});

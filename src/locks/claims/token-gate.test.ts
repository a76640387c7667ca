import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenGate } from "./token-gate.js";

test("TokenGate lets a token pass again and again, and none that is lower than one it has seen", () => {
  const gate = new TokenGate("balance", 4);

  assert.throws(() => gate.pass(3), { code: "LOCK_TOKEN_STALE", resource: "balance", token: 3, newest: 4 });
  for (const token of [4, 4, 9]) gate.pass(token);

  assert.throws(() => gate.pass(8), { newest: 9 });
  assert.equal(gate.newest, 9);
});

test("TokenGate refuses what is no token, and does not let it count", () => {
  const gate = new TokenGate("balance");

  for (const token of [Number.NaN, -1, 1.5, 2 ** 53])
    assert.throws(() => gate.pass(token), { option: "token" });

  assert.equal(gate.newest, 0);
});

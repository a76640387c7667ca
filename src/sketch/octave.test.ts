import assert from "node:assert/strict";
import { test } from "node:test";
import { octaveBoundaries } from "./octave.js";

test("octaveBoundaries are the largest doubles that are not above 2^(k/256)", () => {
  assert.equal(octaveBoundaries.length, 256);
  for (const [k, boundary] of octaveBoundaries.entries()) {
    const unit = 2 ** -52;
    const power = 1n << BigInt(52 * 256 + k);

    assert.ok(BigInt(boundary / unit) ** 256n <= power, `2^(${k}/256)`);
    assert.ok((BigInt(boundary / unit) + 1n) ** 256n > power, `2^(${k}/256)`);
  }
});

test("octaveBoundaries share no 1024th of the octave", () => {
  const parts = octaveBoundaries.map((boundary) => Math.floor(boundary * 1024));

  assert.equal(new Set(parts).size, 256);
});

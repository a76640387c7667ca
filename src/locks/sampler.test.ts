import assert from "node:assert/strict";
import { test } from "node:test";
import { Sampler } from "./sampler.js";

function take(sampler: Sampler, asked: number): number {
  let taken = 0;
  for (let i = 0; i < asked; i += 1) taken += sampler.take() ? 1 : 0;
  return taken;
}

test("Sampler takes the first few, and each one when asked to", () => {
  assert.equal(take(new Sampler(64), 8), 8);
  assert.equal(take(new Sampler(1), 1000), 1000);
});

test("Sampler takes ever fewer, down to 1 in n on average", () => {
  const sampler = new Sampler(16);

  const first = take(sampler, 1_000);
  assert.ok(first > 110 && first < 200, `took ${first} of the first 1,000`);

  const asked = 160_000;
  const taken = take(sampler, asked);
  // Distances are uniform in 1..31, so their number has a standard deviation of about 54 here.
  assert.ok(Math.abs(taken - asked / 16) < 400, `took ${taken} of ${asked}`);
});

test("Sampler does not keep step with a program that does things in a rhythm", () => {
  const sampler = new Sampler(16);
  const takenAt = new Array<number>(4).fill(0);
  for (let i = 0; i < 64_000; i += 1) if (sampler.take()) takenAt[i % 4]! += 1;

  for (const times of takenAt) assert.ok(times > 800 && times < 1200, `taken by place: ${takenAt}`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anySnapshot } from "../../../test/kit/any-snapshot.js";
import { ByteWriter } from "../../base/index.js";
import { counterBy, histogramOf, snapshotOf } from "./snapshot.testkit.js";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-codec.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? 20261121);

test(`decodeSnapshot() answers what encodeSnapshot() was given, of every shape (POUNDLOCK_SEED=${seed})`, () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      const decoded = decodeSnapshot(encodeSnapshot(snapshot));

      assert.deepStrictEqual(decoded, snapshot);
    }),
    { seed, numRuns: 400 },
  );
});

test("decodeSnapshot() keeps lone surrogates, NaN, -0 and the infinities", () => {
  const values = [Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324];
  const points = values.map((value, at) => ({ labels: [`\ud800${at}`], startedMs: 0, value }));
  const snapshot = snapshotOf(1, { ...counterBy("\udfff", "k", {}), points });

  assert.deepStrictEqual(decodeSnapshot(encodeSnapshot(snapshot)), snapshot);
});

test(`decodeSnapshot() refuses bytes that were changed, or reads them as a snapshot that can be encoded again (POUNDLOCK_SEED=${seed})`, () => {
  let refusals = 0;
  fc.assert(
    fc.property(anySnapshot, fc.nat(), fc.integer({ min: 1, max: 255 }), (snapshot, at, change) => {
      const bytes = encodeSnapshot(snapshot);
      bytes[at % bytes.length]! ^= change;
      try {
        encodeSnapshot(decodeSnapshot(bytes));
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        refusals += 1;
      }
    }),
    { seed, numRuns: 1_000 },
  );
  assert.ok(refusals > 100, `only ${refusals} refusals`);
});

test("decodeSnapshot() refuses every cut of a snapshot, and whatever follows one", () => {
  const family = { kind: "histogram" as const, name: "h", help: "", labelNames: ["a"] };
  const points = [{ labels: ["x"], startedMs: 1, histogram: histogramOf(1, 2, -3) }];
  const bytes = encodeSnapshot(snapshotOf(5, counterBy("c", "k", { a: 1, b: 2 }), { ...family, points }));

  for (let length = 0; length < bytes.length; length += 1)
    assert.throws(() => decodeSnapshot(bytes.subarray(0, length)), RangeError, `${length} bytes`);
  assert.throws(() => decodeSnapshot(Buffer.concat([bytes, Buffer.of(0)])), /something follows/);
  assert.throws(() => decodeSnapshot(Buffer.from("{ a: 1 }")), /do not begin/);
});

test("decodeSnapshot() is not made to reserve memory by a count that the bytes do not hold", () => {
  const writer = new ByteWriter();
  const head = encodeSnapshot(snapshotOf(5)).slice(0, -1);
  for (const byte of head) writer.u8(byte);
  writer.varint(2 ** 52);

  assert.throws(() => decodeSnapshot(writer.finish()), RangeError);
});

test("decodeSnapshot() refuses a second overflow series, whose labels take no bytes", () => {
  const overflow = { labels: [""], isOverflow: true, startedMs: 0, value: 1 };
  const family = { ...counterBy("c", "k", {}), points: [overflow, overflow] };

  assert.throws(() => decodeSnapshot(encodeSnapshot(snapshotOf(0, family))), /two overflow series/);
});

test("encodeSnapshot() refuses labels that do not fit their names, and counts that are none", () => {
  const misfit = { ...counterBy("c", "k", {}), points: [{ labels: [], startedMs: 0, value: 1 }] };
  const family = { kind: "histogram" as const, name: "h", help: "", labelNames: [] };
  const halves = { ...histogramOf(1), positive: { indexes: [0], counts: [0.5] } };

  assert.throws(() => encodeSnapshot(snapshotOf(0, misfit)), /0 label values for 1 names/);
  assert.throws(
    () =>
      encodeSnapshot(snapshotOf(0, { ...family, points: [{ labels: [], startedMs: 0, histogram: halves }] })),
    /0.5 is no count/,
  );
});

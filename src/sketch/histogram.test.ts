import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { distributions, share } from "../../test/kit/distributions.js";
import { ByteReader, ByteWriter, OptionError } from "../base/index.js";
import { Histogram } from "./index.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? randomInt(2 ** 31));
const quantiles = [0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

for (const [name, values] of Object.entries(distributions)) {
  test(`Histogram.quantile() stays within its bound of the sorted values: ${name} (POUNDLOCK_SEED=${seed})`, () => {
    const check = fc.property(
      fc.array(values, { minLength: 1, maxLength: 400, size: "max" }),
      share,
      (list, q) => {
        assertQuantiles(list, [...quantiles, q]);
      },
    );

    fc.assert(check, { seed, numRuns: 60 });
  });
}

test("Histogram.quantile() stays within its bound at both ends of every bucket of an octave", () => {
  const { relativeErrorMax } = Histogram;
  for (const exponent of [-1022, -500, -1, 0, 10, 1023]) {
    for (const { lower, upper } of histogramOf(
      Array.from({ length: 2048 }, (_, i) => (1 + i / 2048) * 2 ** exponent),
    ).buckets()) {
      const lowest = lower + 2 ** (Math.floor(Math.log2(upper) - 1e-9) - 52);
      for (const value of [lowest, upper]) {
        // Neighbours at a distance keep the value in the middle from being min or max, which are exact.
        const estimate = histogramOf([value / 2, value, value, Number.MAX_VALUE]).quantile(0.5);
        assert.ok(Math.abs(estimate - value) <= relativeErrorMax * value, `${value} -> ${estimate}`);
      }
    }
  }
  assert.ok(relativeErrorMax > (2 ** (1 / 32) - 1) / (2 ** (1 / 32) + 1) && relativeErrorMax < 0.010832);
});

test(`Histogram has exact count, min, max, sum and mean (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(
    fc.array(fc.oneof(...Object.values(distributions)), { minLength: 1, maxLength: 99, size: "max" }),
    (list) => {
      const histogram = histogramOf(list);

      assert.equal(histogram.count, list.length);
      assert.equal(histogram.min, Math.min(...list) + 0);
      assert.equal(histogram.max, Math.max(...list) + 0);
      assert.ok(histogram.mean >= histogram.min && histogram.mean <= histogram.max);
    },
  );

  fc.assert(check, { seed, numRuns: 300 });
  assert.equal(histogramOf([0.1, 0.2, 0.3, 1e300, -1e300]).sum, 0.6);
  assert.equal(histogramOf([1e308, 1e308, 1e308]).sum, Number.POSITIVE_INFINITY);
  assert.equal(histogramOf([1e308, 1e308, 1e308]).mean, 1e308);
});

test(`Histogram.merge() of any split in any order gives the bytes of the whole (POUNDLOCK_SEED=${seed})`, () => {
  const lists = fc
    .constantFrom(...Object.values(distributions))
    .chain((values) => fc.array(values, { maxLength: 500, size: "max" }));
  const shuffle = fc.array(fc.nat(3), { minLength: 500, maxLength: 500 });

  const check = fc.property(lists, shuffle, (list, pile) => {
    const piles = [0, 1, 2, 3].map((which) => histogramOf(list.filter((_, i) => pile[i] === which)));
    const merged = new Histogram();
    piles[2]!.merge(decoded(bytesOf(piles[1]!)));
    merged.merge(piles[3]!);
    merged.merge(piles[2]!.copy());
    merged.merge(piles[0]!);

    const bytes = bytesOf(histogramOf(list));
    assert.deepEqual(bytesOf(merged), bytes);
    assert.deepEqual(bytesOf(histogramOf(list.toReversed())), bytes);
    assert.deepEqual(bytesOf(decoded(bytes)), bytes);
    assert.deepEqual(decoded(bytes).buckets(), merged.buckets());
    for (const q of quantiles) assert.ok(Object.is(decoded(bytes).quantile(q), merged.quantile(q)));
  });

  fc.assert(check, { seed, numRuns: 150 });
});

test("Histogram keeps counts that outgrow one, two and four bytes", () => {
  const wide = histogramOf(Array.from({ length: 100 }, (_, i) => 1.03 ** i));
  const histogram = wide.copy();
  for (let i = 0; i < 46; i += 1) histogram.merge(histogram);
  for (let i = 0; i < 300; i += 1) histogram.record(1.5);

  assert.equal(histogram.count, 100 * 2 ** 46 + 300);
  assert.equal(totalOf(histogram), histogram.count);
  assert.deepEqual(bytesOf(decoded(bytesOf(histogram))), bytesOf(histogram));
  for (let n = 1; n <= 70_000; n += 1) wide.record(1);
  assert.equal(wide.buckets()[0]!.count, 70_001);
});

test("Histogram keeps every count when an outlier stretches it and when the gap fills up", () => {
  const histogram = histogramOf(Array.from({ length: 200 }, (_, i) => 1.03 ** i));
  histogram.record(1e300);
  histogram.record(1e-300);
  for (let i = 0; i < 8000; i += 1) histogram.record(1.2 ** ((i - 4000) / 1.2));

  assert.equal(totalOf(histogram), 8202);
  assert.equal(histogram.count, 8202);
});

test("Histogram is small where few values are", () => {
  assert.equal(bytesOf(new Histogram()).length, 1);
  assert.ok(bytesOf(histogramOf([3, 3, 3])).length <= 25);
  assert.ok(bytesOf(histogramOf([0.1, 7, 1e9])).length <= 50);

  const kept: Histogram[] = [];
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 20_000; i += 1) kept.push(histogramOf([i + 0.5, 1e-9, 1e12]));
  // What came and went meanwhile is not the histograms'.
  collect();
  const bytesEach = (process.memoryUsage().heapUsed - before) / kept.length;
  assert.ok(bytesEach < 700, `${bytesEach} bytes`);
});

test("Histogram.buckets() ascend, touch zero, and count everything", () => {
  const buckets = histogramOf([-4, -1.5, -1.5, 0, -0, 1, 1.01, 2]).buckets();

  assert.deepEqual(buckets[0], { lower: -4, upper: -2 * 1.9571441241754002, count: 1 });
  assert.equal(buckets[1]!.count, 2);
  assert.ok(buckets[1]!.lower <= -1.5 && -1.5 < buckets[1]!.upper);
  assert.deepEqual(buckets[2], { lower: 0, upper: 0, count: 2 });
  assert.equal(buckets[3]!.upper, 1);
  assert.deepEqual(buckets[4], { lower: 1, upper: 1.0218971486541166, count: 1 });
  assert.equal(buckets.at(-1)!.upper, 2);
});

test("Histogram.record() refuses NaN and the infinities and changes nothing", () => {
  const histogram = histogramOf([1, 2]);
  const before = bytesOf(histogram);

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.equal(histogram.record(value), false);

  assert.deepEqual(bytesOf(histogram), before);
});

test("Histogram answers NaN when empty and refuses a q outside 0..1", () => {
  const empty = new Histogram();

  assert.deepEqual(
    [empty.min, empty.max, empty.mean, empty.quantile(0.5)],
    [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
  );
  assert.deepEqual([empty.count, empty.sum, empty.buckets()], [0, 0, []]);
  for (const q of [-0.1, 1.1, 95, Number.NaN]) assert.throws(() => empty.quantile(q), OptionError);
});

test("Histogram.quantile() is exact for one value and for equal ones", () => {
  for (const value of [0, 7.3, -7.3, 5e-324, Number.MAX_VALUE, -1e308])
    for (const n of [1, 5]) {
      const histogram = histogramOf(Array.from({ length: n }, () => value));
      for (const q of quantiles) assert.equal(histogram.quantile(q), value);
    }
});

test("Histogram.copy() shares nothing", () => {
  for (const size of [3, 300]) {
    const histogram = histogramOf(Array.from({ length: size }, (_, i) => 1.01 ** i));
    const before = bytesOf(histogram);
    const copy = histogram.copy();

    copy.record(1.5);
    assert.deepEqual(bytesOf(histogram), before);
    histogram.record(2.5);
    histogram.record(-1);

    copy.merge(new Histogram());
    assert.equal(copy.count, size + 1);
    assert.equal(totalOf(copy), size + 1);
  }
});

test(`Histogram.decode() refuses damaged bytes or reads a sound histogram (POUNDLOCK_SEED=${seed})`, () => {
  const check = fc.property(
    fc.array(distributions.mixed!, { minLength: 1, maxLength: 40 }),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    (list, where, flip) => {
      const bytes = bytesOf(histogramOf(list));
      assert.throws(() => decoded(bytes.subarray(0, where % bytes.length)), RangeError);
      bytes[where % bytes.length]! ^= flip;
      try {
        const read = decoded(bytes);
        assert.equal(totalOf(read), read.count);
        assert.ok(read.count === 0 || read.min <= read.max);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    },
  );

  fc.assert(check, { seed, numRuns: 500 });
});

test("Histogram.decode() refuses parts that contradict each other", () => {
  const refused: Record<string, (writer: ByteWriter) => void> = {
    "unknown form": (w) => w.u8(16),
    "a range without values": (w) => w.u8(8),
    "no zeros": (w) => write(w, 1, [0], 0),
    "minus zero": (w) => write(w, 1, [1], -0),
    "a bucket without values": (w) => write(w, 4, [1, 2 * 31, 0], 2),
    "no buckets": (w) => write(w, 4, [0], 2),
    "min in another bucket": (w) => write(w, 12, [1, 2 * 31, 1], 1.5, 2),
    "max in another bucket": (w) => write(w, 12, [1, 2 * 31, 1], 2, 3),
    "an index beyond the doubles": (w) => write(w, 4, [1, 2 * 40_000, 1], Number.MAX_VALUE),
    "more than 2^53 values": (w) => write(w, 5, [2 ** 53 - 1, 1, 2 * 31, 1], 0, 2),
    "max below min": (w) => write(w, 12, [1, 2 * 31, 1], 2, 1.99),
  };

  for (const [what, build] of Object.entries(refused)) {
    const writer = new ByteWriter();
    build(writer);
    writer.u8(0);
    assert.throws(() => decoded(writer.finish()), RangeError, what);
  }
  const sound = new ByteWriter();
  write(sound, 4, [1, 2 * 31, 1], 2);
  sound.u8(0);
  assert.equal(decoded(sound.finish()).count, 1);
});

function write(writer: ByteWriter, parts: number, varints: readonly number[], ...doubles: number[]): void {
  writer.u8(parts);
  for (const value of varints) writer.varint(value);
  for (const value of doubles) writer.f64(value);
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function bytesOf(histogram: Histogram): Uint8Array {
  const writer = new ByteWriter();
  histogram.encode(writer);
  return writer.finish();
}

function decoded(bytes: Uint8Array): Histogram {
  return Histogram.decode(new ByteReader(bytes));
}

function totalOf(histogram: Histogram): number {
  return histogram.buckets().reduce((sum, bucket) => sum + bucket.count, 0);
}

function assertQuantiles(list: readonly number[], qs: readonly number[]): void {
  const histogram = histogramOf(list);
  const sorted = list.toSorted((a, b) => a - b);
  for (const q of qs) {
    const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
    const estimate = histogram.quantile(q);
    const isSubnormal = Math.abs(exact) < 2 ** -1022;
    // Whole numbers of the smallest double: an error below 1.5 of them is at most 1.
    const errorMax = isSubnormal
      ? Math.floor(Histogram.relativeErrorMax * (Math.abs(exact) / Number.MIN_VALUE) + 0.5) * Number.MIN_VALUE
      : Histogram.relativeErrorMax * Math.abs(exact);
    assert.ok(Math.abs(estimate - exact) <= errorMax, `q ${q}: ${estimate} for ${exact}`);
    assert.ok(estimate >= histogram.min && estimate <= histogram.max);
  }
}

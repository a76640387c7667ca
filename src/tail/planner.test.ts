import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Plan, type PlanInput, planRange, WINDOW_BYTES } from "./planner.js";

const KIB = 1024;
const seed = process.env.POUNDLOCK_SEED;
const runs = { numRuns: 300, ...(seed === undefined ? {} : { seed: Number(seed) }) };

class Content {
  readonly bytes: Buffer;
  reads = 0;
  readBytes = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  readonly read = async (position: number, length: number): Promise<Buffer> => {
    const bytes = this.bytes.subarray(position, position + length);
    this.reads += 1;
    this.readBytes += bytes.length;
    return bytes;
  };

  plan(input: Partial<PlanInput>): Promise<Plan> {
    return planRange(
      {
        start: 0,
        size: this.bytes.length,
        scannedTo: 0,
        isFinal: false,
        rangeBytesMax: 4 * KIB * KIB,
        lineBytesMax: KIB * KIB,
        ...input,
      },
      this.read,
    );
  }

  /** Plans to the end, as a follower does. */
  async planAll(input: Partial<PlanInput>): Promise<{ kind: string; start: number; end: number }[]> {
    const ranges: { kind: string; start: number; end: number }[] = [];
    let start = 0;
    let scannedTo = 0;
    for (;;) {
      const plan = await this.plan({ ...input, start, scannedTo });
      if (plan.kind === "wait" || plan.kind === "shrunk") return ranges;
      if (plan.kind === "more") {
        scannedTo = plan.scannedTo;
        continue;
      }
      ranges.push({ kind: plan.kind, start, end: plan.end });
      start = scannedTo = plan.end;
    }
  }
}

test("planRange() plans 4 MiB of short lines with one read of one window", async () => {
  const content = new Content(Buffer.from(`${"x".repeat(99)}\n`.repeat(80_000)));

  const plan = await content.plan({});

  assert.equal(plan.kind, "lines");
  assert.ok(plan.kind === "lines" && plan.end % 100 === 0 && plan.end > 4 * KIB * KIB - 100);
  assert.equal(content.reads, 1);
  assert.ok(content.readBytes <= WINDOW_BYTES + 256);
});

test("planRange() makes one oversize range of a line of 100 MB, looking at each byte once", async () => {
  const line = 100 * 1000 * 1000;
  const content = new Content(Buffer.concat([Buffer.alloc(line, "x"), Buffer.from("\nshort\n")]));

  const ranges = await content.planAll({});

  assert.deepEqual(ranges, [
    { kind: "oversize", start: 0, end: line + 1 },
    { kind: "lines", start: line + 1, end: line + 7 },
  ]);
  assert.ok(content.readBytes < 1.2 * line);
});

test("planRange() does not look again at what it has seen of a line that grows", async () => {
  const content = new Content(Buffer.alloc(20 * KIB * KIB, "x"));
  let scannedTo = 0;

  for (let size = KIB * KIB; size <= content.bytes.length; size += KIB * KIB) {
    const plan = await content.plan({ size, scannedTo });
    assert.equal(plan.kind, "wait");
    scannedTo = plan.kind === "wait" ? plan.scannedTo : -1;
    assert.equal(scannedTo, size);
  }

  assert.ok(content.readBytes < 1.1 * content.bytes.length);
});

test("planRange() takes the unterminated rest as lines, or as oversize when it is too long, only at the end", async () => {
  const content = new Content(Buffer.from(`a\n${"x".repeat(5000)}`));
  const limits = { rangeBytesMax: 8 * KIB, lineBytesMax: KIB };

  assert.deepEqual(await content.planAll(limits), [{ kind: "lines", start: 0, end: 2 }]);
  assert.deepEqual(await content.planAll({ ...limits, isFinal: true }), [
    { kind: "lines", start: 0, end: 2 },
    { kind: "oversize", start: 2, end: 5002 },
  ]);
});

test("planRange() covers any bytes without gap, on line borders, within its limits", async () => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.nat(60) },
    { weight: 1, arbitrary: fc.integer({ min: 900, max: 6000 }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 60 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 64, max: 5000 }),
      fc.integer({ min: 32, max: 2000 }),
      async (lengths, isTerminated, isFinal, rangeBytesMax, lineBytesMax) => {
        const text = lengths.map((length) => "y".repeat(length)).join("\n") + (isTerminated ? "\n" : "");
        const content = new Content(Buffer.from(text));

        const ranges = await content.planAll({ isFinal, rangeBytesMax, lineBytesMax });

        const covered = isFinal ? text.length : text.lastIndexOf("\n") + 1;
        assert.equal(ranges.at(-1)?.end ?? 0, covered);
        let at = 0;
        for (const { kind, start, end } of ranges) {
          assert.equal(start, at);
          at = end;
          assert.ok(text[end - 1] === "\n" || end === text.length);
          const body = text.slice(start, end).replace(/\n$/, "");
          if (kind === "oversize") assert.ok(body.length > lineBytesMax && !body.includes("\n"));
          else assert.ok(end - start <= Math.max(rangeBytesMax, lineBytesMax + 1));
        }
      },
    ),
    runs,
  );
});

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OrderLines, parseSize, writeOrderFile } from "./order-lines.js";

interface Line {
  readonly time: string;
  readonly status: string;
  readonly order: { readonly coin: string; readonly oid: number; readonly timestamp: number };
}

test("writeOrderFile() writes lines that JSON.parse reads as its oracle says", () => {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-orders-"));
  const path = join(directory, "orders.jsonl");

  const oracle = writeOrderFile(path, 2_000_000, { seed: 7 });

  const text = readFileSync(path, "utf8");
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const byStatus = new Map<string, number>();
  const byPair = new Map<string, number>();
  let previous = lines[0]!;
  for (const line of lines) {
    byStatus.set(line.status, (byStatus.get(line.status) ?? 0) + 1);
    const pair = `${line.status} ${line.order.coin}`;
    byPair.set(pair, (byPair.get(pair) ?? 0) + 1);
    assert.ok(line.time >= previous.time && line.order.oid >= previous.order.oid);
    assert.ok(Date.parse(line.time) - line.order.timestamp < 40_000);
    previous = line;
  }
  assert.equal(oracle.lines, lines.length);
  assert.equal(oracle.bytes, Buffer.byteLength(text));
  assert.deepEqual(new Map([...byStatus].sort()), new Map([...oracle.byStatus].sort()));
  assert.deepEqual(new Map([...byPair].sort()), new Map([...oracle.byStatusAndCoin].sort()));
  assert.ok(oracle.bytes > 1_990_000 && oracle.bytes <= 2_000_000);
  const mean = oracle.bytes / oracle.lines;
  assert.ok(mean > 350 && mean < 520, `a line has ${mean} bytes`);
  rmSync(directory, { recursive: true });
});

test("OrderLines makes the same bytes from the same seed, and others from another", () => {
  const [one, same, other] = [3, 3, 4].map((seed) => new OrderLines({ seed }).next(100_000));

  assert.ok(one!.equals(same!));
  assert.ok(!one!.equals(other!));
});

test("parseSize() reads decimal and binary units", () => {
  assert.equal(parseSize("300MB"), 300_000_000);
  assert.equal(parseSize("1.5 GiB"), 1_610_612_736);
  assert.equal(parseSize("42"), 42);
  assert.throws(() => parseSize("many"), RangeError);
});

import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../base/index.js";
import { openTail } from "./index.js";
import { Reader, readRange, testDirectory } from "./reader.testkit.js";

test("an appended line is handed out within milliseconds, also after a rotation, when events come", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "");
  // A poll could not be the reason: it comes once a minute.
  await using tail = await openTail({
    source: "test",
    patterns: [path],
    watermarks: [],
    pollIntervalMs: 60_000,
  });
  const delaysMs: number[] = [];

  for (let i = 0; i < 20; i += 1) {
    if (i === 10) renameSync(path, `${path}.1`);
    const range = tail.next();
    const startMs = systemClock.monotonicMs();
    appendFileSync(path, `line ${i}\n`);
    const found = await range;
    delaysMs.push(systemClock.monotonicMs() - startMs);
    assert.ok(found);
    assert.equal(readRange(found).toString(), `line ${i}\n`);
    tail.settled(found);
  }

  delaysMs.sort((a, b) => a - b);
  assert.ok(delaysMs[10]! < 20, `median ${delaysMs[10]} ms`);
});

test("without events a file's growth is found by looking every pollIntervalMs", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "");
  const reader = new Reader({ patterns: [path], pollIntervalMs: 500 });
  await reader.open();
  const next = reader.tail.next();
  await reader.tail.idle();

  appendFileSync(path, "a\n");
  reader.clock.advance(500);

  assert.equal((await next)?.end, 2);
  await reader.close();
});

test("a backlog does not keep a live file waiting for longer than a few ranges", async (t) => {
  const directory = testDirectory(t);
  const live = join(directory, "live.log");
  writeFileSync(join(directory, "backlog.log"), `${"x".repeat(99)}\n`.repeat(10_000));
  writeFileSync(live, "");
  const reader = new Reader({ patterns: [directory], rangeBytesMax: 4096, rangesMax: 1 });
  await reader.open();
  for (let i = 0; i < 50; i += 1) reader.settle((await reader.tryNext())!);

  appendFileSync(live, "now\n");
  await reader.tail.look();

  const paths = [];
  for (let i = 0; i < 3; i += 1) {
    const range = (await reader.tryNext())!;
    paths.push(range.path);
    reader.settle(range);
  }
  assert.ok(paths.includes(live));
  await reader.close();
});

test("never more ranges or bytes in flight than the limits, and all of the file in the end", async (t) => {
  const path = join(testDirectory(t), "app.log");
  const text = `${"x".repeat(99)}\n`.repeat(2000);
  writeFileSync(path, text);
  const reader = new Reader({
    patterns: [path],
    rangeBytesMax: 4096,
    rangesMax: 3,
    inFlightBytesMax: 10_000,
  });
  await reader.open();

  let read = 0;
  const inFlight = [];
  for (;;) {
    const range = await reader.tryNext();
    if (range !== undefined) {
      inFlight.push(range);
      assert.ok(inFlight.length <= 2, "10,000 bytes hold two ranges of 4,096");
      continue;
    }
    const oldest = inFlight.shift();
    if (oldest === undefined) break;
    read += reader.settle(oldest).length;
  }

  assert.equal(read, text.length);
  await reader.close();
});

test("rewind() voids the later ranges of the file and hands the bytes out again", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, `${"x".repeat(999)}\n`.repeat(16));
  const reader = new Reader({ patterns: [path], rangeBytesMax: 4096, rangesMax: 4 });
  await reader.open();
  const [a, b, c] = [await reader.tryNext(), await reader.tryNext(), await reader.tryNext()];
  assert.ok(a && b && c);

  reader.tail.rewind(b, b.start);
  reader.tail.rewind(c, c.start);
  assert.throws(() => reader.tail.settled(c), { code: "TAIL_RANGE_ORDER" });
  const again = await reader.tryNext();
  assert.ok(again);
  assert.throws(() => reader.tail.settled(again), { code: "TAIL_RANGE_ORDER" });

  reader.settle(a);
  assert.deepEqual([again.start, again.end], [b.start, b.end]);
  reader.settle(again);
  assert.equal((await reader.drain()).length, 8000);
  assert.throws(() => reader.tail.settled(a), { code: "TAIL_RANGE_ORDER" });
  await reader.close();
});

test("a one-shot tail ends only when nothing can be given back any more", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a\n");
  const reader = new Reader({ patterns: [path], isOneShot: true });
  await reader.open();
  const first = (await reader.tryNext())!;

  assert.equal(await reader.tryNext(), undefined);
  reader.tail.rewind(first, 0);
  const second = (await reader.tryNext())!;
  reader.settle(second);

  assert.equal(await reader.tail.next(), undefined);
  await reader.close();
});

test("close() ends who waits, leaves descriptors of ranges in flight open until they are settled", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  const range = (await reader.tryNext())!;
  const waiting = reader.tail.next();

  await reader.close();

  assert.equal(await waiting, undefined);
  assert.equal(await reader.tail.next(), undefined);
  assert.equal(readRange(range).toString(), "a\n");
  reader.tail.settled(range);
  await reader.close();
});

test("next() rejects with the reason of its signal and loses nothing", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  const stop = new AbortController();
  const next = reader.tail.next(stop.signal);

  stop.abort(new Error("enough"));

  await assert.rejects(next, /enough/);
  appendFileSync(path, "a\n");
  assert.equal(await reader.read(), "a\n");
  await reader.close();
});

test("an over-long line is one oversize range, without being in flight with all its bytes", async (t) => {
  const path = join(testDirectory(t), "app.log");
  const file = openSync(path, "w");
  ftruncateSync(file, 200_000_000);
  writeSync(file, "\nshort\n", 200_000_000);
  closeSync(file);
  const reader = new Reader({ patterns: [path], inFlightBytesMax: 8 * 1024 * 1024 });
  await reader.open();

  const first = (await reader.tryNext())!;
  const second = (await reader.tryNext())!;

  assert.deepEqual([first.kind, first.start, first.end], ["oversize", 0, 200_000_001]);
  assert.deepEqual([second.kind, second.end], ["lines", 200_000_007]);
  await reader.close();
});

test("planning a file of 1 GB costs few reads and little time of the main thread", async (t) => {
  const path = join(testDirectory(t), "big.log");
  const file = openSync(path, "w");
  for (let at = 4_000_000; at <= 1_000_000_000; at += 4_000_000) writeSync(file, "\n", at - 1);
  closeSync(file);
  const reader = new Reader({ patterns: [path], isOneShot: true });
  await reader.open();
  const before = process.cpuUsage();

  let ranges = 0;
  for (let range = await reader.tail.next(); range !== undefined; range = await reader.tail.next()) {
    ranges += 1;
    reader.tail.settled(range);
  }

  const used = process.cpuUsage(before);
  assert.equal(ranges, 250);
  const perRangeMs = (used.user + used.system) / 1000 / ranges;
  assert.ok(perRangeMs < 3, `${perRangeMs} ms of processor time for one range`);
  t.diagnostic(`${perRangeMs.toFixed(3)} ms of processor time for one range`);
  await reader.close();
});

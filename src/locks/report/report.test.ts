import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deadlockReport, holderOf, lockOf, reportOf, waiterOf } from "./report.testkit.js";
import type { DomainReport } from "./report-data.js";
import { reportDot, reportMermaid } from "./report-graph.js";
import { isLocksDocument, locksDocument } from "./report-json.js";
import { reportText } from "./report-text.js";
import { pictureOf } from "./wait-picture.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const folder = "/srv/shop";

test("reportText() shows what is stuck first, then who waits, who holds, what was found and counted", () => {
  const text = reportText(deadlockReport(), { folder });

  const titles = text.filter((line) => /^[A-Z]{2}/.test(line));
  assert.deepEqual(titles, [
    "STUCK: 2 tasks wait for each other, until the first gives up in 17.7 s",
    "STUCK BEHIND THEM",
    "WAITING, the longest first",
    "HELD",
    "FOUND",
    "SUPPRESSIONS THAT NOTHING NEEDED",
    "COUNTED (p50, p99 and max: of 1 wait in 64 or more)",
  ]);
  assert.equal(text[0], "Locks of main, pid 4711, 2026-11-21 16:00:00Z: 3 holds, 4 waiters, 1 finding");
  const stuck = text.indexOf(titles[0]!);
  assert.deepEqual(text.slice(stuck + 1, stuck + 9), [
    "  order#5 waits for stock, since 12.1 s, gives up after 30.0 s",
    "      at Orders.settle (src/orders.js:31:7)",
    "      at async handle (…her/deep/folder/with/a/long/name/request-handler.js:9:3)",
    "    stock is held by order#4",
    '  order#4 waits for account["7"], since 12.3 s, gives up after 30.0 s',
    "      at Orders.settle (src/orders.js:11:7)",
    "      at async handle (…her/deep/folder/with/a/long/name/request-handler.js:9:3)",
    '    account["7"] is held by order#5',
  ]);
  assert.ok(text.includes("    by order#5, since 12.4 s, for too long"));
  assert.ok(
    text.includes("  stock      1200     300  151 ms  295 ms  300 ms   0.25 ms        2      0"),
    text.at(-1),
  );
});

test("reportText() of a domain where nothing happens is one line", () => {
  assert.deepEqual(reportText(reportOf([])), [
    "Locks of main, pid 4711, 2026-11-21 16:00:00Z: 0 holds, 0 waiters, 0 findings",
  ]);
});

test("reportText() says that nobody of a circle ever gives up", () => {
  const locks = [lockOf("a", { holders: [holderOf(1, "one")], waiters: [waiterOf("one", [1])] })];

  assert.ok(
    reportText(reportOf(locks)).includes("STUCK: it waits for itself, and none of them ever gives up"),
  );
});

test("reportText() says of a closed latch that it is not open, and that a hold may be older than it was seen", () => {
  const text = reportText(
    reportOf([
      lockOf("ready", {
        kind: "latch",
        holders: [holderOf(1, "a task")],
        waiters: [waiterOf("starter", [])],
      }),
      lockOf("cache", {
        level: 0,
        levelName: "manager",
        holders: [holderOf(2, "reader", { ageMs: 300, isAgeAtLeast: true })],
      }),
    ]),
  );

  assert.match(text[0]!, /: 1 hold, 1 waiter, 0 findings$/);
  assert.deepEqual(text.slice(2), [
    "WAITING, the longest first",
    "  starter waits for ready",
    "    ready is not open yet",
    "",
    "HELD",
    "  cache, level manager",
    "    by reader, since at least 300 ms",
  ]);
});

test("pictureOf() sees a task that waits for a latch that only itself would open", () => {
  const locks = [
    lockOf("ready", { kind: "latch", holders: [holderOf(1, "opener")], waiters: [waiterOf("opener", [1])] }),
  ];

  assert.equal(pictureOf(reportOf(locks)).circles.length, 1);
});

test("pictureOf() takes no convoy for a circle", () => {
  // One holds a; two waits for a and holds nothing; three holds b and runs; one waits for b.
  const { circles, behind, others } = pictureOf(
    reportOf([
      lockOf("a", { holders: [holderOf(1, "one")], waiters: [waiterOf("two", [])] }),
      lockOf("b", { holders: [holderOf(2, "three")], waiters: [waiterOf("one", [1])] }),
    ]),
  );

  assert.deepEqual([circles.length, behind.length, others.length], [0, 0, 2]);
});

test("pictureOf() counts permits: two of three that want one more are not stuck, two of two are", () => {
  const held = (permits: number): DomainReport =>
    reportOf([
      lockOf("s", {
        kind: "semaphore",
        permits,
        holders: [holderOf(1, "one"), holderOf(2, "two")],
        waiters: [waiterOf("one", [1]), waiterOf("two", [2], { position: 1 })],
      }),
    ]);

  assert.equal(pictureOf(held(3)).circles.length, 0);
  assert.equal(pictureOf(held(2)).circles.length, 1);
});

test("pictureOf() knows that a reader in line behind a stuck writer is stuck, unless readers go first", () => {
  const readers = (isReaderPreferring: boolean): DomainReport =>
    reportOf([
      lockOf("rw", {
        kind: "read-write",
        isReaderPreferring,
        holders: [holderOf(1, "one", { mode: "shared" })],
        waiters: [waiterOf("two", []), waiterOf("one", [1], { mode: "shared", position: 1 })],
      }),
    ]);

  assert.equal(pictureOf(readers(false)).circles.length, 1);
  assert.equal(pictureOf(readers(true)).circles.length, 0);
});

test("pictureOf() lets one reader become the writer, and sees that two cannot", () => {
  const upgrading = (ids: readonly number[]): DomainReport =>
    reportOf([
      lockOf("rw", {
        kind: "read-write",
        holders: [1, 2].map((id) => holderOf(id, `reader ${id}`, { mode: "shared" })),
        waiters: ids.map((id, position) => waiterOf(`reader ${id}`, [id], { position })),
      }),
    ]);

  assert.equal(pictureOf(upgrading([1])).circles.length, 0);
  assert.equal(pictureOf(upgrading([1, 2])).circles.length, 1);
});

test("reportDot() and reportMermaid() draw tasks and locks, and a circle in red", () => {
  const dot = reportDot(deadlockReport()).split("\n");
  const mermaid = reportMermaid(deadlockReport()).split("\n");

  assert.equal(dot[0], 'digraph "locks of main" {');
  assert.ok(dot.includes('  lock1 [label="account[\\"7\\"]", shape=box, color=red, fontcolor=red];'));
  assert.ok(dot.includes('  task0 -> lock0 [label="waits 12.1 s", style=dashed, color=red, fontcolor=red];'));
  assert.ok(dot.includes('  task1 -> lock0 [label="waits 900 ms", style=dashed];'));
  assert.equal(mermaid[0], "flowchart LR");
  assert.ok(mermaid.includes('  lock1["account[#34;7#34;]"]'));
  assert.ok(mermaid.includes("  class task0,task2,lock0,lock1 stuck"));
});

test("locksDocument() survives JSON and is known again", () => {
  const document = locksDocument([deadlockReport()]);

  const read: unknown = JSON.parse(JSON.stringify(document));

  assert.deepEqual(read, document);
  assert.ok(isLocksDocument(read));
  for (const other of [undefined, null, 1, [], {}, { schema: "poundlock.locks/1", domains: [{}] }])
    assert.ok(!isLocksDocument(other));
});

test(`reports of anything are drawn, and text keeps its width (POUNDLOCK_SEED=${seed})`, () => {
  const name = fc.string({ maxLength: 120, unit: "grapheme-ascii" });
  const frames = fc.array(
    name.map((text) => `at ${text} (file:///srv/${text}:1:2)`),
    { maxLength: 4 },
  );
  const party = fc.record({ task: name, frames, ageMs: fc.nat() });
  const lock = fc.record({
    name,
    permits: fc.integer({ min: 1, max: 3 }),
    held: fc.array(party, { maxLength: 3 }),
    wanted: fc.array(fc.record({ party, holding: fc.array(fc.nat(12), { maxLength: 3 }) }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(lock, { maxLength: 5 }),
      name,
      fc.integer({ min: 60, max: 120 }),
      (locks, message, columns) => {
        let id = 0;
        const report = reportOf(
          locks.map(({ name: lockName, permits, held, wanted }) =>
            lockOf(lockName, {
              kind: "semaphore",
              permits,
              holders: held.map(({ task, ...rest }) => holderOf(id++, task, rest)),
              waiters: wanted.map(({ party: { task, ...rest }, holding }, position) =>
                waiterOf(task, holding, { ...rest, position }),
              ),
            }),
          ),
          {
            findings: [{ kind: "order", lock: "a", message: `${message}\n  ${message}\n    at ${message}` }],
          },
        );

        for (const line of reportText(report, { columns })) {
          assert.ok(line.length <= columns, `${line.length} > ${columns}: ${line}`);
          assert.doesNotMatch(line, /[\u0000-\u001f]/);
        }
        reportDot(report);
        reportMermaid(report);
        const { circles, behind, others } = pictureOf(report);
        assert.equal(
          circles.flat().length + behind.length + others.length,
          report.locks.reduce((sum, { waiters }) => sum + waiters.length, 0),
        );
      },
    ),
    { seed, numRuns: 200 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { LockDomain } from "./index.js";

// What a cycle was kept apart by can fall away without any acquisition below it: by a second lock of its name, or by somebody who
// wants several permits with empty hands.

const quiet = { warn: () => {} };

function kinds({ findings }: LockDomain): readonly string[] {
  return findings.map(({ kind, lock }) => `${kind} ${lock}`);
}

test("an acquisition of several permits by somebody who holds nothing shows what was thought to have permits enough", async () => {
  const domain = new LockDomain();
  const [one, gate] = [domain.mutex("one"), domain.mutex("gate")];
  const permits = domain.semaphore("permits", 3);
  await one.run(() => permits.run(() => {}));
  // One at a time, so two permits are left; unless somebody ahead in the line wants all three.
  await gate.run(() => permits.run(() => one.run(() => {})));
  assert.deepEqual(kinds(domain), ["note one"]);

  await assert.rejects(
    permits.run({ weight: 3 }, () => {}),
    { code: "LOCK_ORDER" },
  );

  assert.deepEqual(kinds(domain), ["note one", "order permits"]);
  await permits.run({ weight: 3 }, () => {});
});

test("a heavy acquisition with nothing held is let through where nothing contradicts it, also a writer's", async () => {
  const domain = new LockDomain();
  const [permits, both] = [domain.semaphore("permits", 3), domain.readWriteLock("both")];

  for (const weight of [3, 2, 3]) await permits.run({ weight }, () => {});
  await domain.task("writer", () => both.write.run(() => {}));

  assert.deepEqual(domain.findings, []);
});

test("a gate of which a second one is made keeps nobody apart any more, and to make it is not refused", async () => {
  const lines: string[] = [];
  const domain = new LockDomain({ logger: { warn: (line) => lines.push(line) } });
  const [gate, a, b] = [domain.mutex("gate"), domain.mutex("a"), domain.mutex("b")];
  await gate.run(() => a.run(() => b.run(() => {})));
  await gate.run(() => b.run(() => a.run(() => {})));
  assert.deepEqual(kinds(domain), ["note a"]);

  domain.mutex("gate");
  domain.mutex("gate");

  assert.deepEqual(kinds(domain), ["note a", "order gate"]);
  assert.match(domain.findings[1]!.message, /opposite orders.*several locks named gate/s);
  assert.equal(domain.report().classes.find(({ name }) => name === "gate")!.metrics.findings, 1);
  assert.equal(lines.length, 1);
});

test("a second key of a keyed lock tells that it is no gate", async () => {
  const domain = new LockDomain({ logger: quiet });
  const gate = domain.keyed<string>("gate");
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  // At the same time, so that it is the same lock of the key.
  await Promise.all([
    gate.run("x", () => a.run(() => b.run(() => Promise.resolve()))),
    gate.run("x", () => b.run(() => a.run(() => {}))),
  ]);
  assert.deepEqual(kinds(domain), ["note a"]);

  assert.equal(await gate.run("y", () => "done"), "done");

  assert.deepEqual(kinds(domain), ["note a", "order gate"]);
});

test("with the order unchecked a second lock finds nothing, and collected findings are not written", async () => {
  const lines: string[] = [];
  const domain = new LockDomain({ onFinding: "collect", logger: { warn: (line) => lines.push(line) } });
  const gate = domain.mutex("gate");
  const off = domain.mutex("off", { detection: "levels" });
  const [a, b] = [domain.mutex("a"), domain.mutex("b")];
  for (const outer of [gate, off]) {
    await outer.run(() => a.run(() => b.run(() => {})));
    await outer.run(() => b.run(() => a.run(() => {})));
  }

  domain.mutex("off");
  assert.equal(kinds(domain).includes("order off"), false);
  domain.mutex("gate");

  assert.deepEqual(lines, []);
});

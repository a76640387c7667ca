import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { FileRange } from "./contract.js";
import { Handle } from "./handle.js";
import { Reader, readRange, testDirectory } from "./reader.testkit.js";

/** Runs `before` ahead of each look at an open file. */
function beforeLooks(t: TestContext, before: () => void): void {
  for (const name of ["read", "stat"] as const) {
    const original = Handle.prototype[name] as (this: Handle, ...parameters: unknown[]) => unknown;
    t.mock.method(Handle.prototype, name, function (this: Handle, ...parameters: unknown[]): unknown {
      before();
      return original.apply(this, parameters);
    });
  }
}

function lines(name: string, from: number, to: number): string {
  return Array.from(
    { length: to - from },
    (_, i) => `${name}${from + i} ${"-".repeat(300 + ((from + i) % 23))}\n`,
  ).join("");
}

/** Takes all there is as a worker does, and settles only what is as it was planned. */
async function takeAll(reader: Reader, beforeRead: () => void): Promise<string> {
  let text = "";
  await reader.tail.look();
  for (let range: FileRange | undefined; ; ) {
    range = await reader.tryNext();
    if (range === undefined) return text;
    beforeRead();
    const bytes = readRange(range);
    if (await reader.tail.isIntact(range)) {
      reader.tail.settled(range);
      text += bytes.toString("latin1");
    } else reader.tail.rewind(range, range.start);
  }
}

for (const { name, refill } of [
  { name: "to more than it had", refill: 60 },
  { name: "to beyond what was read of it", refill: 30 },
  { name: "to less than was read of it", refill: 5 },
])
  test(`whenever a file is truncated and refilled ${name}, no line of either content counts twice`, async (t) => {
    const path = join(testDirectory(t), "app.log");
    let looksLeft = Number.POSITIVE_INFINITY;
    const look = (): void => {
      looksLeft -= 1;
      if (looksLeft !== 0) return;
      truncateSync(path, 0);
      appendFileSync(path, lines("b", 0, refill));
    };
    beforeLooks(t, look);
    let swapAt = 0;
    for (let wasInTime = true; wasInTime; swapAt += 1) {
      looksLeft = Number.POSITIVE_INFINITY;
      writeFileSync(path, lines("a", 0, 20));
      const reader = new Reader({ patterns: [path], rangeBytesMax: 4096 });
      await reader.open();
      let text = await takeAll(reader, look);
      appendFileSync(path, lines("a", 20, 40));
      looksLeft = swapAt + 1;
      text += await takeAll(reader, look);
      wasInTime = looksLeft <= 0;
      looksLeft = Number.POSITIVE_INFINITY;
      // A change without growth has everything compared.
      utimesSync(path, 1_000, 1_000);
      text += await takeAll(reader, look);
      appendFileSync(path, lines("c", 0, 10));
      text += await takeAll(reader, look);
      await reader.close();

      const read = text.split("\n").slice(0, -1);
      const twice = read.filter((line, i) => read.indexOf(line) < i);
      assert.deepEqual(twice, [], `truncated before look ${swapAt}`);
      const written = new Set((lines("a", 0, 40) + lines("b", 0, refill) + lines("c", 0, 10)).split("\n"));
      assert.deepEqual(
        read.filter((line) => !written.has(line)),
        [],
        `truncated before look ${swapAt}`,
      );
      const expected = (wasInTime ? lines("b", 0, refill) : lines("a", 0, 40)) + lines("c", 0, 10);
      const had = new Set(read);
      assert.deepEqual(
        expected.split("\n").filter((line) => line !== "" && !had.has(line)),
        [],
        `truncated before look ${swapAt}`,
      );
    }
    assert.ok(swapAt > 10, `${swapAt} looks`);
  });

for (const { name, rotations, glob } of [
  { name: "once", rotations: 1, glob: "" },
  { name: "once, with its copies followed too,", rotations: 1, glob: "*" },
  { name: "twice", rotations: 2, glob: "" },
  { name: "twice, with its copies followed too,", rotations: 2, glob: "*" },
])
  test(`whenever a file is copied and truncated ${name} no line counts twice, and none is lost`, async (t) => {
    const path = join(testDirectory(t), "app.log");
    let looksLeft = Number.POSITIVE_INFINITY;
    let rotated = 0;
    const look = (): void => {
      looksLeft -= 1;
      if (looksLeft > 0 || rotated === rotations) return;
      rotated += 1;
      looksLeft = 3;
      copyFileSync(path, `${path}.${rotated}`);
      truncateSync(path, 0);
      appendFileSync(path, lines("abc"[rotated] ?? "", 0, 60));
    };
    beforeLooks(t, look);
    let swapAt = 0;
    for (let wasInTime = true; wasInTime; swapAt += 1) {
      looksLeft = Number.POSITIVE_INFINITY;
      for (const number of [1, 2]) rmSync(`${path}.${number}`, { force: true });
      writeFileSync(path, lines("a", 0, 20));
      const reader = new Reader({ patterns: [`${path}${glob}`], rangeBytesMax: 4096 });
      await reader.open();
      let text = await takeAll(reader, look);
      appendFileSync(path, lines("a", 20, 40));
      rotated = 0;
      looksLeft = swapAt + 1;
      text += await takeAll(reader, look);
      wasInTime = rotated > 0;
      while (rotated < rotations && wasInTime) {
        appendFileSync(path, lines("e", 0, 1));
        text += await takeAll(reader, look);
      }
      rotated = rotations;
      utimesSync(path, 1_000, 1_000);
      text += await takeAll(reader, look);
      text += await takeAll(reader, look);
      await reader.close();
      const read = text.split("\n").slice(0, -1);
      const twice = read.filter((line, i) => read.indexOf(line) < i);
      assert.deepEqual(twice, [], `copied before look ${swapAt}`);
      const last = wasInTime ? lines("abc"[rotations] ?? "", 0, 60) : "";
      const missing = (lines("a", 0, 40) + last).split("\n").filter((line) => !read.includes(line));
      assert.deepEqual(missing, [""], `copied before look ${swapAt}`);
    }
    assert.ok(swapAt > 10, `${swapAt} looks`);
  });

test("what is to be skipped is truncated before it was asked for: the new lines are read, not waited for", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, lines("old", 0, 50));
  const reader = new Reader({ patterns: [path], from: "end" });
  await reader.open();
  truncateSync(path, 0);
  appendFileSync(path, "one\ntwo\n");
  assert.equal(await reader.read(), "one\ntwo\n");
  appendFileSync(path, "three\n");
  assert.equal(await reader.read(), "three\n");
  await reader.close();
});

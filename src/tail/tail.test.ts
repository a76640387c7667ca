import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader, testDirectory } from "./reader.testkit.js";

test("a one-shot tail hands out every byte once, the unterminated last line too, and ends", async (t) => {
  const path = join(testDirectory(t), "app.jsonl");
  const text = `${Array.from({ length: 5000 }, (_, i) => `{"n":${i}}`).join("\n")}\nlast`;
  writeFileSync(path, text);
  const reader = new Reader({ patterns: [path], isOneShot: true, rangeBytesMax: 4096 });

  await reader.open();
  const read = await reader.drain();

  assert.equal(read, text);
  assert.equal(await reader.tail.next(), undefined);
  assert.ok(reader.taken.length > 10);
  assert.deepEqual(reader.tail.progress(), { foundBytes: text.length, settledBytes: text.length });
  await reader.close();
});

test("a one-shot tail stops at the size found at the opening", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "one\ntwo\n");
  const reader = new Reader({ patterns: [path], isOneShot: true });

  await reader.open();
  appendFileSync(path, "three\n");

  assert.equal(await reader.drain(), "one\ntwo\n");
  await reader.close();
});

test("a line written byte by byte is handed out once, when it is complete", async (t) => {
  const path = join(testDirectory(t), "app.log");
  const bytes = Buffer.from("\ufeffgrün €\r\n𝄞 zwei\n", "utf8");
  writeFileSync(path, "");
  const reader = new Reader({ patterns: [path] });
  await reader.open();

  const handedOut: string[] = [];
  for (const byte of bytes) {
    appendFileSync(path, Buffer.of(byte));
    const read = await reader.read();
    if (read !== "") handedOut.push(Buffer.from(read, "latin1").toString("utf8"));
  }

  assert.deepEqual(handedOut, ["\ufeffgrün €\r\n", "𝄞 zwei\n"]);
  await reader.close();
});

test("reading goes on at the watermark after a restart, and a partial line is read whole", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "one\ntw");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  assert.equal(await reader.read(), "one\n");
  await reader.close();

  appendFileSync(path, "o\nthree\n");
  await reader.open();

  assert.equal(await reader.read(), "two\nthree\n");
  assert.equal(reader.watermarks.size, 1);
  await reader.close();
});

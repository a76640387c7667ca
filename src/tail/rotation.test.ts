import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader, testDirectory } from "./reader.testkit.js";
import { DRAIN_QUIET_MS } from "./roster.js";

function descriptorTargets(): string[] {
  return readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return [];
    }
  });
}

/** Descriptors of this process that lead to `path`, by whatever name it has now. */
function openDescriptors(path: string): number {
  return descriptorTargets().filter((target) => target.startsWith(path)).length;
}

test("a renamed file is read to its end while its writer goes on, and the new one from its beginning", async (t) => {
  const path = join(testDirectory(t), "app.log");
  const writer = openSync(path, "a");
  writeSync(writer, "a1\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  assert.equal(await reader.read(), "a1\n");

  writeSync(writer, "a2\n");
  renameSync(path, `${path}.1`);
  writeFileSync(path, "b1\n");
  assert.equal(await reader.read(), "a2\nb1\n");
  writeSync(writer, "a3\n");
  appendFileSync(path, "b2\n");
  const both = await reader.read();
  reader.clock.advance(DRAIN_QUIET_MS / 2);
  writeSync(writer, "a4\n");
  const late = await reader.read();
  reader.clock.advance(DRAIN_QUIET_MS);
  await reader.read();
  closeSync(writer);

  assert.equal(both, "a3\nb2\n");
  assert.equal(late, "a4\n");
  assert.equal(reader.tail.status().length, 1);
  assert.equal(openDescriptors(`${path}.1`), 0);
  assert.equal(reader.watermarks.size, 2);
  await reader.close();
});

test("several rotations while nobody reads are read oldest first, those never seen under their name too", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(`${path}.1`, "old, from before\n");
  do {
    // Until the file system's clock has ticked: the two must not be of one age.
    rmSync(path, { force: true });
    writeFileSync(path, "1\n");
  } while (statSync(path).birthtimeMs === statSync(`${path}.1`).birthtimeMs);
  const reader = new Reader({ patterns: [path] });
  await reader.open();

  for (let round = 2; round <= 5; round += 1) {
    for (let i = round; i >= 1; i -= 1)
      if (existsSync(`${path}.${i}`)) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, `${round}\n`);
    if (round === 3) await reader.tail.look();
  }

  assert.equal(await reader.read(), "1\n2\n3\n4\n5\n");
  await reader.close();
});

for (const isMatching of [true, false])
  test(`a rotation while stopped is found by identity, its name ${isMatching ? "matching" : "not matching"}`, async (t) => {
    const path = join(testDirectory(t), "app.log");
    writeFileSync(path, "a1\n");
    const reader = new Reader({ patterns: [isMatching ? `${path}*` : path] });
    await reader.open();
    await reader.read();
    await reader.close();

    appendFileSync(path, "a2\n");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "b1\n");
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, "c1\n");
    await reader.open();

    const read = await reader.read();
    assert.deepEqual(read.split("\n").sort(), ["", "a2", "b1", "c1"]);
    if (!isMatching) assert.equal(read, "a2\nb1\nc1\n");
    assert.equal(reader.noticed("tail.lost").length, 0);
    await reader.close();
  });

test("what was known and is gone after a stop is reported with its bytes", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\na2\n");
  const reader = new Reader({ patterns: [path], rangeBytesMax: 4096 });
  await reader.open();
  await reader.read();
  appendFileSync(path, "partial");
  await reader.read();
  appendFileSync(path, " and\nthen ");
  await reader.read();
  await reader.close();

  unlinkSync(path);
  await reader.open();

  const [lost] = reader.noticed("tail.lost");
  assert.equal(lost?.data?.lostBytes, 5);
  await reader.close();
});

test("a truncated file starts again at 0 under a new id", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\na2\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();

  truncateSync(path);
  assert.equal(await reader.read(), "");
  appendFileSync(path, "b1\n");
  assert.equal(await reader.read(), "b1\n");

  assert.equal(reader.watermarks.size, 2);
  assert.equal(reader.tail.status().length, 1);
  await reader.close();
});

for (const [what, text] of [
  ["the same size", "b1\nb2\n"],
  ["a larger size", "b1\nb2\nb3\n"],
] as const)
  test(`a file truncated and filled to ${what} between two looks is read anew`, async (t) => {
    const path = join(testDirectory(t), "app.log");
    writeFileSync(path, "a1\na2\n");
    const reader = new Reader({ patterns: [path] });
    await reader.open();
    await reader.read();

    writeFileSync(path, text);

    assert.equal(await reader.read(), text);
    await reader.close();
  });

test("a file refilled beyond the place reached is read anew, also when it begins as before", async (t) => {
  const path = join(testDirectory(t), "app.log");
  const head = "# the same head\n".repeat(100);
  writeFileSync(path, `${head}a1\n`);
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();

  writeFileSync(path, `${head}b1\nb2\n`);

  assert.equal(await reader.read(), `${head}b1\nb2\n`);
  await reader.close();
});

test("a file truncated while stopped is read anew once, not at every start", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\na2\na3\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();
  await reader.close();

  writeFileSync(path, "b1\n");
  const read: string[] = [];
  for (let start = 0; start < 3; start += 1) {
    reader.clock.advance(1000);
    await reader.open();
    read.push(await reader.read());
    await reader.close();
  }

  assert.deepEqual(read, ["b1\n", "", ""]);
});

test("cutting off a partial line reads nothing twice", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\na2\npart");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  assert.equal(await reader.read(), "a1\na2\n");

  truncateSync(path, 6);
  const cut = await reader.read();
  appendFileSync(path, "a3\n");

  assert.equal(cut, "");
  assert.equal(await reader.read(), "a3\n");
  await reader.close();
});

test("a deleted file is read to its end and closed; one made again is read from its beginning", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();

  appendFileSync(path, "a2\n");
  unlinkSync(path);
  const rest = await reader.read();
  reader.clock.advance(DRAIN_QUIET_MS);
  await reader.read();
  const open = openDescriptors(path);
  writeFileSync(path, "a1\na2\n");

  assert.equal(rest, "a2\n");
  assert.equal(open, 0);
  assert.equal(await reader.read(), "a1\na2\n");
  await reader.close();
});

test("a directory deleted and made again is followed again", async (t) => {
  const directory = join(testDirectory(t), "logs");
  mkdirSync(directory);
  writeFileSync(join(directory, "a.log"), "a\n");
  const reader = new Reader({ patterns: [directory] });
  await reader.open();
  await reader.read();

  rmSync(directory, { recursive: true });
  await reader.read();
  mkdirSync(directory);
  writeFileSync(join(directory, "b.log"), "b\n");

  assert.equal(await reader.read(), "b\n");
  await reader.close();
});

test("an inode used again is another file, also when a watermark fits its size", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();
  await reader.close();

  // Written in place: the same inode with other content, as a file system hands it out again.
  writeFileSync(path, "b1\nb2\n");
  await reader.open();

  assert.equal(await reader.read(), "b1\nb2\n");
  await reader.close();
});

test("a swapped link is a rotation", async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, "current");
  writeFileSync(join(directory, "one"), "a1\n");
  writeFileSync(join(directory, "two"), "b1\n");
  symlinkSync("one", path);
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();

  appendFileSync(join(directory, "one"), "a2\n");
  unlinkSync(path);
  symlinkSync("two", path);

  assert.equal(await reader.read(), "a2\nb1\n");
  await reader.close();
});

test("a file with two names, or named by two patterns, is followed once", async (t) => {
  const directory = testDirectory(t);
  writeFileSync(join(directory, "a.log"), "a1\n");
  linkSync(join(directory, "a.log"), join(directory, "b.log"));
  symlinkSync("a.log", join(directory, "c.log"));
  const reader = new Reader({ patterns: [directory, join(directory, "*.log"), join(directory, "b.log")] });
  await reader.open();

  assert.equal(await reader.read(), "a1\n");
  assert.equal(reader.tail.status().length, 1);
  await reader.close();
});

test("a file that appears later is read from its beginning, also with from: end", async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, "late.log");
  writeFileSync(join(directory, "early.log"), "old\npart");
  const reader = new Reader({ patterns: [path, join(directory, "early.log")], from: "end" });
  await reader.open();
  assert.equal(await reader.read(), "");
  assert.deepEqual(
    reader.tail.status().map((row) => [row.path, row.state, row.message]),
    [
      [join(directory, "early.log"), "following", undefined],
      [path, "unreadable", "no such file"],
    ],
  );

  writeFileSync(path, "new\n");
  appendFileSync(join(directory, "early.log"), "ial\n");

  assert.deepEqual((await reader.read()).split("\n").sort(), ["", "new", "partial"]);
  await reader.close();
  await reader.open();
  assert.equal(await reader.read(), "");
  await reader.close();
});

test("a file without permission is said to be unreadable, and read when it is granted", async (t) => {
  const directory = testDirectory(t);
  const path = join(directory, "app.log");
  writeFileSync(path, "a1\n");
  chmodSync(directory, 0o755);
  chmodSync(path, 0);
  // Permissions do not hold for root, so a test run by root becomes somebody else for as long.
  if (process.getuid?.() === 0) {
    process.seteuid?.(65_534);
    t.after(() => process.seteuid?.(0));
  }
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  assert.equal(await reader.read(), "");
  const [row] = reader.tail.status();
  assert.deepEqual([row?.state, row?.message], ["unreadable", "permission denied"]);

  if (process.getuid?.() === 0) process.seteuid?.(0);
  chmodSync(path, 0o644);

  assert.equal(await reader.read(), "a1\n");
  assert.equal(reader.tail.status()[0]?.state, "following");
  await reader.close();
});

test("a partial last line of a file that was moved away counts once the file is quiet", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\npart");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();
  renameSync(path, `${path}.1`);
  assert.equal(await reader.read(), "");

  reader.clock.advance(DRAIN_QUIET_MS);

  assert.equal(await reader.read(), "part");
  await reader.read();
  assert.equal(openDescriptors(path), 0);
  await reader.close();
});

test("compressed files are left alone, by name or by content", async (t) => {
  const directory = testDirectory(t);
  writeFileSync(join(directory, "a.log.1.gz"), "not text\n");
  writeFileSync(join(directory, "b.log"), Buffer.from([0x1f, 0x8b, 8, 0, 10]));
  writeFileSync(join(directory, "c.log"), "c1\n");
  const reader = new Reader({ patterns: [directory] });
  await reader.open();

  assert.equal(await reader.read(), "c1\n");
  assert.equal(reader.noticed("tail.ignored").length, 1);
  assert.equal(reader.noticed("tail.unreadable").length, 1);
  await reader.close();
});

for (const when of ["before", "between", "while stopped"] as const)
  test(`a copy made for a truncation is not read again: copied ${when} looks`, async (t) => {
    const path = join(testDirectory(t), "app.log");
    writeFileSync(path, "a1\na2\n");
    const reader = new Reader({ patterns: [`${path}*`] });
    await reader.open();
    await reader.read();
    appendFileSync(path, "a3\n");

    if (when === "while stopped") await reader.close();
    copyFileSync(path, `${path}.1`);
    const early = when === "before" ? await reader.read() : "";
    truncateSync(path);
    if (when === "while stopped") await reader.open();
    const late = await reader.read();
    appendFileSync(path, "b1\n");

    assert.equal(early + late, "a3\n");
    assert.equal(await reader.read(), "b1\n");
    await reader.close();
  });

test("a device that got another number after a start of the machine holds the same files", async (t) => {
  const path = join(testDirectory(t), "app.log");
  writeFileSync(path, "a1\n");
  const reader = new Reader({ patterns: [path] });
  await reader.open();
  await reader.read();
  await reader.close();
  for (const [id, watermark] of reader.watermarks)
    reader.watermarks.set(id, { ...watermark, identity: { ...watermark.identity, device: "1" } });

  appendFileSync(path, "a2\n");
  await reader.open();

  assert.equal(await reader.read(), "a2\n");
  await reader.close();
});

test("two files that begin alike are two files", async (t) => {
  const directory = testDirectory(t);
  const head = `${"# the same head\n".repeat(100)}`;
  const reader = new Reader({ patterns: [directory] });
  writeFileSync(join(directory, "app.log"), `${head}a1\n`);
  await reader.open();
  await reader.read();

  writeFileSync(join(directory, "app.log-20240102"), `${head}b1\n`);
  writeFileSync(join(directory, "app.log.1"), `${head}c1\nc2\n`);

  assert.equal(await reader.read(), `${head}b1\n${head}c1\nc2\n`);
  await reader.close();
});

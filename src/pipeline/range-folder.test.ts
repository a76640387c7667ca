import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ignoreNotices, systemClock } from "../base/index.js";
import { countOf, decodeDelta, defaultLevels } from "../store/index.js";
import type { FileRange } from "../tail/index.js";
import { ThreadDiedError, ThreadPool } from "../threads/index.js";
import type { FoldPart } from "./fold.js";
import type { FoldTask } from "./fold.thread.js";
import { RangeFolder } from "./range-folder.js";
import type { Rules } from "./rules.js";

const folder = mkdtempSync(join(tmpdir(), "poundlock-folder-"));
after(() => rmSync(folder, { recursive: true }));

/** Backtracks without end on a run of a's that no "b" follows. */
const hangs = "^(?<word>(?:a+)+)b$|^(?<plain>[^a].*)$";

function rangeOf(name: string, text: string): FileRange {
  const path = join(folder, name);
  writeFileSync(path, text);
  const descriptor = openSync(path, "r");
  after(() => closeSync(descriptor));
  const { size } = statSync(path);
  const identity = { path, device: "1", inode: "1", prefixLength: 0, prefixHash: "", size };
  return { source: "s", file: name, path, descriptor, start: 0, end: size, kind: "lines", identity };
}

function poolOf(rules: Rules): ThreadPool<FoldTask, FoldPart[]> {
  return new ThreadPool({
    entry: new URL("./fold.thread.js", import.meta.url),
    size: 2,
    workerData: {
      rules,
      limits: {
        cellsMax: 5000,
        failuresMax: 500,
        failedPartsMax: 8,
        lineBytesMax: 65536,
        deadBytesMax: 65536,
        hasSlots: true,
        levels: defaultLevels,
      },
    },
    taskTimeoutMs: 1000,
  });
}

function rulesOf(pattern: string): Rules {
  return {
    sources: [
      {
        name: "s",
        format: { kind: "pattern", name: "p", source: pattern, numbers: [] },
        time: { kind: "none" },
      },
    ],
    metrics: [{ name: "n", kind: "count", from: [], by: [] }],
  };
}

function total(parts: readonly FoldPart[]): number {
  const changes = parts.flatMap((part) => decodeDelta(part.delta).add.flatMap((metric) => metric.changes));
  return changes.reduce((sum, { cell }) => sum + countOf(cell), 0);
}

test("RangeFolder finds the one event that hangs every thread, and folds all others", {
  timeout: 60_000,
}, async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  lines[27] = "a".repeat(60);
  const range = rangeOf("hang.log", `${lines.join("\n")}\n`);
  await using pool = poolOf(rulesOf(hangs));
  const rangeFolder = new RangeFolder({
    pool,
    clock: systemClock,
    notices: ignoreNotices,
    taskTimeoutMs: 1000,
  });

  const parts = await rangeFolder.fold(range);

  const failures = parts.flatMap((part) => part.failures);
  assert.deepEqual(
    failures.map(({ reason, bytes }) => [reason, Buffer.from(bytes).toString()]),
    [["thread-hung", "a".repeat(60)]],
  );
  assert.equal(total(parts), 39);
  assert.equal(
    parts.reduce((sum, part) => sum + part.posting.accepted, 0),
    40,
  );
  assert.equal(parts.at(-1)?.end, range.end);
  assert.ok(pool.replaced >= 2);
});

test("RangeFolder answers an over-long line as one dead letter with its first bytes", async () => {
  const range = { ...rangeOf("long.log", `${"x".repeat(200_000)}\n`), kind: "oversize" as const };
  await using pool = poolOf(rulesOf("(?<all>.*)"));
  const rangeFolder = new RangeFolder({
    pool,
    clock: systemClock,
    notices: ignoreNotices,
    taskTimeoutMs: 1000,
  });

  const [part] = await rangeFolder.fold(range);

  assert.equal(part?.failures[0]?.reason, "oversize");
  assert.equal(part?.failures[0]?.bytes.length, 65536);
  assert.equal(part?.failures[0]?.length, 200_001);
  assert.equal(part?.end, range.end);
});

test("a range whose bytes are gone rejects with RANGE_READ", async () => {
  const range = rangeOf("cut.log", "a\n");
  await using pool = poolOf(rulesOf("(?<all>.*)"));
  const rangeFolder = new RangeFolder({
    pool,
    clock: systemClock,
    notices: ignoreNotices,
    taskTimeoutMs: 1000,
  });

  await assert.rejects(rangeFolder.fold({ ...range, end: 100 }), { code: "RANGE_READ" });
});

test("RangeFolder charges no range with threads that died before they took it up", async () => {
  const range = rangeOf("innocent.log", "one\ntwo\n");
  await using pool = poolOf(rulesOf("(?<all>.*)"));
  const notices: string[] = [];
  let deaths = 4;
  const dying = {
    run(task: FoldTask): Promise<FoldPart[]> {
      deaths -= 1;
      if (deaths < 0) return pool.run(task);
      return Promise.reject(new ThreadDiedError({ hasBegun: false, how: "exit code 1" }));
    },
  } as unknown as ThreadPool<FoldTask, FoldPart[]>;
  const rangeFolder = new RangeFolder({
    pool: dying,
    clock: systemClock,
    notices: ({ name }) => notices.push(name),
    taskTimeoutMs: 1000,
  });

  const parts = await rangeFolder.fold(range);

  assert.equal(total(parts), 2);
  assert.deepEqual(notices, ["pipeline.folded"]);
  assert.equal(deaths, -1, "a range that is done again as a whole was not the reason");
});

test("RangeFolder gives up when no thread takes a range up, and makes no dead letter of it", async () => {
  const range = rangeOf("stuck.log", "one\n");
  const dead = {
    run: () => Promise.reject(new ThreadDiedError({ hasBegun: false, how: "exit code 1" })),
  } as unknown as ThreadPool<FoldTask, FoldPart[]>;
  const rangeFolder = new RangeFolder({
    pool: dead,
    clock: systemClock,
    notices: ignoreNotices,
    taskTimeoutMs: 1000,
  });

  await assert.rejects(rangeFolder.fold(range), { code: "THREAD_DIED" });
});

test("RangeFolder answers a range of bad lines in pieces of bounded size", async () => {
  const range = rangeOf("bad.log", "x\n".repeat(9_000));
  await using pool = poolOf(rulesOf("^(?<never>y)$"));
  const rangeFolder = new RangeFolder({
    pool,
    clock: systemClock,
    notices: ignoreNotices,
    taskTimeoutMs: 1000,
  });

  const sizes: number[] = [];
  const offsets: number[] = [];
  for (let from = 0; from < range.end; ) {
    const parts = await rangeFolder.fold(range, from);
    const failures = parts.flatMap((part) => part.failures);
    sizes.push(failures.length);
    offsets.push(...failures.map(({ at }) => (at.kind === "file" ? at.offset : -1)));
    assert.equal(
      parts.reduce((sum, { posting }) => sum + posting.accepted, 0),
      failures.length,
    );
    from = parts.at(-1)?.end ?? range.end;
  }

  assert.deepEqual(sizes, [4_000, 4_000, 1_000]);
  assert.deepEqual(
    offsets,
    Array.from({ length: 9_000 }, (_, i) => i * 2),
  );
});

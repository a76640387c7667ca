import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import fc from "fast-check";
import { open } from "lmdb";
import { ignoreNotices, ManualClock, type Notice } from "../../base/index.js";
import type { Tables, Write, WriteSet } from "../tables.js";
import type { LmdbPersistence } from "./lmdb-persistence.js";
import { type OpenedTables, openTables } from "./open-tables.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
const directories: string[] = [];
const opened: LmdbPersistence[] = [];

afterEach(async () => {
  for (const persistence of opened.splice(0)) await persistence.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-lmdb-"));
  directories.push(directory);
  return directory;
}

interface Given {
  readonly directory: string;
  readonly onPut?: (index: number) => void;
  readonly checkpointBytes?: number;
  readonly notices?: (notice: Notice) => void;
  readonly clock?: ManualClock;
}

async function openAt({ directory, clock, notices, ...rest }: Given): Promise<OpenedTables> {
  const result = await openTables({
    directory,
    durability: "interval",
    clock: clock ?? new ManualClock(0),
    notices: notices ?? ignoreNotices,
    ...rest,
  });
  opened.push(result.persistence);
  return result;
}

async function close({ persistence }: OpenedTables): Promise<void> {
  opened.splice(opened.indexOf(persistence), 1);
  await persistence.close();
}

/** What a process that is killed now leaves behind: the page cache, as another process would read it. */
function killedCopyOf(directory: string): string {
  const copy = makeDirectory();
  for (const name of ["state.mdb", "state.log"]) cpSync(join(directory, name), join(copy, name));
  return copy;
}

function put(key: string, atMs: number): Write {
  return { table: "due", key, record: { dueMs: atMs, row: `row ${key}` } };
}

function drop(key: string): Write {
  return { table: "due", key, record: undefined };
}

function dueOf(tables: Tables): Record<string, number> {
  return Object.fromEntries([...tables.due].map(([key, { dueMs }]) => [key, dueMs]).sort());
}

test("openTables() finds after a close what was written before it", async () => {
  const directory = makeDirectory();
  const first = await openAt({ directory });
  first.persistence.write([put("a", 1), put("b", 2)]);
  first.persistence.write([put("a", 3), drop("b")]);
  await close(first);

  const second = await openAt({ directory });

  assert.deepEqual(dueOf(second.tables), { a: 3 });
  assert.equal(second.isRolledBack, false);
  assert.equal(statSync(join(directory, "state.log")).size, 0);
});

test("openTables() finds what a killed process had written, and says how much of it came from the log", async () => {
  const directory = makeDirectory();
  const notices: Notice[] = [];
  const first = await openAt({ directory });
  first.persistence.write([put("a", 1)]);
  first.persistence.write([put("b", 2)]);

  const second = await openAt({
    directory: killedCopyOf(directory),
    notices: (notice) => notices.push(notice),
  });

  assert.deepEqual(dueOf(second.tables), { a: 1, b: 2 });
  assert.deepEqual(
    notices.map(({ name, data }) => [name, data?.steps]),
    [["store.recovered", 2]],
  );
});

test("openTables() keeps keys of any length and any characters apart", async () => {
  const keys = [
    "",
    "x".repeat(333),
    "x".repeat(5_000),
    `${"x".repeat(5_000)}y`,
    "\ud800",
    "\ud801",
    "\ufffd",
    "ключ",
    "\0",
  ];
  const directory = makeDirectory();
  const first = await openAt({ directory });
  first.persistence.write(keys.map(put));
  first.persistence.write([drop("\ud801")]);
  await close(first);

  const second = await openAt({ directory });

  const expected = keys.map((key, index) => [key, index] as const).filter(([key]) => key !== "\ud801");
  assert.deepEqual(
    new Map([...second.tables.due].map(([key, { dueMs }]) => [key, dueMs])),
    new Map(expected),
  );
});

test("openTables() takes whole steps only, wherever the log was cut or damaged", async () => {
  const directory = makeDirectory();
  const { persistence } = await openAt({ directory });
  const ends: number[] = [];
  for (let step = 1; step <= 4; step += 1) {
    persistence.write([put("step", step), put(`own ${step}`, step)]);
    ends.push(persistence.logBytes);
  }
  const log = readFileSync(join(directory, "state.log"));

  for (let length = 0; length <= log.length; length += 7) {
    for (const damage of ["cut", "flip"] as const) {
      const copy = killedCopyOf(directory);
      const bytes = Buffer.from(log);
      if (damage === "flip" && length < log.length) bytes[length] = (bytes[length] ?? 0) ^ 1;
      writeFileSync(join(copy, "state.log"), damage === "cut" ? bytes.subarray(0, length) : bytes);
      const found = await openAt({ directory: copy });

      const whole = ends.filter((end) => end <= length).length;
      const expected: Record<string, number> = {};
      for (let step = 1; step <= whole; step += 1) expected[`own ${step}`] = step;
      if (whole > 0) expected.step = whole;
      assert.deepEqual(dueOf(found.tables), expected, `${damage} at ${length}`);
      await close(found);
    }
  }
});

test("a checkpoint that throws at any put leaves the database as it was and loses nothing", async () => {
  for (let failAt = 0; failAt < 4; failAt += 1) {
    const directory = makeDirectory();
    let isFailing = false;
    const notices: Notice[] = [];
    const { persistence } = await openAt({
      directory,
      notices: (notice) => notices.push(notice),
      onPut: (index) => {
        if (isFailing && index === failAt) throw new Error("injected");
      },
    });
    persistence.write([put("a", 1), put("b", 1)]);
    assert.equal(persistence.checkpoint(), true);
    persistence.write([put("a", 2), drop("b"), put("c", 2), put("d", 2)]);

    isFailing = true;
    assert.equal(persistence.checkpoint(), false);
    const inDatabase = killedCopyOf(directory);
    truncateSync(join(inDatabase, "state.log"), 0);
    const onlyDatabase = await openAt({ directory: inDatabase });
    assert.deepEqual(dueOf(onlyDatabase.tables), { a: 1, b: 1 });
    assert.deepEqual(
      notices.map(({ name }) => name),
      ["store.checkpoint-failed"],
    );
    const killed = await openAt({ directory: killedCopyOf(directory) });
    assert.deepEqual(dueOf(killed.tables), { a: 2, c: 2, d: 2 });

    isFailing = false;
    persistence.write([put("e", 3)]);
    assert.equal(persistence.checkpoint(), true);
    const later = await openAt({ directory: killedCopyOf(directory) });
    assert.deepEqual(dueOf(later.tables), { a: 2, c: 2, d: 2, e: 3 });
  }
});

test("a step without writes is a step: what follows it outlives the next two kills", async () => {
  const directory = makeDirectory();
  const first = await openAt({ directory });
  first.persistence.write([]);
  const afterKill = killedCopyOf(directory);
  const second = await openAt({ directory: afterKill });

  second.persistence.write([put("a", 1)]);

  const third = await openAt({ directory: killedCopyOf(afterKill) });
  assert.deepEqual(dueOf(third.tables), { a: 1 });
});

test("a store whose file was removed under it says so and takes no more", async () => {
  const directory = makeDirectory();
  const clock = new ManualClock(0);
  const notices: string[] = [];
  const { persistence } = await openAt({ directory, clock, notices: ({ name }) => notices.push(name) });
  persistence.write([put("a", 1)]);

  rmSync(directory, { recursive: true });
  clock.advance(1_000);

  assert.deepEqual(notices, ["store.gone"]);
  assert.throws(() => persistence.write([put("b", 2)]), { code: "STORE_FAILED" });
});

test("openTables() calls for a new generation when an older database was put back beside a later log", async () => {
  const directory = makeDirectory();
  const first = await openAt({ directory });
  first.persistence.write([put("a", 1)]);
  first.persistence.checkpoint();
  const older = killedCopyOf(directory);
  for (const key of ["b", "c"]) {
    first.persistence.write([put(key, 2)]);
    first.persistence.checkpoint();
  }
  first.persistence.write([put("d", 3)]);
  const later = killedCopyOf(directory);
  cpSync(join(older, "state.mdb"), join(later, "state.mdb"));

  const { isRolledBack } = await openAt({ directory: later });

  assert.equal(isRolledBack, true);
});

test("a checkpoint comes within a second of the first step that needs it", async () => {
  const clock = new ManualClock(0);
  const { persistence } = await openAt({ directory: makeDirectory(), clock });
  persistence.write([put("a", 1)]);

  clock.advance(999);
  assert.notEqual(persistence.logBytes, 0);
  clock.advance(1);

  assert.equal(persistence.logBytes, 0);
});

test(`random steps, checkpoints, closes and kills: what is found is always what was written (seed ${seed})`, async () => {
  const key = fc.constantFrom("a", "b", "c", "long".repeat(400));
  const write = fc.oneof(
    fc.record({ key, atMs: fc.nat(1_000) }),
    fc.record({ key, atMs: fc.constant(undefined) }),
  );
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("step" as const), writes: fc.array(write, { maxLength: 5 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom("checkpoint" as const, "close" as const, "kill" as const),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 40 }),
      fc.integer({ min: 50, max: 3_000 }),
      async (actions, checkpointBytes) => {
        let directory = makeDirectory();
        let store = await openAt({ directory, checkpointBytes });
        const model: Record<string, number> = {};
        for (const step of actions) {
          if (step.kind === "step") {
            const byKey = new Map(step.writes.map((one) => [one.key, one.atMs]));
            store.persistence.write(
              [...byKey].map(([name, atMs]) => (atMs === undefined ? drop(name) : put(name, atMs))),
            );
            for (const [name, atMs] of byKey) {
              if (atMs === undefined) delete model[name];
              else model[name] = atMs;
            }
          } else if (step.kind === "checkpoint") {
            store.persistence.checkpoint();
          } else {
            const copy = step.kind === "kill" ? killedCopyOf(directory) : directory;
            await close(store);
            directory = copy;
            store = await openAt({ directory, checkpointBytes });
            assert.deepEqual(dueOf(store.tables), Object.fromEntries(Object.entries(model).sort()));
          }
        }
        await close(store);
        const last = await openAt({ directory, checkpointBytes });
        assert.deepEqual(dueOf(last.tables), Object.fromEntries(Object.entries(model).sort()));
        await close(last);
      },
    ),
    { seed, numRuns: 40 },
  );
});

test("openTables() calls for a new generation when the machine went down under an open store", async () => {
  const directory = makeDirectory();
  const first = await openAt({ directory });
  first.persistence.write([put("a", 1)]);
  const copy = killedCopyOf(directory);
  const sameBoot = await openAt({ directory: killedCopyOf(directory) });
  await rewriteHeader(copy, { bootId: "another run of the machine" });

  const afterPowerFailure = await openAt({ directory: copy });

  assert.equal(afterPowerFailure.isRolledBack, true);
  assert.equal(sameBoot.isRolledBack, process.platform !== "linux");
});

/** As another program, or a later version, would leave the file. */
async function rewriteHeader(directory: string, changes: object): Promise<void> {
  const root = open<Buffer, Buffer>(join(directory, "state.mdb"), {
    noSubdir: true,
    encoding: "binary",
    keyEncoding: "binary",
    overlappingSync: false,
    maxDbs: 4,
  });
  const key = Buffer.from("poundlock-store");
  const header = JSON.parse(String(root.get(key))) as object;
  root.transactionSync(() => void root.put(key, Buffer.from(JSON.stringify({ ...header, ...changes }))));
  await root.close();
}

function rejectsWith(opening: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(opening, (error: { code?: string; hint?: string }) => {
    assert.equal(error.code, code);
    assert.ok(error.hint !== undefined && error.hint.length > 0);
    return true;
  });
}

test("openTables() refuses what is not a whole store of its own, and does not touch it", async () => {
  const whole = makeDirectory();
  const store = await openAt({ directory: whole });
  const steps: WriteSet[] = Array.from({ length: 300 }, (_, index) => [put(`key ${index}`, index)]);
  for (const step of steps) store.persistence.write(step);
  await close(store);
  const file = readFileSync(join(whole, "state.mdb"));
  const damaged: Record<string, Buffer> = {
    text: Buffer.from("this is not a store\n"),
    garbage: Buffer.alloc(20_000, 0x5a),
    "first page": Buffer.concat([Buffer.alloc(4_096), file.subarray(4_096)]),
    "flipped bit in a record": flipBit(file, file.lastIndexOf("row key 77") + 5),
  };

  for (const [name, bytes] of Object.entries(damaged)) {
    const directory = makeDirectory();
    writeFileSync(join(directory, "state.mdb"), bytes);

    await rejectsWith(openAt({ directory }), "STORE_CORRUPT");

    if (name !== "flipped bit in a record")
      assert.ok(readFileSync(join(directory, "state.mdb")).equals(bytes), `${name} was touched`);
  }
});

function flipBit(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test("openTables() refuses a file that was cut", async () => {
  const directory = makeDirectory();
  const store = await openAt({ directory });
  store.persistence.write(Array.from({ length: 3_000 }, (_, index) => put(`key ${index}`, index)));
  await close(store);
  const path = join(directory, "state.mdb");
  truncateSync(path, Math.floor(statSync(path).size / 2));

  await rejectsWith(openAt({ directory }), "STORE_CORRUPT");
});

test("openTables() refuses another program's database and a newer layout", async () => {
  const foreign = makeDirectory();
  const root = open(join(foreign, "state.mdb"), { noSubdir: true, overlappingSync: false });
  root.putSync("somebody's", "data");
  await root.close();
  await rejectsWith(openAt({ directory: foreign }), "STORE_CORRUPT");

  const newer = makeDirectory();
  await close(await openAt({ directory: newer }));
  await rewriteHeader(newer, { layout: 2 });
  await rejectsWith(openAt({ directory: newer }), "STORE_VERSION");
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { ManualClock } from "../../base/index.js";
import type { Settlement, Store } from "../contract.js";
import { emptyDelta, encodeDelta } from "../delta.js";
import { openLmdbStore } from "./open-store.js";
import type { LmdbStoreOptions } from "./options.js";

const directories: string[] = [];
const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-store-"));
  directories.push(directory);
  return directory;
}

async function openAt(path: string, options: Partial<LmdbStoreOptions> = {}): Promise<Store> {
  const store = await openLmdbStore({ path, ownerWaitMs: 0, ...options });
  stores.push(store);
  return store;
}

function settlement(generation: string, start: number): Settlement {
  const identity = { path: "/a", device: "1", inode: "1", prefixLength: 0, prefixHash: "", size: 0 };
  return {
    generation,
    take: { kind: "file", source: "s", file: "f", start, end: start + 10, identity },
    delta: encodeDelta({
      ...emptyDelta,
      newestMs: start,
      add: [
        {
          metric: "k",
          kind: "count",
          changes: [
            {
              group: [String(start % 3)],
              slot: { startMs: start * 1_000, widthMs: 1_000 },
              cell: { kind: "count", n: 1 },
            },
          ],
        },
      ],
    }),
    failures: [],
    ledger: [
      {
        source: "s",
        accepted: 1,
        settled: 1,
        dropped: 0,
        dead: 0,
        retrying: 0,
        duplicate: 0,
        lost: {},
        absent: {},
        bytes: 10,
      },
    ],
  };
}

async function stateOf(store: Store): Promise<unknown> {
  const { generation, version } = await store.info();
  return {
    generation,
    version,
    totals: await store.read({ metric: "k", span: "total" }),
    slots: await store.read({ metric: "k", span: { fromMs: 0, toMs: 1_000_000 } }),
    ledger: await store.ledger(),
    watermarks: await store.watermarks("s"),
    deadLetters: await store.deadLetters({}),
  };
}

for (const durability of ["interval", "always"] as const)
  test(`openLmdbStore() with durability ${durability} has the same state after every close`, async () => {
    const path = makeDirectory();
    const clock = new ManualClock(60_000);
    let store = await openAt(path, { durability, clock });
    await store.define([{ key: "k", name: "events", kind: "count", by: ["status"] }]);
    for (let start = 0; start < 50; start += 10) {
      const { generation } = await store.info();
      assert.equal((await store.settle(settlement(generation, start))).kind, "settled");
      const before = await stateOf(store);
      await store[Symbol.asyncDispose]();

      store = await openAt(path, { durability, clock });

      assert.deepEqual(await stateOf(store), before);
      assert.equal((await store.settle(settlement(generation, start))).kind, "foreign");
    }
    assert.equal((await store.info()).durability, durability);
  });

test("openLmdbStore() refuses a store that has an owner, and names it", async () => {
  const path = makeDirectory();
  const owner = await openAt(path);

  await assert.rejects(openAt(path), (error: { code?: string; message?: string }) => {
    assert.equal(error.code, "STORE_LOCKED");
    assert.match(String(error.message), new RegExp(`process ${process.pid} \\(open-store\\.test\\.js`));
    return true;
  });

  await owner[Symbol.asyncDispose]();
  await openAt(path);
});

test("openLmdbStore() waits a moment for an owner that is about to end", async () => {
  const path = makeDirectory();
  const owner = await openAt(path);
  const waiting = openAt(path, { ownerWaitMs: 30_000 });

  await owner[Symbol.asyncDispose]();

  assert.equal((await (await waiting).info()).kind, "lmdb");
});

test("openLmdbStore() rejects with the reason when the folder is not a store's, and leaves no owner behind", async () => {
  const path = makeDirectory();
  writeFileSync(join(path, "state.mdb"), "something else");
  await assert.rejects(openAt(path), { code: "STORE_CORRUPT" });

  rmSync(join(path, "state.mdb"));
  await openAt(path);

  const file = join(makeDirectory(), "a file");
  writeFileSync(file, "");
  await assert.rejects(openAt(file), { code: "STORE_ACCESS" });
});

test("openLmdbStore() takes over at once from a process that was killed", async () => {
  const path = makeDirectory();
  const child = run(`
    const store = await openLmdbStore({ path: ${JSON.stringify(path)} });
    console.log((await store.info()).generation);
    setInterval(() => {}, 1_000);
  `);
  const [generation] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  await assert.rejects(openAt(path), { code: "STORE_LOCKED" });

  child.kill("SIGKILL");
  await once(child, "exit");
  const store = await openAt(path);

  assert.equal((await store.info()).generation, generation.trim());
});

test("an idle store lets its process end, a pending call does not", async () => {
  const path = makeDirectory();
  const child = run(`
    const store = await openLmdbStore({ path: ${JSON.stringify(path)} });
    const limits = { framesMax: 1, bytesMax: 1, leaseMs: 1_000, waitMs: 300 };
    store.lease("w", limits, new AbortController().signal).then((batch) => console.log("answered", batch));
  `);
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });

  const [code] = await once(child, "exit");

  assert.equal(code, 0);
  assert.equal(said.trim(), "answered undefined");
});

test("openLmdbStore() refuses options outside their range before it touches anything", async () => {
  const path = makeDirectory();

  await assert.rejects(openAt(path, { ownerWaitMs: -1 }), { code: "OPTION_INVALID" });
  await assert.rejects(openAt(path, { attemptsMax: 0 }), { code: "OPTION_INVALID" });
});

function run(script: string): ReturnType<typeof spawn> & { stdout: NodeJS.ReadableStream } {
  const door = JSON.stringify(new URL("./index.js", import.meta.url));
  const source = `import { openLmdbStore } from ${door};\n${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return child as ReturnType<typeof run>;
}

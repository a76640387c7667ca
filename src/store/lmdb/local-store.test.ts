import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import type { Notice } from "../../base/index.js";
import type { Settlement, Store } from "../contract.js";
import { emptyDelta, encodeDelta } from "../delta.js";
import { openLocalStore } from "./local-store.js";

const directories: string[] = [];
const stores: Store[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store[Symbol.asyncDispose]();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-local-"));
  directories.push(directory);
  return directory;
}

interface Given {
  readonly onWrite?: (index: number) => void;
  readonly notices?: (notice: Notice) => void;
}

async function openAt(directory: string, given: Given = {}): Promise<Store> {
  const owner = { pid: process.pid, command: "test" };
  const store = await openLocalStore({
    directory,
    durability: "interval",
    limits: {},
    owner,
    ownerWaitMs: 0,
    ...given,
  });
  stores.push(store);
  return store;
}

async function close(store: Store): Promise<void> {
  stores.splice(stores.indexOf(store), 1);
  await store[Symbol.asyncDispose]();
}

const eventsEach = 10;

/** Ten events of file f, one of them dead. */
function settlement(generation: string, start: number): Settlement {
  const identity = { path: "/f", device: "1", inode: "1", prefixLength: 0, prefixHash: "", size: 0 };
  const at = { kind: "file", file: "f", path: "/f", offset: start, length: 1, index: 0 } as const;
  return {
    generation,
    take: { kind: "file", source: "s", file: "f", start, end: start + eventsEach, identity },
    delta: encodeDelta({
      ...emptyDelta,
      newestMs: start,
      add: [
        {
          metric: "k",
          kind: "count",
          changes: [
            {
              group: ["open"],
              slot: { startMs: 0, widthMs: 1_000 },
              cell: { kind: "count", n: eventsEach - 1 },
            },
          ],
        },
      ],
    }),
    failures: [
      {
        source: "s",
        at,
        bytes: Buffer.from("x"),
        length: 1,
        reason: "parse",
        message: "no",
        disposition: "dead",
      },
    ],
    ledger: [
      {
        source: "s",
        accepted: eventsEach,
        settled: eventsEach - 1,
        dropped: 0,
        dead: 1,
        retrying: 0,
        duplicate: 0,
        lost: {},
        absent: {},
        bytes: eventsEach,
      },
    ],
  };
}

async function settleSome(store: Store, count: number): Promise<void> {
  await store.define([{ key: "k", name: "events", kind: "count", by: ["status"] }]);
  const { generation } = await store.info();
  for (let start = 0; start < count * eventsEach; start += eventsEach)
    assert.equal((await store.settle(settlement(generation, start))).kind, "settled");
}

/** Settlements in the store, after every figure of it was found to say the same. */
async function provenSettlements(store: Store): Promise<number> {
  const [watermark] = await store.watermarks("s");
  const settlements = (watermark?.offset ?? 0) / eventsEach;
  const [row] = await store.ledger();
  const { total } = await store.deadLetters({});
  const counts: number[] = [];
  for (const span of ["total", { fromMs: 0, toMs: 1_000 }] as const) {
    const page = await store.read({ metric: "k", span }).catch(() => undefined);
    const cell = page?.groups[0]?.cells[0]?.cell;
    counts.push(cell?.kind === "count" ? cell.n : 0);
  }
  assert.deepEqual(
    { counts, accepted: row?.accepted ?? 0, dead: row?.dead ?? 0, unaccounted: row?.unaccounted ?? 0, total },
    {
      counts: [settlements * (eventsEach - 1), settlements * (eventsEach - 1)],
      accepted: settlements * eventsEach,
      dead: settlements,
      unaccounted: 0,
      total: settlements,
    },
  );
  return settlements;
}

test("wherever a kill cuts the log, watermark, totals, slots, ledger and dead letters agree", async () => {
  const directory = makeDirectory();
  const store = await openAt(directory);
  await settleSome(store, 5);
  const log = readFileSync(join(directory, "state.log"));
  const seen = new Set<number>();

  for (let length = 0; length <= log.length; length += 53) {
    const copy = makeDirectory();
    cpSync(join(directory, "state.mdb"), join(copy, "state.mdb"));
    writeFileSync(join(copy, "state.log"), log.subarray(0, length));
    const found = await openAt(copy);
    seen.add(await provenSettlements(found));
    await close(found);
  }

  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4].concat(log.length % 53 === 0 ? [5] : []));
});

test("a step that fails at any of its writes has not happened, in memory or on disk", async () => {
  for (let failAt = 0; ; failAt += 1) {
    const directory = makeDirectory();
    let isFailing = false;
    let writes = 0;
    const store = await openAt(directory, {
      onWrite: (index) => {
        if (!isFailing) return;
        writes += 1;
        if (index === failAt) throw new Error("injected");
      },
    });
    await settleSome(store, 1);
    const { generation, version } = await store.info();

    isFailing = true;
    const settling = store.settle(settlement(generation, eventsEach));
    const hasFailed = await settling.then(
      () => false,
      () => true,
    );
    isFailing = false;

    if (!hasFailed) {
      assert.ok(failAt >= 6, `a settlement made ${writes} writes`);
      break;
    }
    assert.equal(await provenSettlements(store), 1);
    assert.equal((await store.info()).version, version);
    await close(store);
    const reopened = await openAt(directory);
    assert.equal(await provenSettlements(reopened), 1);
    assert.equal((await reopened.settle(settlement(generation, eventsEach))).kind, "settled");
    assert.equal(await provenSettlements(reopened), 2);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  counted,
  failure,
  frame,
  hourMs,
  Lab,
  minuteMs,
  startMs,
} from "../../test/kit/store-contract/lab.js";
import { ManualClock } from "../base/index.js";
import { decodeRecord, encodeRecord } from "./codecs.js";
import type { Store } from "./contract.js";
import type { StoreOptions } from "./options.js";
import type { Persistence } from "./persistence.js";
import { TableStore } from "./table-store.js";
import { emptyTables, type TableName, type Tables, tableNames } from "./tables.js";

const never = new AbortController().signal;
const leaseLimits = { framesMax: 1, bytesMax: 1_000, leaseMs: 5_000 };

test("TableStore goes on from its records as if it had never been closed", async (t) => {
  const disk = new Disk();
  const lab = await Lab.open(t, async (options) => openOn(disk, options));
  await fill(lab);
  const before = await lab.picture();

  await using again = openOn(disk, { clock: lab.clock });

  const pictureAgain = await Lab.prototype.picture.call({ store: again });
  assert.equal(pictureAgain, before);
  assert.equal((await again.info()).generation, lab.generation);
  const expected = [await lab.store.lease("w2", leaseLimits, never), await lab.store.runDue(10)];
  assert.deepEqual([await again.lease("w2", leaseLimits, never), await again.runDue(10)], expected);
  assert.deepEqual(await again.claim("book", "b", 1), await lab.store.claim("book", "b", 1));
  assert.deepEqual((await again.append([frame(3)])).outcomes, [{ kind: "appended", position: "0-3" }]);
});

test("TableStore refuses records of a format that it does not know", () => {
  const disk = new Disk();
  const tables = emptyTables();
  tables.meta.set("state", { format: 2 } as never);

  assert.throws(() => openOn(disk, {}, tables), { code: "STORE_FORMAT_UNKNOWN" });
});

test("TableStore answers only when the step is durable", async (t) => {
  const disk = new Disk();
  const lab = await Lab.open(t, async (options) => openOn(disk, options));
  disk.failure = new Error("no space");

  await assert.rejects(lab.store.settle(lab.next({ events: [counted("x")] })), /no space/);
});

/** Something in every table. */
async function fill(lab: Lab): Promise<void> {
  const claim = (await lab.store.claim("book", "a", hourMs))!;
  const half = { kind: "pair", table: "t", key: "k", half: "first", metric: "times", group: ["x"] } as const;
  const slot = { startMs, widthMs: 1_000 };
  const effects = [{ metric: "sum", group: ["x"], slot, value: 0.5 }];
  await lab.settle({
    events: ["count", "sum", "gauge", "times", "capped", "flat"].flatMap((metric) =>
      ["x", null, "\ud800", "y"].map((group) => ({ metric, group, atMs: startMs, value: 0.1 })),
    ),
    delta: {
      keyed: [
        { ...half, atMs: startMs, dueMs: startMs + minuteMs },
        { kind: "upsert", table: "u", key: "k", order: 1, effects },
      ],
      ordered: [{ lane: "book", token: claim.token, state: Buffer.from([0, 255]) }],
    },
    failures: [failure(1), failure(2, { disposition: "attempt", bytes: Buffer.from([255, 0]), length: 2 })],
    posting: { absent: { rule: 2 }, lost: { cut: 0 } },
  });
  await lab.store.append([frame(1), frame(2)]);
  await lab.store.lease("w", leaseLimits, never);
  lab.clock.advance(2 * minuteMs);
  // One for each level, and one that is late.
  const ages = [0, 10 * minuteMs, 2 * hourMs, 48 * hourMs, 2_400 * hourMs];
  await lab.settle({ events: ages.map((age) => counted("x", lab.clock.now() - age)) });
}

function openOn(disk: Disk, options: StoreOptions, tables: Tables = disk.load()): Store {
  const clock = options.clock ?? new ManualClock(startMs);
  return new TableStore({
    kind: "lmdb",
    durability: "always",
    options: { ...options, clock },
    tables,
    persistence: disk,
    newGeneration: "generation",
  });
}

/** Keeps records as bytes, in the order of their keys. */
class Disk implements Persistence {
  failure: Error | undefined;
  readonly #kept = new Map<TableName, Map<string, Uint8Array>>(tableNames.map((name) => [name, new Map()]));

  write(writes: Parameters<Persistence["write"]>[0]): void {
    for (const { table, key, record } of writes)
      if (record === undefined) this.#kept.get(table)!.delete(key);
      else this.#kept.get(table)!.set(key, encodeRecord(table, record));
  }

  async flushed(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {}

  load(): Tables {
    const tables = emptyTables();
    for (const [name, records] of this.#kept)
      for (const [key, bytes] of [...records].sort(([a], [b]) => (a < b ? -1 : 1)))
        (tables[name] as Map<string, unknown>).set(key, decodeRecord(name, bytes));
    return tables;
  }
}

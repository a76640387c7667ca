import assert from "node:assert/strict";
import {
  type CellChange,
  emptyDelta,
  encodeDelta,
  type Failure,
  type Settlement,
  type Store,
} from "../../src/store/index.js";
import { openLmdbStore } from "../../src/store/lmdb/index.js";
import { seededRandom } from "../kit/feed.js";

/**
 * A process made to be killed: it opens the store, proves that what it finds there agrees with itself, then settles
 * made-up ranges for as long as it lives. An event is a number, and everything about it follows from the number, so the
 * watermarks alone say what every other figure must be. Says on stdout `found <settlements>`, then a line for each
 * settlement acknowledged.
 */
const files = ["one", "two", "three"];
const groups = ["open", "filled", "canceled"];
const isDead = (offset: number): boolean => offset % 97 === 0;
const groupOf = (offset: number): string => groups[(offset * 7 + (offset >> 3)) % groups.length]!;
const timeOf = (offset: number): number => 1_700_000_000_000 + offset * 3;

function settlementOf(generation: string, file: string, start: number, end: number): Settlement {
  const changes = new Map<string, CellChange>();
  const failures: Failure[] = [];
  for (let offset = start; offset < end; offset += 1) {
    if (isDead(offset)) failures.push(failureAt(file, offset));
    else countInto(changes, offset);
  }
  const dead = failures.length;
  const accepted = end - start;
  const identity = { path: file, device: "1", inode: file, prefixLength: 0, prefixHash: "", size: end };
  return {
    generation,
    take: { kind: "file", source: "numbers", file, start, end, identity },
    delta: encodeDelta({
      ...emptyDelta,
      newestMs: timeOf(end - 1),
      add: [{ metric: "k", kind: "count", changes: [...changes.values()] }],
    }),
    failures,
    ledger: [
      {
        source: "numbers",
        accepted,
        settled: accepted - dead,
        dropped: 0,
        dead,
        retrying: 0,
        duplicate: 0,
        lost: {},
        absent: {},
        bytes: accepted,
      },
    ],
  };
}

function countInto(changes: Map<string, CellChange>, offset: number): void {
  const group = groupOf(offset);
  const startMs = Math.floor(timeOf(offset) / 1_000) * 1_000;
  const key = `${group} ${startMs}`;
  const cell = changes.get(key)?.cell;
  if (cell?.kind === "count") cell.n += 1;
  else changes.set(key, { group: [group], slot: { startMs, widthMs: 1_000 }, cell: { kind: "count", n: 1 } });
}

function failureAt(file: string, offset: number): Failure {
  const at = { kind: "file", file, path: file, offset, length: 1, index: 0 } as const;
  const bytes = Buffer.from(`bad ${offset}`);
  return {
    source: "numbers",
    at,
    bytes,
    length: bytes.length,
    reason: "parse",
    message: "no",
    disposition: "dead",
  };
}

/** Every figure of the store, recomputed from its watermarks. @returns the watermark of each file */
async function prove(store: Store): Promise<Map<string, number>> {
  const watermarks = new Map((await store.watermarks("numbers")).map(({ file, offset }) => [file, offset]));
  const expected = new Map<string, number>();
  let accepted = 0;
  let dead = 0;
  for (const end of watermarks.values()) {
    for (let offset = 0; offset < end; offset += 1) {
      accepted += 1;
      if (isDead(offset)) dead += 1;
      else expected.set(groupOf(offset), (expected.get(groupOf(offset)) ?? 0) + 1);
    }
  }
  const everything = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
  const sorted = [...expected].sort();
  assert.deepEqual(await countsOf(store, "total"), sorted, "totals");
  assert.deepEqual(await countsOf(store, everything), sorted, "slots");
  const [row] = await store.ledger();
  const {
    accepted: a,
    settled,
    dead: d,
    unaccounted,
  } = row ?? { accepted: 0, settled: 0, dead: 0, unaccounted: 0 };
  assert.deepEqual(
    { a, settled, d, unaccounted },
    { a: accepted, settled: accepted - dead, d: dead, unaccounted: 0 },
  );
  const page = await store.deadLetters({ limit: 100_000 });
  assert.equal(page.items.length, dead, "dead letters");
  for (const { at, bytes } of page.items)
    assert.equal(Buffer.from(bytes).toString(), `bad ${at.kind === "file" ? at.offset : ""}`);
  return watermarks;
}

async function countsOf(
  store: Store,
  span: "total" | { fromMs: number; toMs: number },
): Promise<[string, number][]> {
  const { groups: found } = await store.read({ metric: "k", span, cellsMax: 100_000 });
  const counts = found.map(({ group, cells }): [string, number] => [
    String(group[0]),
    cells.reduce((sum, { cell }) => sum + (cell.kind === "count" ? cell.n : 0), 0),
  ]);
  return counts.filter(([, count]) => count > 0).sort();
}

async function main(path: string, seed: number): Promise<void> {
  const store = await openLmdbStore({ path, ownerWaitMs: 0 });
  await store.define([{ key: "k", name: "events", kind: "count", by: ["group"] }]);
  const watermarks = await prove(store);
  const { generation, version } = await store.info();
  process.stdout.write(`found ${version} ${[...watermarks.values()].reduce((sum, end) => sum + end, 0)}\n`);
  await Promise.all(
    files.map((file, index) =>
      follow(store, { generation, file, start: watermarks.get(file) ?? 0, seed: seed + index }),
    ),
  );
}

async function follow(
  store: Store,
  { generation, file, start, seed }: { generation: string; file: string; start: number; seed: number },
): Promise<never> {
  const random = seededRandom(seed);
  if (start > 0) {
    const again = await store.settle(settlementOf(generation, file, 0, start));
    assert.equal(again.kind, "foreign", "a range that is settled is never taken again");
  }
  for (let from = start; ; ) {
    const end = from + 1 + Math.floor(random() * 200);
    const result = await store.settle(settlementOf(generation, file, from, end));
    assert.equal(result.kind, "settled");
    process.stdout.write(`${file} ${end - from}\n`);
    from = end;
  }
}

await main(process.argv[2]!, Number(process.argv[3]));

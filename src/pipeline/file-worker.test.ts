import assert from "node:assert/strict";
import { mkdtempSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foldText } from "../../test/kit/fold.js";
import { until } from "../../test/kit/until.js";
import { type Clock, ignoreNotices, type Notice, PoundlockError, systemClock } from "../base/index.js";
import { openMemoryStore, type Settlement, type SettleResult, type Store } from "../store/index.js";
import { type FileRange, openTail, type Tail } from "../tail/index.js";
import { compileRules } from "./compile.js";
import { FileWorker } from "./file-worker.js";
import type { FoldPart } from "./fold.js";
import { Query } from "./query.js";
import type { RangeFolder } from "./range-folder.js";
import type { Rules } from "./rules.js";

const rules: Rules = {
  sources: [{ name: "s", format: { kind: "json" }, time: { kind: "none" } }],
  metrics: [{ name: "n", kind: "count", from: [], by: [] }],
};

/** Hands out the given ranges; a rewound file starts again with the ranges from that offset on. */
class ListedTail implements Tail {
  readonly settledRanges: FileRange[] = [];
  readonly rewinds: number[] = [];
  readonly #current = new Set<FileRange>();
  #queue: FileRange[];
  readonly #all: readonly FileRange[];

  constructor(ranges: readonly FileRange[]) {
    this.#all = ranges;
    this.#queue = [...ranges];
  }

  async next(signal?: AbortSignal): Promise<FileRange | undefined> {
    signal?.throwIfAborted();
    // A real tail waits for a place; here the lanes get their turn.
    await new Promise(setImmediate);
    const range = this.#queue.shift();
    if (range !== undefined) this.#current.add(range);
    if (range !== undefined || this.settledRanges.some(({ end }) => end === this.#all.at(-1)?.end))
      return range;
    return this.next(signal);
  }

  isCurrent(range: FileRange): boolean {
    return this.#current.has(range);
  }

  async isIntact(): Promise<boolean> {
    return true;
  }

  settled(range: FileRange): void {
    assert.ok(this.#current.delete(range), "only what is in flight is settled");
    this.settledRanges.push(range);
  }

  rewind(_range: FileRange, offset: number): void {
    this.rewinds.push(offset);
    this.#current.clear();
    this.#queue = this.#all.filter(({ start }) => start >= offset).map((range) => ({ ...range }));
  }

  status(): [] {
    return [];
  }

  progress(): { foundBytes: number; settledBytes: number } {
    return { foundBytes: 0, settledBytes: 0 };
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Ranges of one event of 10 bytes each. */
function ranges(count: number): FileRange[] {
  const identity = { path: "/f", device: "1", inode: "1", prefixLength: 0, prefixHash: "", size: count * 10 };
  return Array.from({ length: count }, (_, i) => ({
    source: "s",
    file: "f",
    path: "/f",
    descriptor: 0,
    start: i * 10,
    end: (i + 1) * 10,
    kind: "lines",
    identity,
  }));
}

/** Folds each range to one event, later ranges sooner than earlier ones. */
const folder = {
  async fold(range: FileRange): Promise<readonly FoldPart[]> {
    for (let turns = 100 - range.start; turns > 0; turns -= 10) await new Promise(setImmediate);
    const { parts } = foldText(rules, '{"a": 1}\n\n');
    return parts.map((part) => ({ ...part, end: range.end }));
  },
} as unknown as RangeFolder;

/** Pauses take no time. */
const hastyClock: Clock = {
  ...systemClock,
  after(_delayMs, run) {
    const turn = setImmediate(run);
    return () => clearImmediate(turn);
  },
};

async function setUp(store: Store, tail: Tail): Promise<FileWorker> {
  await store.define(compileRules(rules).definitions);
  const { generation } = await store.info();
  return new FileWorker({ tail, store, folder, generation, clock: hastyClock, notices: ignoreNotices });
}

async function totalOf(store: Store): Promise<number | null | undefined> {
  const query = new Query({ store, rules: compileRules(rules), clock: systemClock, levels: [] });
  return (await query.answer({ metric: "n" })).all.value;
}

test("FileWorker settles in file order whatever order threads finish in", async () => {
  await using store = openMemoryStore({});
  const tail = new ListedTail(ranges(8));
  const worker = await setUp(store, tail);

  await worker.run();

  assert.deepEqual(
    tail.settledRanges.map(({ start }) => start),
    [0, 10, 20, 30, 40, 50, 60, 70],
  );
  assert.equal(await totalOf(store), 8);
  assert.equal((await store.watermarks("s"))[0]?.offset, 80);
});

test("FileWorker goes on from the store's watermark when a settlement is foreign, and counts once", async () => {
  await using store = openMemoryStore({});
  const first = await setUp(store, new ListedTail(ranges(3)));
  await first.run();
  const tail = new ListedTail(ranges(6));
  const second = await setUp(store, tail);

  await second.run();

  assert.deepEqual(tail.rewinds, [30]);
  assert.equal(await totalOf(store), 6);
  assert.ok(second.counts.lines > 3 * 2, "the ranges settled before were read a second time");
});

test("FileWorker asks a failing store again and counts once", async () => {
  await using store = openMemoryStore({});
  let refusals = 3;
  const flaky: Store = Object.assign(Object.create(store) as Store, {
    settle(settlement: Settlement): Promise<SettleResult> {
      refusals -= 1;
      if (refusals >= 0) return Promise.reject(new BusyError());
      return store.settle(settlement);
    },
    info: () => store.info(),
    define: (definitions: Parameters<Store["define"]>[0]) => store.define(definitions),
  });
  const worker = await setUp(flaky, new ListedTail(ranges(3)));

  await worker.run();

  assert.equal(refusals < 0, true);
  assert.equal(await totalOf(store), 3);
});

test("FileWorker ends with the error when the store can't go on, and leaves what was settled", async () => {
  await using store = openMemoryStore({});
  const broken: Store = Object.assign(Object.create(store) as Store, {
    settle: () => Promise.reject(new Error("disk is gone")),
    info: () => store.info(),
    define: (definitions: Parameters<Store["define"]>[0]) => store.define(definitions),
  });
  const worker = await setUp(broken, new ListedTail(ranges(3)));

  await assert.rejects(worker.run(), /disk is gone/);

  assert.deepEqual(await store.watermarks("s"), []);
});

test("FileWorker does not ask the store for what comes after a range that failed", async () => {
  await using store = openMemoryStore({});
  const asked: number[] = [];
  const broken: Store = Object.assign(Object.create(store) as Store, {
    settle: async ({ take }: Settlement): Promise<SettleResult> => {
      if (take?.kind === "file") asked.push(take.start);
      for (let turns = 20; turns > 0; turns -= 1) await new Promise(setImmediate);
      throw new Error("disk is gone");
    },
    info: () => store.info(),
    define: (definitions: Parameters<Store["define"]>[0]) => store.define(definitions),
  });
  const worker = await setUp(broken, new ListedTail(ranges(3)));

  await assert.rejects(worker.run(), /disk is gone/);

  assert.deepEqual(asked, [0]);
});

test("FileWorker counts nothing of what took a content's place while its range was folded", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "poundlock-worker-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "app.log");
  const linesOf = (name: string, count: number): string =>
    Array.from({ length: count }, (_, i) => `{"${name}": ${i}}\n`).join("");
  writeFileSync(path, linesOf("old", 100));
  await using store = openMemoryStore({});
  const notices: Notice[] = [];
  const onNotice = (notice: Notice): void => void notices.push(notice);
  await using tail = await openTail({ source: "s", patterns: [path], watermarks: [], notices: onNotice });
  await store.define(compileRules(rules).definitions);
  let folds = 0;
  const replacing = {
    async fold({ descriptor, start, end }: FileRange): Promise<readonly FoldPart[]> {
      folds += 1;
      if (folds === 1) writeFileSync(path, linesOf("new", 300));
      const bytes = Buffer.alloc(end - start);
      readSync(descriptor, bytes, 0, bytes.length, start);
      return foldText(rules, bytes).parts.map((part) => ({ ...part, end }));
    },
  } as unknown as RangeFolder;
  const { generation } = await store.info();
  const worker = new FileWorker({
    tail,
    store,
    folder: replacing,
    generation,
    clock: systemClock,
    notices: ignoreNotices,
  });

  const run = worker.run();
  await until("the new content is settled", async () => {
    const [row] = await store.ledger();
    return (row?.accepted ?? 0) >= 300;
  });
  await tail.close();
  await run;

  const [row] = await store.ledger();
  assert.deepEqual([row?.accepted, row?.settled, row?.dead], [300, 300, 0]);
  assert.equal(await totalOf(store), 300);
  const lost = notices.filter(({ name }) => name === "tail.lost").map(({ data }) => data?.lostBytes);
  assert.deepEqual(lost, [linesOf("old", 100).length]);
});

class BusyError extends PoundlockError {
  readonly code = "TEST_BUSY";
  override readonly retryable = true;

  constructor() {
    super("Cannot settle: busy");
  }
}

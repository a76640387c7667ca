import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "../../test/kit/feed.js";
import { until } from "../../test/kit/until.js";
import { type Clock, type Notice, PoundlockError, pause, systemClock } from "../base/index.js";
import {
  defaultLevels,
  openMemoryStore,
  type Settlement,
  type SettleResult,
  type Store,
} from "../store/index.js";
import { openTail, type Tail } from "../tail/index.js";
import { ThreadDiedError, ThreadHungError, ThreadPool } from "../threads/index.js";
import { compileRules } from "./compile.js";
import { FileWorker } from "./file-worker.js";
import type { FoldPart } from "./fold.js";
import type { FoldTask } from "./fold.thread.js";
import { Query } from "./query.js";
import { RangeFolder } from "./range-folder.js";
import type { Rules } from "./rules.js";

const seed = Number(process.env.POUNDLOCK_SEED ?? Date.now() % 1_000_000);
const runs = Number(process.env.POUNDLOCK_RUNS ?? 8);
const actionsOfRun = 60;

const rules: Rules = {
  sources: [{ name: "s", format: { kind: "json" }, time: { kind: "none" } }],
  metrics: [{ name: "n", kind: "count", from: [], by: ["id"] }],
  hasSlots: false,
};

/** Pauses of the back-off are short; everything else has the system's time. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs(),
  after: (delayMs, run) => systemClock.after(Math.min(delayMs, 5), run),
};

class LostAnswerError extends PoundlockError {
  readonly code = "TEST_LOST_ANSWER";
  override readonly retryable = true;

  constructor() {
    super("Cannot settle: the answer was lost");
  }
}

/** Settles, or fails before it has, or after it has. */
function unreliable(store: Store, random: () => number): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name !== "settle") {
        const value = Reflect.get(target, name) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (settlement: Settlement): Promise<SettleResult> => {
        if (random() < 0.1) await pause(systemClock, random() * 5);
        if (random() < 0.05) throw new LostAnswerError();
        const result = await target.settle(settlement);
        if (random() < 0.05) throw new LostAnswerError();
        return result;
      };
    },
  });
}

/** Threads that now and then die or hang in a range, or die before they took it up. */
function mortal(
  pool: ThreadPool<FoldTask, FoldPart[]>,
  random: () => number,
): ThreadPool<FoldTask, FoldPart[]> {
  const failed = new Set<string>();
  const run = async (task: FoldTask): Promise<FoldPart[]> => {
    const chance = random();
    const key = `${task.file} ${task.start} ${task.end}`;
    // Not the same range twice as a suspect: then its event would rightly be dead.
    if (chance < 0.05 && !failed.has(key)) {
      failed.add(key);
      if (chance < 0.02) throw new ThreadHungError(1);
      throw new ThreadDiedError({ hasBegun: chance < 0.035, how: "test" });
    }
    if (random() < 0.2) await pause(systemClock, random() * 10);
    return pool.run(task);
  };
  return { run } as unknown as ThreadPool<FoldTask, FoldPart[]>;
}

interface Running {
  readonly tail: Tail;
  readonly worker: FileWorker;
  readonly run: Promise<void>;
}

/** One log that is written to and rotated in every way, and what has to be counted of it. */
class Log {
  /** Lines whose content was truncated: they count once or not at all. */
  readonly forgettable = new Set<number>();
  readonly #path: string;
  readonly #random: () => number;
  #inFile: number[] = [];
  #rest = "";
  #rotations = 0;
  count = 0;

  constructor(directory: string, random: () => number) {
    this.#path = join(directory, "app.log");
    this.#random = random;
    this.append();
  }

  append(): void {
    let text = this.#rest;
    for (let lines = 1 + this.#random() * 80; lines > 0; lines -= 1) {
      this.#inFile.push(this.count);
      text += `{"id":${this.count},"pad":"${"p".repeat(this.#random() * 120)}"}\n`;
      this.count += 1;
    }
    const cut = this.#random() < 0.5 ? Math.floor(this.#random() * 20) : 0;
    appendFileSync(this.#path, text.slice(0, text.length - cut));
    this.#rest = text.slice(text.length - cut);
  }

  finishLine(): void {
    appendFileSync(this.#path, this.#rest);
    this.#rest = "";
  }

  rename(): void {
    this.finishLine();
    renameSync(this.#path, this.#nextName());
    this.#inFile = [];
    this.append();
  }

  truncate(): void {
    this.finishLine();
    for (const id of this.#inFile) this.forgettable.add(id);
    this.#empty();
  }

  #empty(): void {
    truncateSync(this.#path, 0);
    this.#inFile = [];
    if (this.#random() < 0.7) this.append();
  }

  #nextName(): string {
    this.#rotations += 1;
    return `${this.#path}.${this.#rotations}`;
  }
}

async function start(
  directory: string,
  parts: { store: Store; pool: ThreadPool<FoldTask, FoldPart[]>; notices: (notice: Notice) => void },
): Promise<Running> {
  const { store, pool, notices } = parts;
  const tail = await openTail({
    source: "s",
    patterns: [join(directory, "app.log*")],
    watermarks: await store.watermarks("s"),
    rangeBytesMax: 4096,
    pollIntervalMs: 10,
    notices,
  });
  const folder = new RangeFolder({ pool, clock: systemClock, notices, taskTimeoutMs: 30_000 });
  const { generation } = await store.info();
  const worker = new FileWorker({ tail, store, folder, generation, clock: hastyClock, notices });
  const run = worker.run().catch(() => {});
  return { tail, worker, run };
}

async function countsOf(store: Store): Promise<Map<number, number>> {
  const query = new Query({ store, rules: compileRules(rules), clock: systemClock, levels: defaultLevels });
  const groups = await query.totals("n");
  return new Map(groups.map(({ by, value }) => [Number(by.id), value ?? 0]));
}

async function oneRun(pool: ThreadPool<FoldTask, FoldPart[]>, runSeed: number): Promise<void> {
  const random = seededRandom(runSeed);
  const directory = mkdtempSync(join(tmpdir(), "poundlock-random-"));
  const notices: Notice[] = [];
  const story: string[] = [];
  const log = new Log(directory, random);
  await using kept = openMemoryStore({});
  await kept.define(compileRules(rules).definitions);
  const parts = {
    store: unreliable(kept, random),
    pool: mortal(pool, random),
    notices: (notice: Notice) => void notices.push(notice),
  };
  let running = await start(directory, parts);
  for (let i = 0; i < actionsOfRun; i += 1) {
    const chance = random();
    const action =
      chance < 0.6
        ? "append"
        : chance < 0.7
          ? "rename"
          : chance < 0.82
            ? "truncate"
            : chance < 0.93
              ? "restart"
              : "wait";
    story.push(action);
    if (action === "append") log.append();
    else if (action === "rename") log.rename();
    else if (action === "truncate") log.truncate();
    else if (action === "restart") {
      running.worker.drain();
      await Promise.all([running.run, running.tail.close()]);
      running = await start(directory, parts);
    }
    if (random() < 0.6) await pause(systemClock, random() * 30);
  }
  log.finishLine();
  const missing = async (): Promise<number[]> => {
    const counts = await countsOf(kept);
    return Array.from({ length: log.count }, (_, id) => id).filter(
      (id) => !log.forgettable.has(id) && !counts.has(id),
    );
  };
  try {
    await until("every line is counted", async () => (await missing()).length === 0, 10_000);
    await pause(systemClock, 50);
    const twice = [...(await countsOf(kept))].filter(([, count]) => count !== 1);
    assert.equal(
      twice
        .map(([id, n]) => `${id}x${n}`)
        .slice(0, 10)
        .join(" "),
      "",
    );
    const [row] = await kept.ledger();
    assert.equal(row?.unaccounted, 0);
    assert.equal(row?.dead, 0);
  } catch (error) {
    const told = notices
      .filter(({ name }) => name !== "tail.found")
      .map(({ name, message }) => `${name}: ${message}`);
    throw new Error(
      `seed ${runSeed}: ${String(error)}\nmissing ${(await missing()).slice(0, 20).join(" ")}\n${story.join(" ")}\n${told.join("\n")}`,
      { cause: error },
    );
  } finally {
    running.worker.drain();
    await Promise.all([running.run, running.tail.close()]);
    rmSync(directory, { recursive: true });
  }
}

test(`every line counts once whatever happens to files, threads, settlements and the process (seed ${seed})`, {
  timeout: 600_000,
}, async () => {
  await using pool = new ThreadPool<FoldTask, FoldPart[]>({
    entry: new URL("./fold.thread.js", import.meta.url),
    size: 2,
    workerData: {
      rules,
      limits: {
        cellsMax: 50,
        failuresMax: 500,
        failedPartsMax: 8,
        lineBytesMax: 65536,
        deadBytesMax: 65536,
        hasSlots: false,
        levels: defaultLevels,
      },
    },
  });
  for (let run = 0; run < runs; run += 1) await oneRun(pool, seed + run);
});

import cluster, { type Worker } from "node:cluster";
import {
  assertInvariant,
  type Clock,
  ignoreNotices,
  integerOption,
  type NoticeSink,
  systemClock,
} from "../../base/index.js";
import { SharedNext } from "../shared-next.js";
import type { MetricsSnapshot } from "../snapshot.js";
import type { SnapshotSource } from "../snapshot-source.js";
import { describeShape } from "../snapshots/family-shape.js";
import { atOnce, inTurns } from "../snapshots/in-turns.js";
import type { FamilyConflict } from "../snapshots/merge.js";
import { KnownNumbers } from "./known-numbers.js";
import { isOurs, questionMessage, readReport } from "./messages.js";
import { type MessagePipe, type PipeEnd, pipeOf } from "./pipe.js";
import type { Reported } from "./reported.js";

export interface GatherOptions {
  /** Whether the workers of `node:cluster` are gathered without being added, those that run already included. @default true */
  readonly clusterWorkers?: boolean;
  /** Registries in other processes, and connections to such (1..100,000); more are left out. @default 1,000 */
  readonly processesMax?: number;
  /** Largest report that is decoded, in bytes (1 KiB..1 GiB). @default 16 MiB */
  readonly reportBytesMax?: number;
  /** Series kept of processes that are gone and of no other; beyond it the family's overflow series has them. @default 100,000 */
  readonly residueSeriesMax?: number;
  readonly clock?: Clock;
  /** `metrics.process-refused`, `metrics.family-conflict`. */
  readonly notices?: NoticeSink;
}

export interface CollectOptions {
  /** How long to wait for processes to answer, in milliseconds (0..60,000); 0 asks none, and answers what was reported last. @default 200 */
  readonly waitMs?: number;
}

export interface ProcessStatus {
  /** `pid 4711`. */
  readonly name: string;
  /** Time of its newest numbers, in milliseconds since 1970. */
  readonly atMs: number;
  /** It left the newest question without an answer: stopped, busy, or slow. */
  readonly isStale: boolean;
}

/** Different pairs of families that are told of. */
const conflictsToldMax = 1_000;

/**
 * Makes one registry's numbers those of this process and of all that report to it.
 *
 * - Nothing here but `snapshot` holds the event loop for longer than some milliseconds, however many series there are.
 * - Nothing that another process does delays `collect` beyond its wait, makes it fail, or makes a counter go back. One that does not answer
 *   stands with its last numbers, is named in `poundlock_metrics_process_stale_seconds`, and is not waited for again until it has reported.
 * - A process that ends leaves its counters and histograms, for ever; its gauges, windows and upDownCounters go, but for the value of a
 *   `latest` gauge. The one that takes its place starts from zero and adds.
 * - Messages of others on the same channel are left alone; damaged, doubled and late ones of ours are counted and have no effect.
 */
export function gatherProcesses(registry: SnapshotSource, options: GatherOptions = {}): GatheredProcesses {
  return new GatheredProcesses(registry, options);
}

/** What `gatherProcesses` makes; a source of snapshots as a registry is. */
export class GatheredProcesses implements SnapshotSource {
  readonly #registry: SnapshotSource;
  readonly #processesMax: number;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #known: KnownNumbers;
  /** Each with what stops listening to it. */
  readonly #pipes = new Map<PipeEnd, () => void>();
  readonly #conflictsTold = new Set<string>();
  /** The questions of each collect that is waiting. */
  readonly #waitedFor = new Set<ReadonlyMap<Reported, number>>();
  /** Called whenever a report came or a process ended. */
  readonly #watchers = new Set<() => void>();
  readonly #onFork = (worker: Worker): void => this.add(worker.process);
  readonly #taking = new SharedNext(() => this.#take());
  #isTaking = false;
  #isSettling = false;
  /** The newest answer of `snapshot` while another one is being made in turns, and so older. */
  #overtaking: MetricsSnapshot | undefined;

  constructor(registry: SnapshotSource, options: GatherOptions) {
    this.#registry = registry;
    const limit = (name: "processesMax" | "reportBytesMax" | "residueSeriesMax", byDefault: number) => ({
      of: (min: number, max: number) => integerOption(name, options[name], { default: byDefault, min, max }),
    });
    this.#processesMax = limit("processesMax", 1_000).of(1, 100_000);
    this.#clock = options.clock ?? systemClock;
    this.#notices = options.notices ?? ignoreNotices;
    this.#known = new KnownNumbers({
      processesMax: this.#processesMax,
      reportBytesMax: limit("reportBytesMax", 16 * 2 ** 20).of(1024, 2 ** 30),
      residueSeriesMax: limit("residueSeriesMax", 100_000).of(0, 10_000_000),
      clock: this.#clock,
      onConflict: (conflict) => this.#noteConflict(conflict),
      onRefused: (why) => this.#refuse(why),
    });
    if (options.clusterWorkers === false || !cluster.isPrimary) return;
    cluster.on("fork", this.#onFork);
    for (const worker of Object.values(cluster.workers ?? {})) if (worker !== undefined) this.#onFork(worker);
  }

  /**
   * Listens to a child of `child_process.fork`, a port or a pipe of one's own, until it closes. What never calls `reportTo` costs nothing.
   * Adding it again changes nothing.
   */
  add(end: PipeEnd): void {
    if (this.#pipes.has(end)) return;
    if (this.#pipes.size >= this.#processesMax) {
      this.#refuse(`${this.#pipes.size} processes are connected already`);
      return;
    }
    const pipe = pipeOf(end);
    let isClosed = false;
    const close = (): void => {
      isClosed = true;
      this.#pipes.get(end)?.();
      this.#pipes.delete(end);
      this.#known.end(pipe);
      this.#settle();
      this.#tellWatchers();
    };
    const stop = pipe.open({ message: (message) => this.#onMessage(pipe, message), close });
    if (!isClosed) this.#pipes.set(end, stop);
  }

  /**
   * Asks all processes for their numbers, waits a bounded time, and answers with the newest that are known. Gives the event loop a turn
   * every few milliseconds. Whoever asks while numbers are being added up gets the next answer, and all of them the same.
   */
  async collect(options: CollectOptions = {}): Promise<MetricsSnapshot> {
    const waitMs = integerOption("waitMs", options.waitMs, { default: 200, min: 0, max: 60_000 });
    if (waitMs > 0) await this.#ask(waitMs);
    return this.#taking.ask();
  }

  /**
   * The newest that is known, without asking: other processes' numbers are up to one reporting interval old. Blocks for as long as it
   * takes; see `collect` for many series.
   */
  snapshot(): MetricsSnapshot {
    const made = atOnce(this.#known.collect(this.#registry.snapshot()));
    if (this.#isTaking) this.#overtaking = made;
    return made;
  }

  /** Of each process that reports, in order of their first report. */
  status(): readonly ProcessStatus[] {
    return this.#known.living().map(({ pipe, atMs = 0, isSilent }) => ({
      name: pipe.name,
      atMs,
      isStale: isSilent,
    }));
  }

  /** Listens to nobody any more; what is known stays. */
  close(): void {
    cluster.off("fork", this.#onFork);
    for (const stop of this.#pipes.values()) stop();
    this.#pipes.clear();
    for (const watch of [...this.#watchers]) watch();
  }

  #onMessage(pipe: MessagePipe, message: unknown): void {
    if (!isOurs(message)) return;
    const report = readReport(message);
    if (report === undefined) {
      this.#known.refuseGarbage();
      return;
    }
    this.#known.take(pipe, report);
    this.#settle();
    this.#tellWatchers();
  }

  /** Works off, in turns, what must not wait until somebody asks. */
  #settle(): void {
    // An answer that is being made works it off, or begins with what is worked off by now.
    if (this.#isTaking || this.#isSettling || !this.#known.isDue) return;
    this.#isSettling = true;
    const onDone = (): void => {
      this.#isSettling = false;
    };
    void inTurns(this.#known.settleDue(), { clock: this.#clock }, onDone).then(() => this.#settle());
  }

  /** One at a time. What `snapshot` answers meanwhile is newer, and so becomes the answer here too: no reader sees a number go back. */
  async #take(): Promise<MetricsSnapshot> {
    this.#isTaking = true;
    try {
      const { collect } = this.#registry;
      const own = collect === undefined ? this.#registry.snapshot() : await collect.call(this.#registry);
      let made: MetricsSnapshot | undefined;
      const isWanted = (): boolean => this.#overtaking === undefined;
      if (isWanted())
        await inTurns(this.#known.collect(own), { clock: this.#clock, isWanted }, (snapshot) => {
          made = snapshot;
        });
      const newest = this.#overtaking ?? made;
      assertInvariant(newest !== undefined, "an answer is not wanted only when there is a newer one");
      return newest;
    } finally {
      this.#isTaking = false;
      this.#overtaking = undefined;
      this.#settle();
    }
  }

  /**
   * Waits for the answers to its own questions and to those that another collect waits for now, since a process that has not answered is
   * sent no second one. Only to those: whoever waited for what others wait for in their turn would wait for a silent process again and again.
   */
  async #ask(waitMs: number): Promise<void> {
    const others = [...this.#waitedFor].flatMap((asked) => [...asked]);
    const asked = this.#askAll();
    this.#waitedFor.add(asked);
    await this.#answers([...others, ...asked], waitMs);
    this.#waitedFor.delete(asked);
  }

  /** The numbers of the questions that were sent. */
  #askAll(): ReadonlyMap<Reported, number> {
    const asked = new Map<Reported, number>();
    for (const reported of this.#known.living()) {
      const ask = reported.nextQuestion();
      if (ask === undefined) continue;
      // Before it is sent: a pipe may hand over the answer at once.
      asked.set(reported, ask);
      reported.pipe.send(questionMessage({ instance: reported.instance, ask }), () => {});
    }
    return asked;
  }

  #answers(asked: readonly (readonly [Reported, number])[], waitMs: number): Promise<void> {
    const isOpen = ([reported, question]: readonly [Reported, number]): boolean =>
      !reported.hasAnswered(question) && this.#known.isLiving(reported);
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#watchers.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.#pipes.size === 0 || !asked.some(isOpen)) finish();
      };
      const cancel = this.#clock.after(waitMs, finish);
      this.#watchers.add(look);
      look();
    });
  }

  #tellWatchers(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  #refuse(why: string): void {
    this.#notices({
      name: "metrics.process-refused",
      level: "warn",
      message: `A process's metrics are left out: ${why}`,
    });
  }

  /** Once for each pair of families: a scrape every few seconds would say the same. */
  #noteConflict({ name, kept, refused, seriesRefused }: FamilyConflict): void {
    const pair = JSON.stringify([name, kept, refused]);
    if (this.#conflictsTold.has(pair) || this.#conflictsTold.size >= conflictsToldMax) return;
    this.#conflictsTold.add(pair);
    this.#notices({
      name: "metrics.family-conflict",
      level: "warn",
      message: `Metric ${JSON.stringify(name)} is a ${describeShape(kept)}; one that is a ${describeShape(refused)} is left out`,
      data: { name, kept, refused, seriesRefused },
    });
  }
}

import cluster, { type Worker } from "node:cluster";
import { type Clock, ignoreNotices, integerOption, type NoticeSink, systemClock } from "../../base/index.js";
import { describeShape } from "../family-shape.js";
import type { FamilyConflict } from "../merge.js";
import { keyOfPoint } from "../series-key.js";
import type { MetricsSnapshot } from "../snapshot.js";
import type { SnapshotSource } from "../snapshot-source.js";
import { isOurs, questionMessage, type Report, readReport, snapshotBytesOf } from "./messages.js";
import { ownFamilies } from "./own-families.js";
import { type MessagePipe, type PipeEnd, pipeOf } from "./pipe.js";
import { type RefusalReason, Reported, snapshotIn } from "./reported.js";
import { expiredSeries, isCumulative, lastingOf, Residue } from "./residue.js";

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
  /** How long to wait for processes to answer, in milliseconds (0..60,000). @default 200 */
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

/** Instances that ended, remembered so that a message that comes late is not taken for a new process; a UUID each. */
const endedMax = 10_000;
/** Different pairs of families that are told of. */
const conflictsToldMax = 1_000;

/**
 * Makes one registry's numbers those of this process and of all that report to it.
 *
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
  readonly #reportBytesMax: number;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #notices: NoticeSink;
  readonly #residue: Residue;
  /** Each with what stops listening to it. */
  readonly #pipes = new Map<PipeEnd, () => void>();
  /** By instance, in order of their first report. */
  readonly #reported = new Map<string, Reported>();
  readonly #ended = new Set<string>();
  #endedCount = 0;
  readonly #refusals: Record<RefusalReason, number> = { garbage: 0, "too-large": 0, late: 0 };
  readonly #conflictsTold = new Set<string>();
  #own: MetricsSnapshot | undefined;
  /** Called whenever a report came or a process ended. */
  readonly #watchers = new Set<() => void>();
  readonly #onFork = (worker: Worker): void => this.add(worker.process);

  constructor(registry: SnapshotSource, options: GatherOptions) {
    this.#registry = registry;
    const limit = (name: "processesMax" | "reportBytesMax" | "residueSeriesMax", byDefault: number) => ({
      of: (min: number, max: number) => integerOption(name, options[name], { default: byDefault, min, max }),
    });
    this.#processesMax = limit("processesMax", 1_000).of(1, 100_000);
    this.#reportBytesMax = limit("reportBytesMax", 16 * 2 ** 20).of(1024, 2 ** 30);
    const seriesMax = limit("residueSeriesMax", 100_000).of(0, 10_000_000);
    this.#clock = options.clock ?? systemClock;
    this.#startedMs = this.#clock.now();
    this.#notices = options.notices ?? ignoreNotices;
    this.#residue = new Residue(seriesMax, (conflict) => this.#noteConflict(conflict));
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
      this.#endAll(pipe);
    };
    const stop = pipe.open({ message: (message) => this.#onMessage(pipe, message), close });
    if (!isClosed) this.#pipes.set(end, stop);
  }

  /** Asks all processes for their numbers, waits a bounded time, and answers with the newest that are known. */
  async collect(options: CollectOptions = {}): Promise<MetricsSnapshot> {
    const waitMs = integerOption("waitMs", options.waitMs, { default: 200, min: 0, max: 60_000 });
    const asked = new Map<Reported, number>();
    for (const reported of this.#reported.values()) {
      const question = this.#ask(reported);
      if (question !== undefined) asked.set(reported, question);
    }
    if (waitMs > 0) await this.#answers(asked, waitMs);
    return this.snapshot();
  }

  /** The newest that is known, without asking: other processes' numbers are up to one reporting interval old. */
  snapshot(): MetricsSnapshot {
    const own = this.#registry.snapshot();
    for (const reported of this.#reported.values()) this.#refresh(reported);
    this.#retire(this.#own, own, undefined);
    this.#own = own;
    const nowMs = Math.max(this.#clock.now(), own.atMs);
    this.#residue.declare(own);
    const sum = this.#residue.copy();
    let seriesRefused = 0;
    const onConflict = (conflict: FamilyConflict): void => {
      seriesRefused += conflict.seriesRefused;
      this.#noteConflict(conflict);
    };
    sum.add(own, { onConflict });
    let isExact = own.isExact;
    for (const { snapshot, isClosed, isSilent } of this.#reported.values()) {
      sum.add(isClosed ? lastingOf(snapshot) : snapshot, { onConflict });
      isExact &&= snapshot.isExact && !isSilent;
    }
    const ours = ownFamilies({
      startedMs: this.#startedMs,
      nowMs,
      statuses: this.status(),
      ended: this.#endedCount,
      refusals: this.#refusals,
      residueSeries: this.#residue.seriesCount,
      seriesRefused,
    });
    sum.add({ atMs: nowMs, isExact: true, families: ours });
    return sum.finish(nowMs, isExact);
  }

  /** Of each process that reports, in order of their first report. */
  status(): readonly ProcessStatus[] {
    for (const reported of this.#reported.values()) this.#refresh(reported);
    return [...this.#reported.values()].map(({ pipe, snapshot, isSilent }) => ({
      name: pipe.name,
      atMs: snapshot.atMs,
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
      this.#refusals.garbage += 1;
      return;
    }
    const { instance } = report;
    const known = this.#reported.get(instance);
    if (this.#ended.has(instance) || (known !== undefined && (known.pipe !== pipe || known.isLate(report)))) {
      this.#refusals.late += 1;
      return;
    }
    if (snapshotBytesOf(report) > this.#reportBytesMax) {
      this.#refusals["too-large"] += 1;
      return;
    }
    if (known === undefined) this.#join(pipe, report);
    else known.take(report);
    if (known?.isDue(this.#clock.monotonicMs()) === true) this.#refresh(known);
    this.#tellWatchers();
  }

  #join(pipe: MessagePipe, report: Report): void {
    if (this.#reported.size >= this.#processesMax) {
      this.#refuse(`${this.#reported.size} registries are reported already`);
      return;
    }
    const snapshot = snapshotIn(report);
    if (snapshot === undefined) this.#refusals.garbage += 1;
    else this.#reported.set(report.instance, new Reported(pipe, report, snapshot, this.#clock.monotonicMs()));
  }

  #refresh(reported: Reported): void {
    const former = reported.snapshot;
    if (!reported.decode(this.#clock.monotonicMs())) this.#refusals.garbage += 1;
    if (reported.snapshot !== former) this.#retire(former, reported.snapshot, reported);
  }

  #endAll(pipe: MessagePipe): void {
    for (const reported of [...this.#reported.values()]) {
      if (reported.pipe !== pipe) continue;
      this.#refresh(reported);
      this.#reported.delete(reported.instance);
      this.#residue.fold(reported.snapshot, this.#heldBy(undefined));
      this.#endedCount += 1;
      this.#ended.add(reported.instance);
      const [oldest] = this.#ended;
      if (this.#ended.size > endedMax && oldest !== undefined) this.#ended.delete(oldest);
    }
    this.#tellWatchers();
  }

  /** Keeps what a process counted in series that it has given up. @param owner undefined for this process's own registry */
  #retire(former: MetricsSnapshot | undefined, newer: MetricsSnapshot, owner: Reported | undefined): void {
    if (former === undefined) return;
    const expired = expiredSeries(former, newer);
    if (expired.length === 0) return;
    const isHeld = this.#heldBy(owner ?? "own");
    for (const series of expired)
      this.#residue.expire(former, series, isHeld(series.family.name, keyOfPoint(series.point)));
  }

  /** By all that live, except one. */
  #heldBy(except: Reported | "own" | undefined): (family: string, key: string) => boolean {
    const held = new Map<string, Set<string>>();
    const note = (snapshot: MetricsSnapshot): void => {
      for (const family of snapshot.families.filter(isCumulative)) {
        const keys = held.get(family.name) ?? new Set();
        held.set(family.name, keys);
        for (const point of family.points) keys.add(keyOfPoint(point));
      }
    };
    if (this.#own !== undefined && except !== "own") note(this.#own);
    for (const reported of this.#reported.values()) if (reported !== except) note(reported.snapshot);
    return (family, key) => held.get(family)?.has(key) ?? false;
  }

  #ask(reported: Reported): number | undefined {
    const ask = reported.nextQuestion();
    if (ask !== undefined)
      reported.pipe.send(questionMessage({ instance: reported.instance, ask }), () => {});
    return ask;
  }

  #answers(asked: ReadonlyMap<Reported, number>, waitMs: number): Promise<void> {
    const isOpen = ([reported, question]: readonly [Reported, number]): boolean =>
      !reported.hasAnswered(question) && this.#reported.get(reported.instance) === reported;
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#watchers.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.#pipes.size === 0 || ![...asked].some(isOpen)) finish();
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

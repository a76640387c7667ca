import { type Clock, codeOf, messageOf, type NoticeSink, PoundlockError, pause } from "../base/index.js";
import { type KeyedLock, LockDomain } from "../locks/index.js";
import type { Generation, Store } from "../store/index.js";
import type { FileRange, Tail } from "../tail/index.js";
import { StoreGenerationError } from "./errors.js";
import type { FoldPart } from "./fold.js";
import type { RangeFolder } from "./range-folder.js";

export interface FileWorkerOptions {
  readonly tail: Tail;
  readonly store: Store;
  readonly folder: RangeFolder;
  readonly generation: Generation;
  readonly clock: Clock;
  readonly notices: NoticeSink;
}

/** What a worker has done since it started. */
export interface WorkerCounts {
  /** Lines folded, also those whose settlement was refused: more than the files hold when some were read twice. */
  readonly lines: number;
  readonly events: number;
  readonly bytes: number;
  readonly settlements: number;
  readonly newestMs: number | undefined;
}

/**
 * Takes ranges from a tail, has them folded side by side and settles them in file order.
 *
 * - The watermark moves in the settlement that carries the numbers, never before.
 * - A settlement that the store refuses because the watermark is elsewhere changes nothing; the file goes on from the
 *   store's watermark.
 * - A failing store is asked again with back-off and charges no event.
 */
export class FileWorker {
  readonly #options: FileWorkerOptions;
  /**
   * One range of a file is settled at a time, in the order in which they were handed out. Without a limit: a store that fails for an hour
   * has the ranges wait for an hour.
   */
  readonly #files: KeyedLock<string> = LockDomain.shared.keyed("pipeline.file", {
    waitMs: Number.POSITIVE_INFINITY,
  });
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #counts: {
    lines: number;
    events: number;
    bytes: number;
    settlements: number;
    newestMs: number | undefined;
  } = {
    lines: 0,
    events: 0,
    bytes: 0,
    settlements: 0,
    newestMs: undefined,
  };
  #failure: unknown;

  constructor(options: FileWorkerOptions) {
    this.#options = options;
  }

  get counts(): WorkerCounts {
    return { ...this.#counts };
  }

  /**
   * Works until the tail has nothing more to hand out, or `drain`.
   * @throws what made it impossible to go on: a store that died, a file that can't be read
   */
  async run(): Promise<void> {
    const { tail } = this.#options;
    while (!this.#stop.signal.aborted) {
      const range = await this.#next();
      if (range === undefined) break;
      const folded = this.#options.folder.fold(range);
      // Awaited when it is this range's turn; without this an early failure would count as nobody's.
      folded.catch(() => {});
      const settled = this.#files
        // Known to have failed before the lock is given on: the next range must not be settled then.
        .run(range.file, () => this.#settleRange(range, folded).catch((error: unknown) => this.#fail(error)))
        .catch((error: unknown) => this.#fail(error))
        .finally(() => this.#underWay.delete(settled));
      this.#underWay.add(settled);
    }
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
    await tail.close();
  }

  /** Takes no more, settles what is under way; `run` then resolves. */
  drain(): void {
    this.#stop.abort();
  }

  async #next(): Promise<FileRange | undefined> {
    try {
      return await this.#options.tail.next(this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      throw error;
    }
  }

  async #settleRange(range: FileRange, folded: Promise<readonly FoldPart[]>): Promise<void> {
    const { tail, folder } = this.#options;
    let start = range.start;
    let piece: Promise<readonly FoldPart[]> | undefined = folded;
    while (piece !== undefined) {
      if (this.#failure !== undefined) return;
      const parts = await this.#partsOf(range, start, piece);
      if (parts === undefined) return;
      const end = parts.at(-1)?.end ?? range.end;
      // Folded while this one is settled.
      piece = end < range.end ? folder.fold(range, end) : undefined;
      piece?.catch(() => {});
      for (const part of parts) {
        const watermark = await this.#settlePart(range, start, part);
        if (watermark !== undefined) {
          this.#rewind(range, watermark, "the store's watermark is elsewhere");
          return;
        }
        start = part.end;
      }
    }
    tail.settled(range);
  }

  /** Undefined when nothing of it may be settled. */
  async #partsOf(
    range: FileRange,
    start: number,
    piece: Promise<readonly FoldPart[]>,
  ): Promise<readonly FoldPart[] | undefined> {
    const { tail } = this.#options;
    let parts: readonly FoldPart[];
    try {
      parts = await piece;
    } catch (error) {
      if (codeOf(error) !== "RANGE_READ") throw error;
      this.#rewind(range, start, messageOf(error));
      return undefined;
    }
    for (const part of parts) this.#counts.lines += part.lines;
    // Made void by a rewind while it was folded; the file is being read again from the store's watermark.
    if (!tail.isCurrent(range)) return undefined;
    if (await tail.isIntact(range)) return parts;
    this.#rewind(range, start, "its content became another while it was read");
    return undefined;
  }

  /** Undefined when it is settled; otherwise where the store's watermark stands. */
  async #settlePart(range: FileRange, start: number, part: FoldPart): Promise<number | undefined> {
    const { store, generation, clock, notices } = this.#options;
    const { source, file, identity } = range;
    for (let attempt = 1; ; attempt += 1) {
      const startMs = clock.monotonicMs();
      try {
        const result = await store.settle({
          generation,
          take: { kind: "file", source, file, start, end: part.end, identity },
          delta: part.delta,
          failures: part.failures,
          ledger: [part.posting],
        });
        if (result.kind === "settled") {
          this.#note(part);
          const elapsedMs = clock.monotonicMs() - startMs;
          notices({ name: "pipeline.settled", level: "debug", data: { source, elapsedMs } });
          return undefined;
        }
        if (result.kind === "foreign") return result.watermark ?? 0;
        throw new StoreGenerationError(result.generation);
      } catch (error) {
        if (!(error instanceof PoundlockError) || !error.retryable || this.#stop.signal.aborted) throw error;
        notices({
          name: "pipeline.store-failed",
          level: "error",
          message: messageOf(error),
          data: { attempt },
        });
        await pause(clock, Math.min(10_000, 100 * 2 ** Math.min(attempt, 7)), this.#stop.signal);
      }
    }
  }

  #note(part: FoldPart): void {
    this.#counts.events += part.posting.accepted;
    this.#counts.bytes += part.posting.bytes;
    this.#counts.settlements += 1;
    if (part.newestMs !== undefined && part.newestMs > (this.#counts.newestMs ?? Number.NEGATIVE_INFINITY)) {
      this.#counts.newestMs = part.newestMs;
    }
  }

  #rewind(range: FileRange, offset: number, why: string): void {
    const { tail, notices } = this.#options;
    notices({
      name: "pipeline.rewound",
      level: "warn",
      message: `${range.path} goes on from byte ${offset}: ${why}`,
      data: { path: range.path, offset },
    });
    tail.rewind(range, offset);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stop.abort();
  }
}

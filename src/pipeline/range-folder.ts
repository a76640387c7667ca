import { read as readWithCallback } from "node:fs";
import { promisify } from "node:util";
import { type Clock, codeOf, messageOf, type NoticeSink } from "../base/index.js";
import { emptyDelta, encodeDelta, type Failure, type FailureReason } from "../store/index.js";
import type { FileRange } from "../tail/index.js";
import { ThreadDiedError, type ThreadPool } from "../threads/index.js";
import { RangeReadError } from "./errors.js";
import type { FoldPart } from "./fold.js";
import type { FoldTask } from "./fold.thread.js";

const read = promisify(readWithCallback);

/** Bytes kept of an event that killed or hung its thread, or of a line that is too long. */
const deadBytesMax = 64 * 1024;
/** Threads in a row that may die before they take a range up; more is no accident, and no range can be folded. */
const idleDeathsMax = 5;

export interface RangeFolderOptions {
  readonly pool: ThreadPool<FoldTask, FoldPart[]>;
  readonly clock: Clock;
  readonly notices: NoticeSink;
  /** Limit of one task over a whole range, in ms; parts of it get their share, at least 1 s. */
  readonly taskTimeoutMs: number;
}

/**
 * Gets a range folded whatever happens to threads: done again once by another thread, then cut in two at a line's end
 * again and again, until the one event that no thread survives stands alone and becomes a dead letter.
 */
export class RangeFolder {
  readonly #pool: ThreadPool<FoldTask, FoldPart[]>;
  readonly #clock: Clock;
  readonly #notices: NoticeSink;
  readonly #taskTimeoutMs: number;

  constructor(options: RangeFolderOptions) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#notices = options.notices;
    this.#taskTimeoutMs = options.taskTimeoutMs;
  }

  /**
   * Parts in order from `from` on, without gap. A range with very many dead events comes in pieces, so that none of them
   * fills the memory: the last part's `end` says where the next piece starts.
   * @throws what the second attempt threw, if it was no thread's death; THREAD_DIED when threads die that never took the range up
   */
  async fold(range: FileRange, from: number = range.start): Promise<readonly FoldPart[]> {
    if (range.kind === "skip") return [emptyPart(range, range.end)];
    if (range.kind === "oversize")
      return [await this.#dead(range, range.start, range.end, "oversize", "line is too long")];
    const startMs = this.#clock.monotonicMs();
    try {
      const parts = await this.#run(range, from, range.end);
      const elapsedMs = this.#clock.monotonicMs() - startMs;
      this.#notices({ name: "pipeline.folded", level: "debug", data: { source: range.source, elapsedMs } });
      return parts;
    } catch (error) {
      if (!isThreadFault(error)) throw error;
      this.#notices({
        name: "pipeline.range-again",
        level: "warn",
        message: `A thread failed on ${range.path} at ${from}..${range.end}; the range is done again`,
        data: { path: range.path, start: from, end: range.end, reason: codeOf(error) },
      });
      return this.#suspect(range, from, range.end);
    }
  }

  async #suspect(range: FileRange, start: number, end: number): Promise<readonly FoldPart[]> {
    try {
      return await this.#run(range, start, end);
    } catch (error) {
      if (!isThreadFault(error)) throw error;
      const middle = await this.#lineEndNear(range, start, end);
      if (middle !== undefined) {
        const first = await this.#suspect(range, start, middle);
        if (first.at(-1)?.end !== middle) return first;
        return [...first, ...(await this.#suspect(range, middle, end))];
      }
      const reason = codeOf(error) === "THREAD_HUNG" ? "thread-hung" : "thread-died";
      return [await this.#dead(range, start, end, reason, messageOf(error))];
    }
  }

  async #run(range: FileRange, start: number, end: number): Promise<FoldPart[]> {
    const { source, file, path, descriptor } = range;
    const share = (end - start) / (range.end - range.start);
    const timeoutMs = Math.min(this.#taskTimeoutMs, Math.max(1000, Math.ceil(this.#taskTimeoutMs * share)));
    const task = { source, file, path, descriptor, start, end, takenMs: this.#clock.now() };
    for (let deaths = 1; ; deaths += 1) {
      try {
        return await this.#pool.run(task, [], { timeoutMs });
      } catch (error) {
        // A thread that died before it took the range up says nothing about the range.
        if (!hasNotBegun(error) || deaths >= idleDeathsMax) throw error;
      }
    }
  }

  /** The end of a line in the middle of [start, end), so that both halves have lines; undefined when it is one line. */
  async #lineEndNear(range: FileRange, start: number, end: number): Promise<number | undefined> {
    const bytes = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await read(range.descriptor, bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw new RangeReadError(range.path, start, end, bytesRead);
    const half = bytes.length >> 1;
    const before = bytes.lastIndexOf(0x0a, half);
    if (before !== -1 && before + 1 < bytes.length) return start + before + 1;
    const after = bytes.indexOf(0x0a, half);
    return after !== -1 && after + 1 < bytes.length ? start + after + 1 : undefined;
  }

  async #dead(
    range: FileRange,
    start: number,
    end: number,
    reason: FailureReason,
    message: string,
  ): Promise<FoldPart> {
    const kept = Buffer.alloc(Math.min(end - start, deadBytesMax));
    const { bytesRead } = await read(range.descriptor, kept, 0, kept.length, start);
    const bytes = withoutTerminator(kept.subarray(0, bytesRead));
    const at = {
      kind: "file",
      file: range.file,
      path: range.path,
      offset: start,
      length: end - start,
      index: 0,
    } as const;
    const failure: Failure = {
      source: range.source,
      at,
      bytes: new Uint8Array(bytes),
      length: end - start,
      reason,
      message,
      disposition: "dead",
    };
    const part = emptyPart(range, end);
    const posting = { ...part.posting, accepted: 1, dead: 1, bytes: end - start };
    return { ...part, failures: [failure], posting, lines: 1 };
  }
}

/** Moves the watermark to `end` and has no other effect. */
function emptyPart(range: FileRange, end: number): FoldPart {
  const none = { accepted: 0, settled: 0, dropped: 0, dead: 0, retrying: 0, duplicate: 0, bytes: 0 };
  return {
    end,
    delta: encodeDelta(emptyDelta),
    failures: [],
    posting: { source: range.source, ...none, lost: {}, absent: {} },
    lines: 0,
    newestMs: undefined,
  };
}

function hasNotBegun(error: unknown): boolean {
  return error instanceof ThreadDiedError && !error.hasBegun;
}

function isThreadFault(error: unknown): boolean {
  if (hasNotBegun(error)) return false;
  const code = codeOf(error);
  return code === "THREAD_DIED" || code === "THREAD_HUNG";
}

function withoutTerminator(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 0x0a) end -= 1;
  if (end > 0 && bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, end);
}

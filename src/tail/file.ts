import type { BigIntStats } from "node:fs";
import { assertInvariant } from "../base/index.js";
import type { FileIdentity, Watermark } from "../store/index.js";
import type { FileRange, FileStatus } from "./contract.js";
import { RangeOrderError } from "./errors.js";
import type { Handle } from "./handle.js";
import type { FileKey } from "./identity.js";
import { GUARD_BYTES_MAX, type Plan, planRange, type ReadAt, readGuard } from "./planner.js";
import { ContentPrefix } from "./prefix.js";
import { familyOf } from "./siblings.js";
import type { TurnTaker } from "./turns.js";

export interface FileInit {
  readonly source: string;
  readonly id: string;
  readonly key: FileKey;
  readonly path: string;
  /** Where `path` leads when links are followed: the name that watch events use. */
  readonly realPath: string;
  readonly handle: Handle;
  readonly stats: BigIntStats;
  /** The file's first bytes, none of them beyond `offset`. */
  readonly prefix: Buffer;
  /** Where reading goes on. */
  readonly offset: number;
  /** Bytes before this are settled without reading. */
  readonly skipTo: number;
  /** A one-shot reader stops here. */
  readonly endBytes: number | undefined;
  readonly predecessor: FollowedFile | undefined;
  readonly order: number;
  readonly nowMs: number;
  readonly elapsedMs: number;
}

export type Step =
  | { readonly kind: "range"; readonly range: FileRange }
  /** Nothing more until the file changes. */
  | { readonly kind: "wait" }
  /** The next range is larger than the room left in flight. */
  | { readonly kind: "full" }
  /** Call again. */
  | { readonly kind: "more" }
  /** The descriptor shows other content than was read before: truncated, or written anew. */
  | { readonly kind: "replaced" };

export interface StepLimits {
  readonly rangeBytesMax: number;
  readonly lineBytesMax: number;
  /** Room among the ranges in flight; a range that does not fit is not made. */
  readonly roomBytes: number;
}

/** What was there when reading began is settled without being read. */
interface PlannedSkip {
  readonly kind: "skip";
  readonly end: number;
  readonly guard: Buffer;
}

interface InFlight {
  readonly range: FileRange;
  readonly handle: Handle;
  /** Bytes before the range. */
  readonly guard: Buffer | undefined;
  /** Its last bytes. */
  readonly endGuard: Buffer;
}

/** What a range takes of the bytes in flight. An over-long line is never in memory whole. */
export function rangeCostBytes(range: FileRange, lineBytesMax: number): number {
  if (range.kind === "skip") return 0;
  const bytes = range.end - range.start;
  return range.kind === "oversize" ? Math.min(bytes, lineBytesMax) : bytes;
}

/**
 * One content of one file, from its first byte on, whatever its name.
 *
 * ```
 *   0 ........ settled ........ planned ........ scannedTo ...... size
 *     in the store   in flight      no newline here      not looked at
 * ```
 *
 * `following` → `draining` (has lost its name; read to its end) → closed.
 * `gone`: the content is no longer there; only its ranges in flight are waited for.
 */
export class FollowedFile implements TurnTaker {
  readonly id: string;
  readonly key: FileKey;
  readonly order: number;
  path: string;
  realPath: string;
  state: "following" | "draining" | "gone" = "following";
  /** Why the file can't be read at present. */
  problem: string | undefined;
  predecessor: FollowedFile | undefined;
  turnBytes = 0;
  /** Rises with every hint, so that one that comes while a range is planned is not taken for an old one. */
  hints = 0;
  /** A copy that goes on where this content was cut off, under the same id. */
  successor: FollowedFile | undefined;
  /** No byte will follow: an unterminated last line counts. */
  isFinal: boolean;
  lastGrowthMs: number | undefined;
  /** By the monotonic clock. */
  changedAtMs: number;
  readonly handle: Handle;

  readonly #source: string;
  readonly #endBytes: number | undefined;
  readonly #skipTo: number;
  readonly #prefix: ContentPrefix;
  #size: number;
  #sizeMax: number;
  /** Size when the content was last seen to be the same: what is lost with it when it is replaced. */
  #provenSize: number;
  #mtimeNs: bigint;
  #settled: number;
  #planned: number;
  #scannedTo: number;
  #guard: Buffer | undefined;
  #verifiedAt: { readonly size: number; readonly mtimeNs: bigint } | undefined;
  #family: { readonly path: string; readonly name: string } | undefined;
  #inFlight: InFlight[] = [];
  /** Rises when planning starts anew elsewhere, so that a plan made meanwhile is dropped. */
  #epoch = 0;

  constructor(init: FileInit) {
    this.id = init.id;
    this.key = init.key;
    this.order = init.order;
    this.path = init.path;
    this.realPath = init.realPath;
    this.handle = init.handle;
    this.predecessor = init.predecessor;
    this.isFinal = init.endBytes !== undefined;
    this.lastGrowthMs = init.nowMs;
    this.changedAtMs = init.elapsedMs;
    this.#source = init.source;
    this.#endBytes = init.endBytes;
    this.#skipTo = init.skipTo;
    this.#size = Number(init.stats.size);
    this.#sizeMax = this.#size;
    this.#provenSize = this.#size;
    this.#mtimeNs = init.stats.mtimeNs;
    this.#settled = init.offset;
    this.#planned = init.offset;
    this.#scannedTo = init.offset;
    this.#prefix = new ContentPrefix(init.prefix);
  }

  /** The same for all files that rotation may have made of one. */
  get family(): string {
    if (this.#family?.path !== this.path) this.#family = { path: this.path, name: familyOf(this.path) };
    return this.#family.name;
  }

  /** Largest size that counts: a one-shot reader's ends where it was at the opening. */
  get size(): number {
    return this.#endBytes === undefined ? this.#size : Math.min(this.#size, this.#endBytes);
  }

  get settledBytes(): number {
    return this.#settled;
  }

  get plannedBytes(): number {
    return this.#planned;
  }

  get isIdle(): boolean {
    return this.#inFlight.length === 0;
  }

  /** Bytes that were seen and never handed out. */
  get unreadBytes(): number {
    return Math.max(0, this.#provenSize - this.#planned);
  }

  /** Everything that was in it is handed out. */
  get isPlanned(): boolean {
    return this.#planned >= this.size;
  }

  /** Takes over what a `stat` showed; true when there may be something new to plan. */
  note(stats: BigIntStats, nowMs: number, elapsedMs: number): boolean {
    const size = Number(stats.size);
    if (size === this.#size && stats.mtimeNs === this.#mtimeNs) return false;
    if (size > this.#size) this.lastGrowthMs = nowMs;
    this.changedAtMs = elapsedMs;
    if (size < this.#size) this.#scannedTo = this.#planned;
    this.#size = size;
    this.#sizeMax = Math.max(this.#sizeMax, size);
    this.#mtimeNs = stats.mtimeNs;
    return true;
  }

  /**
   * Plans the next range; the caller hands it out or takes it back with `rewind`.
   *
   * What was read before is compared after the new bytes were looked at, never before: a content that is gone does not
   * come back, so what is still there then was there all along, and the new bytes are its own.
   */
  async step(limits: StepLimits, read: ReadAt): Promise<Step> {
    const epoch = this.#epoch;
    // What is to be skipped was there when the file was opened.
    if (this.#size < Math.max(this.#planned, this.#skipTo)) return { kind: "replaced" };
    const plan = await this.#plan(limits, read);
    if (epoch !== this.#epoch) return { kind: "more" };
    if (plan.kind === "shrunk") {
      this.#verifiedAt = undefined;
      return { kind: "wait" };
    }
    const isRange = plan.kind !== "wait" && plan.kind !== "more";
    if (isRange && !(await this.#prefix.learn(plan.end, read))) return { kind: "replaced" };
    const isSame = (!isRange && this.#isVerified()) || (await this.#isSameContent(read));
    // What was compared is no longer what comes next.
    if (epoch !== this.#epoch) return { kind: "more" };
    if (!isSame) return { kind: "replaced" };
    if (isRange) return this.#hand(plan, limits);
    this.#scannedTo = plan.scannedTo;
    return { kind: plan.kind };
  }

  /**
   * Whether a range in flight still is what it was planned as: asked after its bytes were read, so that they are known to
   * be its own. @throws Node's error when the file can't be read
   */
  async isIntact(range: FileRange): Promise<boolean> {
    const entry = this.#inFlight.find((other) => other.range === range);
    if (entry === undefined || range.kind === "skip") return true;
    const { endGuard, handle } = entry;
    const stands = async (known: Buffer, position: number): Promise<boolean> =>
      (await handle.read(Buffer.allocUnsafe(known.length), position, known.length)).equals(known);
    const both = await Promise.all([
      stands(endGuard, range.end - endGuard.length),
      stands(this.#prefix.bytes, 0),
    ]);
    return both.every(Boolean);
  }

  /** @throws RangeOrderError when it is not the oldest in flight */
  settled(range: FileRange): void {
    const first = this.#inFlight[0];
    if (first?.range !== range)
      throw new RangeOrderError(range.path, range.start, "an earlier range of the file is not settled");
    this.#inFlight.shift();
    this.#settled = range.end;
    void first.handle.release();
  }

  /** Goes back to `offset`; answers the ranges that are void now. */
  rewind(range: FileRange, offset: number): readonly FileRange[] {
    const isVoid = (other: InFlight): boolean => other.range.start >= range.start || other.range.end > offset;
    const voided = this.#inFlight.filter(isVoid);
    this.#inFlight = this.#inFlight.filter((other) => !isVoid(other));
    for (const { handle } of voided) void handle.release();
    this.#epoch += 1;
    this.#planned = offset;
    this.#scannedTo = offset;
    // The content may be the reason: all that is known of it is compared again, growth or not.
    this.#verifiedAt = undefined;
    this.#guard = voided.find((other) => other.range.start === offset)?.guard;
    if (this.#inFlight.length === 0) this.#settled = offset;
    return voided.map((other) => other.range);
  }

  /** Goes back to `offset` with everything in flight void. */
  restart(offset: number): readonly FileRange[] {
    const [first] = this.#inFlight;
    if (first !== undefined) return this.rewind(first.range, Math.min(offset, first.range.start));
    this.#epoch += 1;
    this.#planned = this.#scannedTo = this.#settled = offset;
    this.#verifiedAt = undefined;
    this.#guard = undefined;
    return [];
  }

  /** Whether something of this file was handed out that begins with these bytes. */
  beginsLike(first: Buffer): boolean {
    return this.#planned > 0 && this.#prefix.fits(first);
  }

  /** Whether another file that begins like this one has what was handed out of it, as far as it goes. */
  async isCopiedTo(size: number, read: ReadAt): Promise<boolean> {
    const planned = this.#planned;
    const guard = this.#guard;
    if (size >= planned && guard !== undefined)
      return (await read(planned - guard.length, guard.length)).equals(guard);
    // Copying is under way, or stopped half-way: then the last bytes must be these at the same place.
    const at = Math.min(size, this.#size);
    const length = Math.min(GUARD_BYTES_MAX, at);
    const mine = await this.handle.read(Buffer.alloc(length), at - length, length);
    return mine.length < length || mine.equals(await read(at - length, length));
  }

  identity(): FileIdentity {
    const [device = "", inode = ""] = this.key.split(":");
    return {
      path: this.path,
      device,
      inode,
      prefixLength: this.#prefix.bytes.length,
      prefixHash: this.#prefix.hash,
      size: this.#sizeMax,
    };
  }

  /** As the store would have it. */
  watermark(nowMs: number): Watermark {
    return { file: this.id, offset: this.#settled, identity: this.identity(), settledMs: nowMs };
  }

  status(): FileStatus {
    return {
      file: this.id,
      path: this.path,
      size: this.size,
      offset: this.#settled,
      lagBytes: Math.max(0, this.size - this.#settled),
      state: this.problem === undefined ? this.state : "unreadable",
      ...(this.problem === undefined ? {} : { message: this.problem }),
      lastGrowthMs: this.lastGrowthMs,
    };
  }

  async #plan(limits: StepLimits, read: ReadAt): Promise<Plan | PlannedSkip> {
    if (this.#planned < this.#skipTo) {
      const guard = await readGuard(this.#skipTo, read);
      return guard === undefined ? { kind: "shrunk" } : { kind: "skip", end: this.#skipTo, guard };
    }
    return planRange(
      {
        start: this.#planned,
        size: this.size,
        scannedTo: this.#scannedTo,
        isFinal: this.isFinal,
        rangeBytesMax: limits.rangeBytesMax,
        lineBytesMax: limits.lineBytesMax,
      },
      read,
    );
  }

  #hand(
    next: { readonly kind: FileRange["kind"]; readonly end: number; readonly guard: Buffer },
    limits: StepLimits,
  ): Step {
    const range: FileRange = {
      source: this.#source,
      file: this.id,
      path: this.path,
      descriptor: this.handle.descriptor,
      start: this.#planned,
      end: next.end,
      kind: next.kind,
      identity: this.identity(),
    };
    assertInvariant(range.end > range.start, "a range has bytes");
    if (rangeCostBytes(range, limits.lineBytesMax) > limits.roomBytes) return { kind: "full" };
    this.#inFlight.push({ range, handle: this.handle.retain(), guard: this.#guard, endGuard: next.guard });
    this.#planned = range.end;
    this.#scannedTo = range.end;
    this.#guard = next.guard;
    return { kind: "range", range };
  }

  /** Whether nothing was written since all was compared. */
  #isVerified(): boolean {
    return this.#verifiedAt?.size === this.#size && this.#verifiedAt.mtimeNs === this.#mtimeNs;
  }

  /**
   * Whether what was read before still stands where it stood. The bytes before the next range tell of most contents that
   * took its place and grew past it; the first bytes tell of one whose lines all end alike.
   */
  async #isSameContent(read: ReadAt): Promise<boolean> {
    const epoch = this.#epoch;
    const size = this.#size;
    const mtimeNs = this.#mtimeNs;
    if (!(await this.#isGuardIntact(read)) || !(await this.#prefix.stands(read))) return false;
    if (epoch !== this.#epoch) return true;
    this.#verifiedAt = { size, mtimeNs };
    this.#provenSize = size;
    return true;
  }

  async #isGuardIntact(read: ReadAt): Promise<boolean> {
    const offset = this.#planned;
    const known = this.#guard;
    if (offset === 0) return true;
    const length = known?.length ?? Math.min(GUARD_BYTES_MAX, offset);
    const bytes = await read(offset - length, length);
    if (bytes.length < length) return false;
    if (offset !== this.#planned) return true;
    if (known === undefined) this.#guard = Buffer.from(bytes);
    return known === undefined || bytes.equals(known);
  }
}

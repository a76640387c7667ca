import type { Clock, NoticeSink } from "../base/index.js";
import type { FileIdentity, Watermark } from "../store/index.js";

export interface TailOptions {
  readonly source: string;
  /** Files, directories or globs. */
  readonly patterns: readonly string[];
  /** Where a file never seen before starts; one that appears later always starts at its beginning. @default "start" */
  readonly from?: "start" | "end";
  /** Watermarks of this source as the store has them. */
  readonly watermarks: readonly Watermark[];
  /** True reads to the end found at each file's opening and stops; an unterminated last line then counts. @default false */
  readonly isOneShot?: boolean;
  /** Longest line, in bytes (1 KiB..64 MiB); a longer one becomes an `oversize` range. @default 1 MiB */
  readonly lineBytesMax?: number;
  /** Size aimed at for one range, in bytes (4 KiB..64 MiB). @default 4 MiB */
  readonly rangeBytesMax?: number;
  /** Ranges handed out and not yet settled (1..256). @default 4 */
  readonly rangesMax?: number;
  /** Bytes of those ranges. @default 32 MiB */
  readonly inFlightBytesMax?: number;
  /** Pause between two looks at the files, in milliseconds (10..60_000); watch events only make a look come sooner. @default 250 */
  readonly pollIntervalMs?: number;
  readonly clock?: Clock;
  readonly notices?: NoticeSink;
}

/**
 * Bytes [start, end) of one file.
 *
 * - `lines`: whole lines; one of them may still be longer than `lineBytesMax`, which whoever splits them sees.
 * - `oversize`: one line longer than `lineBytesMax`; may be of any size, so it must not be read into memory whole.
 * - `skip`: what stood in a file before `from: "end"` met it; settled without reading, so that the watermark says so.
 */
export interface FileRange {
  readonly source: string;
  /** Stable id of the file across renames and restarts: the key of its watermark. */
  readonly file: string;
  readonly path: string;
  /** Descriptor for positional reads, also from threads; stays open until `settled` or `abandoned`. */
  readonly descriptor: number;
  readonly start: number;
  readonly end: number;
  readonly kind: "lines" | "oversize" | "skip";
  readonly identity: FileIdentity;
}

export interface FileStatus {
  readonly file: string;
  readonly path: string;
  readonly size: number;
  /** Settled up to here. */
  readonly offset: number;
  /** size - offset: what is still to be read or settled, in bytes. */
  readonly lagBytes: number;
  readonly state: "following" | "draining" | "unreadable" | "gone";
  readonly message?: string;
  readonly lastGrowthMs: number | undefined;
}

/**
 * Follows files and hands out ranges of complete lines.
 *
 * - Ranges of one file come in file order and without gap; the caller settles them in that order.
 * - Never more ranges or bytes handed out than the limits; a backlog of any size costs no memory.
 * - Watch events are hints, `fstat` is the truth.
 */
export interface Tail extends AsyncDisposable {
  /** The next range; waits for one. `undefined` when a one-shot tail has handed out everything and all of it is settled, or after `close`. */
  next(signal?: AbortSignal): Promise<FileRange | undefined>;
  /** False once the range was settled or made void by a rewind of its file. */
  isCurrent(range: FileRange): boolean;
  /**
   * Whether the file still has what it had when the range was planned, as far as the bytes at the range's end tell. Asked
   * after the range was read and before it is settled: a file that was truncated and filled again meanwhile would
   * otherwise count other lines, which count again under the new content's id. A range that is not intact is rewound.
   */
  isIntact(range: FileRange): Promise<boolean>;
  /** The range's effect is in the store: frees its place, may close its file. */
  settled(range: FileRange): void;
  /** Gives the range back unread, for a restart of its file at `offset` (the store's watermark). Later ranges of the file are void. */
  rewind(range: FileRange, offset: number): void;
  /** All files known, by path. */
  status(): readonly FileStatus[];
  /** Bytes found and bytes settled so far, over all files; for progress. */
  progress(): { readonly foundBytes: number; readonly settledBytes: number };
  /** Stops handing out and closes every descriptor whose ranges are settled; the others as they are. */
  close(): Promise<void>;
}

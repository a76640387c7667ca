import { type BigIntStats, promises as fs } from "node:fs";
import type { Watermark } from "../store/index.js";
import { Handle } from "./handle.js";
import { type FileKey, fileKey, type KnownFiles, newFileId, PREFIX_BYTES_MAX } from "./identity.js";
import { lineStartBefore, WINDOW_BYTES } from "./planner.js";

/** An open file, known for what it is. */
export interface Opened {
  readonly handle: Handle;
  readonly stats: BigIntStats;
  readonly realPath: string;
  readonly id: string;
  /** First bytes, at most `PREFIX_BYTES_MAX`. */
  readonly first: Buffer;
  /** Of these none beyond what was read or is left out. */
  readonly prefix: Buffer;
  readonly offset: number;
  readonly skipTo: number;
  /** The inode was read before, with other content: this much of that was known and never handed out. */
  readonly replaced: Watermark | undefined;
}

export interface OpenOptions {
  readonly path: string;
  readonly known: KnownFiles;
  /** Where to start when nothing is known of it. */
  readonly from: "start" | "end";
}

/** The file can't be followed, and a person can see why. */
export interface Refused {
  readonly refused: string;
}

/** Opens a file and finds out where reading goes on. @throws Node's error (`ENOENT`, `EACCES`, …) */
export async function openFile(options: OpenOptions): Promise<Opened | Refused> {
  const handle = await Handle.open(options.path);
  try {
    const opened = await identify(handle, options);
    if ("refused" in opened) await handle.release();
    return opened;
  } catch (error) {
    await handle.release();
    throw error;
  }
}

async function identify(handle: Handle, options: OpenOptions): Promise<Opened | Refused> {
  const stats = await handle.stat();
  if (!stats.isFile()) return { refused: "not a regular file" };
  const size = Number(stats.size);
  const first = Buffer.from(await handle.read(Buffer.alloc(PREFIX_BYTES_MAX), 0, PREFIX_BYTES_MAX));
  // The magic number of gzip; no text begins so.
  if (first[0] === 0x1f && first[1] === 0x8b) return { refused: "compressed files are not read" };

  const key = fileKey(stats);
  const match = options.known.match(key, first, size);
  const offset = match.kind === "same" ? match.watermark.offset : 0;
  const isSkipping = match.kind === "unknown" && options.from === "end";
  const skipTo = isSkipping ? await endOfLines(handle, size) : 0;
  return {
    handle,
    stats,
    realPath: await fs.realpath(options.path).catch(() => options.path),
    id: match.kind === "same" ? match.watermark.file : newFileId(key),
    first,
    prefix: first.subarray(0, Math.max(offset, skipTo)),
    offset,
    skipTo,
    replaced: match.kind === "changed" ? match.watermark : undefined,
  };
}

/** An open file whose content became another: from its beginning, under a new id, on the same descriptor. */
export function openedAnew(
  file: { readonly key: FileKey; readonly handle: Handle; readonly realPath: string },
  stats: BigIntStats,
): Opened {
  const none = Buffer.alloc(0);
  const { key, handle, realPath } = file;
  return {
    handle: handle.retain(),
    stats,
    realPath,
    id: newFileId(key),
    first: none,
    prefix: none,
    offset: 0,
    skipTo: 0,
    replaced: undefined,
  };
}

function endOfLines(handle: Handle, size: number): Promise<number> {
  const window = Buffer.alloc(WINDOW_BYTES * 2);
  return lineStartBefore(size, (position, length) => handle.read(window, position, length));
}

export function keyOf({ stats }: Opened): FileKey {
  return fileKey(stats);
}

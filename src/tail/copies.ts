import { basename, dirname, join } from "node:path";
import type { FileIdentity, Watermark } from "../store/index.js";
import type { FollowedFile } from "./file.js";
import { type FileKey, isSameContent, type KnownFiles } from "./identity.js";
import { type Opened, openFile } from "./opening.js";
import { GUARD_BYTES_MAX } from "./planner.js";
import { familyOf, findSiblings, formerNames } from "./siblings.js";

/** The names that a rotation by copying may have copied `path` from. */
export function originalPaths(path: string): readonly string[] {
  return formerNames(basename(path)).map((name) => join(dirname(path), name));
}

/** Whether an opened file is a copy of what `file` holds, or held before it was truncated. */
export async function isCopyOf(opened: Opened, file: FollowedFile): Promise<boolean> {
  if (!file.beginsLike(opened.first)) return false;
  const scratch = Buffer.alloc(GUARD_BYTES_MAX);
  return file.isCopiedTo(Number(opened.stats.size), (position, length) =>
    opened.handle.read(scratch, position, length),
  );
}

/** The copy of `file` that was made before it was truncated, if nobody follows it yet; opened. */
export async function findCopy(
  file: FollowedFile,
  known: KnownFiles,
  isFollowed: (key: FileKey) => boolean,
): Promise<{ readonly path: string; readonly opened: Opened } | undefined> {
  for (const { key, path, stats } of await findSiblings(file.path)) {
    if (isFollowed(key) || familyOf(path) !== file.family || stats.size < file.plannedBytes) continue;
    const opened = await openFile({ path, known, from: "start" }).catch(() => undefined);
    if (opened === undefined || "refused" in opened) continue;
    if (opened.offset === 0 && (await isCopyOf(opened, file))) return { path, opened };
    await opened.handle.release();
  }
  return undefined;
}

/**
 * The watermark that speaks of a file that no longer has its device and inode: a copy made by rotation whose original has
 * other content by now, or the same inode on a device that got another number, as devices do when a machine starts. The
 * first bytes must fit, and `watermarks` are those without a file, so that two files that begin alike are never taken for one.
 */
export function watermarkOfMoved(
  path: string,
  opened: Opened,
  watermarks: readonly Watermark[],
): Watermark | undefined {
  const originals = new Set(originalPaths(path));
  const inode = String(opened.stats.ino);
  const isNamed = (identity: FileIdentity): boolean =>
    originals.has(identity.path) || (identity.path === path && identity.inode === inode);
  const fitting = watermarks.filter(
    (watermark) =>
      watermark.identity.prefixLength > 0 &&
      isNamed(watermark.identity) &&
      isSameContent(watermark, opened.first, Number(opened.stats.size)),
  );
  return fitting.sort((a, b) => b.settledMs - a.settledMs)[0];
}

/** The same file, as the continuation of another's content from `offset` on. */
export function continuing(opened: Opened, id: string, offset: number): Opened {
  return { ...opened, id, offset, prefix: opened.first.subarray(0, offset), skipTo: 0, replaced: undefined };
}

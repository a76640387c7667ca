import { basename, dirname, join } from "node:path";
import type { FileIdentity, Watermark } from "../store/index.js";
import type { FollowedFile } from "./file.js";
import { isSameContent } from "./identity.js";
import type { Opened } from "./opening.js";
import { GUARD_BYTES_MAX } from "./planner.js";
import { formerNames } from "./siblings.js";

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

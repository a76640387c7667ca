import type { BigIntStats } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Watermark } from "../store/index.js";
import type { FoundFile } from "./discovery.js";
import { type FileKey, identityKey, type KnownFiles } from "./identity.js";
import { formerNames, isRotationOf } from "./siblings.js";

/** What was read under one name, and is not found by any pattern now. */
export interface MissingGroup {
  /** The name that the files had before they were moved away. */
  readonly path: string;
  readonly watermarks: readonly Watermark[];
}

export interface Recovery {
  /** Files to read on or to read at all, the oldest first. */
  readonly adopt: readonly FoundFile[];
  /** What is not there any more. */
  readonly lost: readonly Watermark[];
}

/** Puts the watermarks without a file together by the name that is followed; `names` are those that patterns gave. */
export function groupMissing(
  known: KnownFiles,
  found: ReadonlyMap<FileKey, FoundFile>,
  names: ReadonlySet<string>,
): readonly MissingGroup[] {
  const groups = new Map<string, Watermark[]>();
  for (const watermark of known.newest()) {
    if (found.has(identityKey(watermark.identity))) continue;
    const { path } = watermark.identity;
    const former = formerNames(basename(path)).map((name) => join(dirname(path), name));
    const name = former.find((candidate) => names.has(candidate)) ?? path;
    groups.set(name, [...(groups.get(name) ?? []), watermark]);
  }
  return [...groups].map(([path, watermarks]) => ({ path, watermarks }));
}

/**
 * Which of the files beside a followed name belong to it: those that were read before and have more, and those that had
 * the name while nobody looked. The latter are rotations younger than one that was read.
 */
export function planRecovery(
  group: MissingGroup,
  siblings: readonly FoundFile[],
  isTaken: (sibling: FoundFile) => boolean,
  known: KnownFiles,
): Recovery {
  const keys = new Set(group.watermarks.map((watermark) => identityKey(watermark.identity)));
  const present = siblings.filter((sibling) => keys.has(sibling.key));
  const newestMs = Math.max(...group.watermarks.map((watermark) => watermark.settledMs));
  const isBetween = (sibling: FoundFile): boolean => {
    if (!isRotationOf(basename(group.path), basename(sibling.path))) return false;
    if (present.length > 0) return present.some((read) => isYounger(sibling.stats, read.stats));
    return Number(sibling.stats.mtimeNs / 1_000_000n) >= newestMs;
  };
  const adopt = siblings.filter((sibling) => {
    if (isTaken(sibling)) return false;
    if (keys.has(sibling.key)) return !known.isReadTo(sibling.key, Number(sibling.stats.size));
    return !known.has(sibling.key) && isBetween(sibling);
  });
  const presentKeys = new Set(present.map((sibling) => sibling.key));
  const lost = group.watermarks.filter((watermark) => !presentKeys.has(identityKey(watermark.identity)));
  return { adopt, lost };
}

/**
 * Whether a file was made after another that had its name before it: what separates a rotation that was missed from one
 * that was there all along. Where the file system keeps no time of birth, the time of the last change must do.
 */
export function isYounger(stats: BigIntStats, than: BigIntStats): boolean {
  const hasBirth = stats.birthtimeNs > 0n && than.birthtimeNs > 0n;
  // Equal happens: clocks of file systems tick every few milliseconds.
  return hasBirth ? stats.birthtimeNs >= than.birthtimeNs : stats.mtimeNs >= than.mtimeNs;
}

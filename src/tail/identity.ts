import { createHash, randomBytes } from "node:crypto";
import type { BigIntStats } from "node:fs";
import type { FileIdentity, Watermark } from "../store/index.js";

/** Longer prefixes tell more files apart, and cost a read of one block either way. */
export const PREFIX_BYTES_MAX = 1024;

/** Device and inode: what a file is as long as it lives, whatever its name. */
export type FileKey = string;

export function fileKey(stats: BigIntStats): FileKey {
  return `${stats.dev}:${stats.ino}`;
}

/** Random at its end, because an inode is used again after its file's death and after a truncation. */
export function newFileId(key: FileKey): string {
  return `${key}:${randomBytes(5).toString("hex")}`;
}

export function prefixHash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

export function identityKey(identity: FileIdentity): FileKey {
  return `${identity.device}:${identity.inode}`;
}

/** Whether content that starts with `bytes` and is `size` long can be the content that the watermark speaks of. */
export function isSameContent(watermark: Watermark, bytes: Buffer, size: number): boolean {
  const { prefixLength, prefixHash: hash } = watermark.identity;
  if (watermark.offset > size || prefixLength > bytes.length) return false;
  return prefixLength === 0 || prefixHash(bytes.subarray(0, prefixLength)) === hash;
}

export type Match =
  | { readonly kind: "unknown" }
  /** The same file: go on at the watermark. */
  | { readonly kind: "same"; readonly watermark: Watermark }
  /** The inode is known, its content is another: truncated, or the inode was used again. */
  | { readonly kind: "changed"; readonly watermark: Watermark };

/** The files of this source that were read before: from the store, and those closed since. */
export class KnownFiles {
  /** The contents that an inode had, the newest first. */
  readonly #byKey = new Map<FileKey, Watermark[]>();

  constructor(watermarks: readonly Watermark[]) {
    for (const watermark of watermarks) this.remember(watermark);
  }

  remember(watermark: Watermark): void {
    const key = identityKey(watermark.identity);
    const others = (this.#byKey.get(key) ?? []).filter((other) => other.file !== watermark.file);
    this.#byKey.set(
      key,
      [watermark, ...others].sort((a, b) => b.settledMs - a.settledMs),
    );
  }

  /** Followed again, or dead: whatever has this key later is another file. */
  forget(key: FileKey): void {
    this.#byKey.delete(key);
  }

  has(key: FileKey): boolean {
    return this.#byKey.has(key);
  }

  /** Where it was last seen. */
  pathOf(key: FileKey): string | undefined {
    return this.#byKey.get(key)?.[0]?.identity.path;
  }

  /** Not the newest alone: the last ranges of a truncated content may have been settled after the first of the next. */
  match(key: FileKey, prefix: Buffer, size: number): Match {
    const watermarks = this.#byKey.get(key);
    const newest = watermarks?.[0];
    if (watermarks === undefined || newest === undefined) return { kind: "unknown" };
    const same = watermarks.find((watermark) => isSameContent(watermark, prefix, size));
    return same === undefined ? { kind: "changed", watermark: newest } : { kind: "same", watermark: same };
  }

  /** Whether the inode was read to its end, as far as its size tells. */
  isReadTo(key: FileKey, size: number): boolean {
    return this.#byKey.get(key)?.some((watermark) => watermark.offset === size) ?? false;
  }

  /** The newest content of each inode. */
  newest(): readonly Watermark[] {
    return [...this.#byKey.values()].flatMap((watermarks) => watermarks.slice(0, 1));
  }
}

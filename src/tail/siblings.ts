import { promises as fs } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { FoundFile } from "./discovery.js";
import { fileKey } from "./identity.js";

/** `.1`, `-20240131`, `.2024-01-31.2`, `.old`: what rotation adds to a name. */
const ROTATION_SUFFIX = /^(?:[._-](?:\d[\w.:-]*|old|prev))+$/;
/** Names of one directory looked at for one file; beyond, its rotations must match a pattern to be found. */
const SIBLINGS_MAX = 1000;

/** The names that rotation may have made `name` of, the shortest first: `app.log` for `app.log.2`. */
export function formerNames(name: string): readonly string[] {
  const cuts = [...name].keys();
  return [...cuts]
    .filter((cut) => cut > 0 && ROTATION_SUFFIX.test(name.slice(cut)))
    .map((cut) => name.slice(0, cut));
}

/** The name that rotation started from, or the name itself. */
export function rotationStem(path: string): string {
  const name = basename(path);
  return formerNames(name)[0] ?? name;
}

/** The same for all files that rotation may have made of one. */
export function familyOf(path: string): string {
  return join(dirname(path), rotationStem(path));
}

/** Whether `name` is what rotation may have made of `stem`. */
export function isRotationOf(stem: string, name: string): boolean {
  return name.startsWith(stem) && ROTATION_SUFFIX.test(name.slice(stem.length));
}

/**
 * Regular files beside `path` whose names begin with what its name began with before rotations, the oldest first (by time
 * of last change, then by name from the highest number down).
 */
export async function findSiblings(path: string): Promise<readonly FoundFile[]> {
  const directory = dirname(path);
  const stem = rotationStem(path);
  const names = await fs.readdir(directory).catch((): string[] => []);
  const found: FoundFile[] = [];
  for (const name of names.filter((other) => other.startsWith(stem)).slice(0, SIBLINGS_MAX)) {
    const stats = await fs.stat(join(directory, name), { bigint: true }).catch(() => undefined);
    if (stats?.isFile()) found.push({ path: join(directory, name), key: fileKey(stats), stats });
  }
  return found.sort(byAge);
}

function byAge(a: FoundFile, b: FoundFile): number {
  if (a.stats.mtimeNs !== b.stats.mtimeNs) return a.stats.mtimeNs < b.stats.mtimeNs ? -1 : 1;
  return b.path.localeCompare(a.path, "en", { numeric: true });
}

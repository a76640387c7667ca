import { type BigIntStats, type Dirent, promises as fs } from "node:fs";
import { join, resolve } from "node:path";
import { codeOf } from "../base/index.js";
import { compileGlob, type GlobBranch, hasWildcard, type Segment } from "./glob.js";
import { type FileKey, fileKey } from "./identity.js";

/** More files than this under one source are a mistake in the pattern; the rest is refused and said so. */
export const FILES_MAX = 50_000;
/** Calls to the file system at one time: enough to fill the thread pool, little enough to stay fair. */
const CALLS_AT_ONCE = 16;
const COMPRESSED = /\.(gz|tgz|bz2|xz|zst|lz4|zip|br)$/i;

export interface FoundFile {
  readonly path: string;
  readonly key: FileKey;
  readonly stats: BigIntStats;
}

export interface Discovery {
  /** Regular files, each inode once, in the order of the patterns and then of the names. */
  readonly files: readonly FoundFile[];
  /** What a pattern named and can't be followed, with the reason. */
  readonly problems: ReadonlyMap<string, string>;
  /** Compressed files that a directory or glob holds: not read, and not missed either. */
  readonly ignored: readonly string[];
  /** Directories in which a file of interest may appear. */
  readonly directories: ReadonlySet<string>;
}

interface Pattern {
  readonly text: string;
  readonly path: string;
  readonly branches: readonly GlobBranch[];
}

/** Finds what the patterns name now. Keeps nothing between two calls but the compiled patterns. */
export class Discoverer {
  readonly #patterns: readonly Pattern[];

  /** @throws PatternError */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((text) => ({
      text,
      path: resolve(text),
      branches: hasWildcard(text) ? compileGlob(text) : [],
    }));
  }

  async find(): Promise<Discovery> {
    const search = new Search();
    for (const pattern of this.#patterns) await search.add(pattern);
    return search.result();
  }
}

class Search {
  readonly #files = new Map<FileKey, FoundFile>();
  readonly #problems = new Map<string, string>();
  readonly #ignored: string[] = [];
  readonly #directories = new Set<string>();
  /** Names that matched something that exists, however often. */
  #met = 0;

  result(): Discovery {
    return {
      files: [...this.#files.values()],
      problems: this.#problems,
      ignored: this.#ignored,
      directories: this.#directories,
    };
  }

  async add(pattern: Pattern): Promise<void> {
    const stats = await this.#stat(pattern.path);
    // A name with brackets that exists is that file: shells hand over names, not patterns.
    if (typeof stats !== "string" || pattern.branches.length === 0) {
      await this.#addNamed(pattern.path, stats);
      return;
    }
    const before = this.#met;
    for (const branch of pattern.branches) await this.#walk(branch.root, branch.segments);
    if (this.#met === before) this.#problems.set(pattern.text, "no file matches (yet)");
  }

  async #addNamed(path: string, stats: BigIntStats | string): Promise<void> {
    if (typeof stats !== "string" && stats.isDirectory()) {
      await this.#walk(path, [{ kind: "match", matches: (name) => !name.startsWith(".") }]);
      return;
    }
    this.#directories.add(resolve(path, ".."));
    this.#addFile(path, stats, true);
  }

  async #walk(directory: string, segments: readonly Segment[]): Promise<void> {
    const [segment, ...rest] = segments;
    if (segment === undefined || this.#files.size >= FILES_MAX) return;
    this.#directories.add(directory);
    if (segment.kind === "literal") {
      await this.#visit([join(directory, segment.name)], rest);
      return;
    }
    const entries = await this.#list(directory);
    if (segment.kind === "deep") {
      await this.#walk(directory, rest);
      // Links to directories are not descended into: they may lead back up.
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith("."))
          await this.#walk(join(directory, entry.name), segments);
      return;
    }
    const matching = entries.filter((entry) => segment.matches(entry.name));
    await this.#visit(
      matching.filter((entry) => rest.length > 0 || !entry.isDirectory()).map((e) => join(directory, e.name)),
      rest,
    );
  }

  async #visit(paths: readonly string[], rest: readonly Segment[]): Promise<void> {
    for (let i = 0; i < paths.length; i += CALLS_AT_ONCE) {
      const some = paths.slice(i, i + CALLS_AT_ONCE);
      const stats = await Promise.all(some.map((path) => this.#stat(path)));
      for (const [index, path] of some.entries()) {
        const found = stats[index]!;
        if (rest.length === 0) this.#addFile(path, found, false);
        else if (typeof found !== "string" && found.isDirectory()) await this.#walk(path, rest);
      }
    }
  }

  #addFile(path: string, stats: BigIntStats | string, isNamed: boolean): void {
    if (typeof stats !== "string") this.#met += 1;
    if (typeof stats === "string") {
      // Between listing and looking a file may go; only what was asked for by name is missed.
      if (isNamed || stats !== "no such file") this.#problems.set(path, stats);
    } else if (COMPRESSED.test(path)) {
      if (isNamed) this.#problems.set(path, "compressed files are not read");
      else this.#ignored.push(path);
    } else if (!stats.isFile()) {
      if (isNamed) this.#problems.set(path, "not a regular file");
    } else if (this.#files.size >= FILES_MAX) {
      this.#problems.set(path, `more than ${FILES_MAX} files match`);
    } else {
      const key = fileKey(stats);
      if (!this.#files.has(key)) this.#files.set(key, { path, key, stats });
    }
  }

  async #list(directory: string): Promise<readonly Dirent[]> {
    try {
      const entries = await fs.readdir(directory, { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") this.#problems.set(directory, describe(error));
      return [];
    }
  }

  async #stat(path: string): Promise<BigIntStats | string> {
    try {
      return await fs.stat(path, { bigint: true });
    } catch (error) {
      return describe(error);
    }
  }
}

/** An error of the file system in words that a status line can show. */
export function describe(error: unknown): string {
  const code = codeOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") return "no such file";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EMFILE" || code === "ENFILE") return "too many open files";
  return code;
}

import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../base/index.js";

/** Each costs one of the system's watches; beyond this, directories are only polled. */
const DIRECTORIES_MAX = 1024;

/** Where hints that something changed come from; replaceable, because hints must never be needed. */
export interface HintSource {
  /** These directories and no others. */
  watch(directories: ReadonlySet<string>): void;
  close(): void;
}

export interface HintSinks {
  /** The content of this file changed. */
  readonly onChange: (path: string) => void;
  /** A name came, went or moved. */
  readonly onNames: () => void;
  readonly onFailure: (directory: string, message: string) => void;
}

/** Watches directories, not files: a watched file's watch moves away with it when it is renamed. */
export class DirectoryWatcher implements HintSource {
  readonly #sinks: HintSinks;
  readonly #watchers = new Map<string, FSWatcher>();
  /** Directories that could not be watched, not to be reported again. */
  readonly #failed = new Set<string>();

  constructor(sinks: HintSinks) {
    this.#sinks = sinks;
  }

  watch(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of this.#watchers)
      if (!directories.has(directory)) {
        this.#watchers.delete(directory);
        watcher.close();
      }
    for (const directory of directories)
      if (!this.#watchers.has(directory) && this.#watchers.size < DIRECTORIES_MAX) this.#open(directory);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #open(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false });
      watcher.on("change", (event, name) => {
        if (event === "change" && name !== null) this.#sinks.onChange(join(directory, String(name)));
        else this.#sinks.onNames();
      });
      watcher.on("error", (error) => this.#drop(directory, error));
      this.#watchers.set(directory, watcher);
      this.#failed.delete(directory);
    } catch (error) {
      this.#fail(directory, error);
    }
  }

  /** A watch dies with its directory; the next sweep opens it again when a new one is there. */
  #drop(directory: string, error: unknown): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
    this.#fail(directory, error);
  }

  #fail(directory: string, error: unknown): void {
    if (this.#failed.has(directory)) return;
    this.#failed.add(directory);
    this.#sinks.onFailure(directory, messageOf(error));
  }
}

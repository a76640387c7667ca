import type { Discovery } from "./discovery.js";
import type { TailSettings } from "./options.js";

/** What was named and can't be followed; said once for each reason. */
export class Problems {
  readonly #settings: Pick<TailSettings, "notices" | "source">;
  #found: ReadonlyMap<string, string> = new Map();
  /** Of the look under way. */
  #opening = new Map<string, string>();
  #ignored = new Set<string>();

  constructor(settings: Pick<TailSettings, "notices" | "source">) {
    this.#settings = settings;
  }

  /** Reasons by path, as of the last look. */
  get all(): ReadonlyMap<string, string> {
    return this.#found;
  }

  /** Opening this file failed. */
  add(path: string, reason: string): void {
    this.#opening.set(path, reason);
  }

  /** Ends a look. */
  report(discovery: Discovery): void {
    const found = new Map([...discovery.problems, ...this.#opening]);
    for (const [path, reason] of found)
      if (this.#found.get(path) !== reason)
        this.#notice("warn", "tail.unreadable", `${path} can't be read: ${reason}`, path);
    for (const path of discovery.ignored)
      if (!this.#ignored.has(path))
        this.#notice("info", "tail.ignored", `${path} is compressed and is not read`, path);
    this.#found = found;
    this.#opening = new Map();
    this.#ignored = new Set(discovery.ignored);
  }

  #notice(level: "info" | "warn", name: string, message: string, path: string): void {
    const { notices, source } = this.#settings;
    notices({ level, name, message, data: { source, path } });
  }
}

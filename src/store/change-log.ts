import type { Change, ChangeItem, Generation, Version } from "./contract.js";
import { type Group, groupKey } from "./group.js";

/** More groups than these of one metric are told as "many": the reader reads the metric again. */
const groupsMax = 1_000;

export interface ChangeLogLimits {
  readonly changesMax: number;
  readonly changesBytesMax: number;
}

/**
 * The newest changes, once for all readers. A reader has no queue of its own, only the version that it has seen: what
 * came since is merged into one change when it asks, and a reader that is further behind than the log is told to take
 * a snapshot.
 */
export class ChangeLog {
  readonly #generation: Generation;
  readonly #limits: ChangeLogLimits;
  readonly #changes: { readonly change: Change; readonly bytes: number }[] = [];
  #bytes = 0;
  /** Newest version; the log has every change after `#afterVersion` up to it. */
  #version: Version;
  #afterVersion: Version;
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(generation: Generation, version: Version, limits: ChangeLogLimits) {
    this.#generation = generation;
    this.#version = version;
    this.#afterVersion = version;
    this.#limits = limits;
  }

  push(change: Change): void {
    const bytes = bytesOf(change);
    this.#changes.push({ change, bytes });
    this.#bytes += bytes;
    this.#version = change.version;
    while (this.#changes.length > this.#limits.changesMax || this.#bytes > this.#limits.changesBytesMax) {
      const oldest = this.#changes.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
      this.#afterVersion = oldest.change.version;
    }
    this.#wake();
  }

  /** Ends every reader. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Changes after `since`, merged to one at each asking; ends when the signal aborts or the log is closed. */
  async *read(since: Version, signal: AbortSignal): AsyncGenerator<ChangeItem, void, void> {
    let seen = since;
    while (!signal.aborted && !this.#isClosed) {
      const item = this.#itemAfter(seen);
      if (item === undefined) {
        await this.#news(signal);
        continue;
      }
      seen = item.version;
      yield item;
    }
  }

  #itemAfter(seen: Version): ChangeItem | undefined {
    if (seen === this.#version) return undefined;
    if (seen < this.#afterVersion || seen > this.#version)
      return { kind: "snapshot-needed", generation: this.#generation, version: this.#version };
    const news = this.#changes.map(({ change }) => change).filter(({ version }) => version > seen);
    return mergeChanges(news);
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** One change with the effect of all, under the last one's version; at least one must be given. */
function mergeChanges(changes: readonly Change[]): Change {
  const newest = changes.at(-1)!;
  if (changes.length === 1) return newest;
  const metrics = new Map<string, Map<string, Group> | undefined>();
  for (const change of changes)
    for (const { metric, groups } of change.metrics) {
      const merged = metrics.has(metric) ? metrics.get(metric) : new Map<string, Group>();
      metrics.set(metric, mergeGroups(merged, groups));
    }
  return {
    generation: newest.generation,
    version: newest.version,
    metrics: [...metrics].map(([metric, groups]) => ({
      metric,
      groups: groups === undefined ? undefined : [...groups.values()],
    })),
    sources: [...new Set(changes.flatMap(({ sources }) => sources))],
    deadLetters: changes.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
  };
}

function mergeGroups(
  into: Map<string, Group> | undefined,
  groups: readonly Group[] | undefined,
): Map<string, Group> | undefined {
  if (into === undefined || groups === undefined) return undefined;
  for (const group of groups) into.set(groupKey(group), group);
  return into.size > groupsMax ? undefined : into;
}

function bytesOf(change: Change): number {
  let bytes = 200;
  for (const { groups } of change.metrics) {
    bytes += 100;
    for (const group of groups ?? []) for (const value of group) bytes += 40 + 2 * (value?.length ?? 0);
  }
  for (const source of change.sources) bytes += 40 + 2 * source.length;
  return bytes;
}

import type { CellRecord } from "./tables.js";

/** The cells of one metric at one level, by slot and then by group. */
export class LevelSlots {
  readonly starts: Map<number, Map<number, CellRecord>> = new Map();
  #cells = 0;
  /** Undefined when it has to be looked for again. */
  #oldestMs: number | undefined = Number.POSITIVE_INFINITY;

  get cells(): number {
    return this.#cells;
  }

  /** Start of the oldest slot; +Infinity when there is none. */
  get oldestMs(): number {
    if (this.#oldestMs === undefined) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const startMs of this.starts.keys()) if (startMs < oldest) oldest = startMs;
      this.#oldestMs = oldest;
    }
    return this.#oldestMs;
  }

  set(record: CellRecord): void {
    const { startMs, groupId } = record;
    let groups = this.starts.get(startMs);
    if (groups === undefined) {
      this.starts.set(startMs, (groups = new Map()));
      if (this.#oldestMs !== undefined && startMs < this.#oldestMs) this.#oldestMs = startMs;
    }
    if (!groups.has(groupId)) this.#cells += 1;
    groups.set(groupId, record);
  }

  delete({ startMs, groupId }: CellRecord): void {
    const groups = this.starts.get(startMs);
    if (groups === undefined || !groups.delete(groupId)) return;
    this.#cells -= 1;
    if (groups.size > 0) return;
    this.starts.delete(startMs);
    if (startMs === this.#oldestMs) this.#oldestMs = undefined;
  }

  /** Starts below `endMs`, oldest first. */
  startsBefore(endMs: number): readonly number[] {
    if (this.oldestMs >= endMs) return [];
    const starts: number[] = [];
    for (const startMs of this.starts.keys()) if (startMs < endMs) starts.push(startMs);
    return starts.sort((a, b) => a - b);
  }
}

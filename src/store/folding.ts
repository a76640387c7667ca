import { copyCell } from "./cell.js";
import type { Draft } from "./draft.js";
import { cellRecordKey } from "./keys.js";
import { addCell } from "./metric-additions.js";
import type { SlotLevel } from "./options.js";
import { cellRecordBytes } from "./sizes.js";
import { floorTo, late, place } from "./slots.js";
import type { State } from "./state.js";
import type { CellRecord } from "./tables.js";

export interface FoldWork {
  readonly levels: readonly SlotLevel[];
  readonly boundaries: readonly number[];
  readonly forcedMs: readonly number[];
  /** Most cells moved. */
  readonly cellsMax: number;
  readonly stateBytesMax: number;
}

/**
 * Moves cells that outgrew their level upwards, oldest first, and drops those that outgrew the last one. What a limit
 * leaves over stays for the next step: readers place every cell by the boundaries, not by where it still is.
 */
export class Folding {
  /** Bytes that the moves have freed. */
  freedBytes = 0;
  readonly #state: State;
  readonly #draft: Draft;
  readonly #work: FoldWork;
  #left: number;
  readonly #boundaries: number[];
  readonly #forcedMs: number[];

  constructor(state: State, draft: Draft, work: FoldWork) {
    this.#state = state;
    this.#draft = draft;
    this.#work = work;
    this.#left = work.cellsMax;
    this.#boundaries = [...work.boundaries];
    this.#forcedMs = [...work.forcedMs];
  }

  /** Ages, then keeps the budget. Answers the boundaries forced so far, the caller's own when none was added. */
  run(): readonly number[] {
    for (let level = 0; level < this.#work.levels.length; level += 1) this.#age(level);
    let isForced = false;
    while (this.#left > 0 && this.#state.stateBytes - this.freedBytes > this.#work.stateBytesMax) {
      if (!this.#force()) break;
      isForced = true;
    }
    return isForced ? this.#forcedMs : this.#work.forcedMs;
  }

  #age(level: number): void {
    const boundaryMs = this.#boundaries[level]!;
    for (const [, metric] of this.#state.metrics()) {
      const slots = metric.levels[level]!;
      for (const startMs of slots.startsBefore(boundaryMs))
        for (const record of slots.starts.get(startMs)!.values()) {
          if (this.#left <= 0) return;
          this.#move(record);
        }
    }
  }

  #move(record: CellRecord): void {
    const { metricId, groupId, level, startMs } = record;
    const key = cellRecordKey(metricId, groupId, level, startMs);
    // Not the committed cell: this step may have added to it, or moved it already.
    const cell = this.#draft.get("cells", key)?.cell;
    if (cell === undefined) return;
    this.#left -= 1;
    this.#draft.delete("cells", key);
    this.freedBytes += cellRecordBytes(record);
    const { levels } = this.#work;
    const target = place(levels, this.#boundaries, startMs, levels[level]!.widthMs);
    if (target === late) return;
    const targetMs = floorTo(startMs, levels[target]!.widthMs);
    // A copy, because the target may be merged into and a committed cell is never changed.
    const at = { metricId, groupId, level: target, startMs: targetMs };
    if (addCell(this.#draft, at, copyCell(cell))) this.freedBytes -= cellRecordBytes(record);
  }

  /** Moves the boundary of the finest level that has cells past its oldest span. False when nothing is left to fold. */
  #force(): boolean {
    const { levels } = this.#work;
    for (let level = 0; level < levels.length; level += 1) {
      const oldestMs = this.#oldest(level);
      if (oldestMs === Number.POSITIVE_INFINITY) continue;
      const gridMs = (levels[level + 1] ?? levels[level]!).widthMs;
      const boundaryMs = floorTo(oldestMs, gridMs) + gridMs;
      this.#forcedMs[level] = boundaryMs;
      this.#boundaries[level] = boundaryMs;
      this.#age(level);
      return true;
    }
    return false;
  }

  /** Among the cells that are still at the level: those moved in this step lie before the boundary. */
  #oldest(level: number): number {
    const boundaryMs = this.#boundaries[level]!;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [, metric] of this.#state.metrics())
      for (const startMs of metric.levels[level]!.starts.keys())
        if (startMs >= boundaryMs && startMs < oldestMs) oldestMs = startMs;
    return oldestMs;
  }
}

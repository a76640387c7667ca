import type { SlotLevel } from "../store/index.js";

/**
 * Which slot an event time goes to while one range is folded. It starts with the finest slots everywhere; `age` gives
 * times that are already old compared with the newest one seen the wider slots that the store would fold them into, so
 * that reading a day of log does not make a cell per second. Boundaries only rise and lie on the wider level's grid: a
 * slot's start alone says how wide it is.
 */
export class SlotPlan {
  readonly #levels: readonly SlotLevel[];
  /** `#boundaries[i]`: times before it are in slots of level i + 1 or wider. */
  readonly #boundaries: number[];

  constructor(levels: readonly SlotLevel[]) {
    this.#levels = levels;
    this.#boundaries = levels.slice(1).map(() => Number.NEGATIVE_INFINITY);
  }

  readonly slotOf = (timeMs: number): number => {
    const widthMs = this.widthOf(timeMs);
    return Math.floor(timeMs / widthMs) * widthMs;
  };

  /** Width of the slot that a time, or a slot's start, belongs to. */
  readonly widthOf = (timeMs: number): number => {
    let level = 0;
    while (level < this.#boundaries.length && timeMs < (this.#boundaries[level] as number)) level += 1;
    return (this.#levels[level] as SlotLevel).widthMs;
  };

  /** Raises the boundaries to what `newestMs` makes old. */
  age(newestMs: number): void {
    for (let i = 0; i < this.#boundaries.length; i += 1) {
      const widthMs = (this.#levels[i + 1] as SlotLevel).widthMs;
      const boundary = Math.floor((newestMs - (this.#levels[i] as SlotLevel).keepMs) / widthMs) * widthMs;
      this.#boundaries[i] = Math.max(this.#boundaries[i] as number, boundary);
    }
  }
}

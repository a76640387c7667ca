import type { SlotLevel } from "./options.js";

/** What `place` answers for a time that is older than every slot. */
export const late = -1;

/** Lowest time there is; finite, so that it survives JSON. */
export const beginningMs = -8.64e15;

export function floorTo(timeMs: number, widthMs: number): number {
  return Math.floor(timeMs / widthMs) * widthMs;
}

/**
 * Where each level begins when the data clock stands at `clockMs`. A level's slots older than that belong to the next
 * one; because a boundary lies on the next level's grid, it never cuts one of the next level's slots in two:
 *
 *     level 2   |        60 s        |        60 s        |·············································
 *     level 1   ·····················|10|10|10|10|10|10|10|10|·······································
 *     level 0   ·············································|1|1|1|1|1|1|1|1|1|1|1|1|1| clock
 *                         boundary 1 ^            boundary 0 ^
 *
 * `forcedMs` are boundaries moved forward for the byte budget.
 */
export function boundariesAt(
  levels: readonly SlotLevel[],
  clockMs: number | undefined,
  forcedMs: readonly number[],
): readonly number[] {
  return levels.map((level, index) => {
    const forced = forcedMs[index] ?? beginningMs;
    if (clockMs === undefined) return forced;
    const gridMs = (levels[index + 1] ?? level).widthMs;
    return Math.max(forced, floorTo(clockMs - level.keepMs, gridMs));
  });
}

/** The finest level that still takes `startMs` and is no finer than the slot's own width; `late` when none does. */
export function place(
  levels: readonly SlotLevel[],
  boundaries: readonly number[],
  startMs: number,
  widthMs: number,
): number {
  for (let index = 0; index < levels.length; index += 1)
    if (startMs >= boundaries[index]! && levels[index]!.widthMs >= widthMs) return index;
  return late;
}

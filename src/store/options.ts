import { type Clock, integerOption, OptionError, systemClock } from "../base/index.js";

/** One width of slots, and for how long slots of it are kept before they are folded into the next. */
export interface SlotLevel {
  readonly widthMs: number;
  readonly keepMs: number;
}

/** Limits of a store; every implementation takes them. */
export interface StoreLimits {
  /** Finest first; each width divides the next, each is kept longer. @default 1 s for 5 min, 10 s for 1 h, 1 min for 24 h, 1 h for 90 d */
  readonly levels?: readonly SlotLevel[];
  /** Estimated memory of cells, totals, groups and rows, in bytes. @default 256 MiB */
  readonly stateBytesMax?: number;
  /** How far event time may be ahead of the store's clock, in milliseconds. @default 5 min */
  readonly aheadMs?: number;
  /** Most cells moved upwards in one settlement. @default 2,000 */
  readonly foldCellsMax?: number;
  /** Attempts after which an event is dead (1..100). @default 3 */
  readonly attemptsMax?: number;
  /** Pause before the second attempt, doubled for each further one, in milliseconds. @default 1 s */
  readonly backoffMs?: number;
  /** Longest pause between attempts, in milliseconds. @default 5 min */
  readonly backoffMsMax?: number;
  /** Events waiting for another attempt; beyond it a failed one is dead at once. @default 100,000 */
  readonly retriesMax?: number;
  /** Their payload in bytes, with the same effect. @default 64 MiB */
  readonly retryBytesMax?: number;
  /** Dead letters kept; beyond it the oldest go, counted as `evicted`. @default 100,000 */
  readonly deadLettersMax?: number;
  /** How long dead letters are kept, in milliseconds. @default 30 d */
  readonly deadLetterAgeMsMax?: number;
  /** Payload of all dead letters, in bytes. @default 64 MiB */
  readonly deadLettersBytesMax?: number;
  /** Payload kept of one dead letter, in bytes. @default 64 KiB */
  readonly deadLetterBytesMax?: number;
  /** Payload of all frames not yet settled, in bytes. @default 256 MiB */
  readonly streamBytesMax?: number;
  /** Producers whose sequence is remembered; the one longest silent is forgotten first. @default 100,000 */
  readonly producersMax?: number;
  /** Keyed rows; the one due or touched first is given up first. @default 100,000 */
  readonly rowsMax?: number;
  /** Changes kept for readers that are behind. @default 1,000 */
  readonly changesMax?: number;
  /** Estimated memory of those changes, in bytes. @default 1 MiB */
  readonly changesBytesMax?: number;
}

export interface StoreOptions extends StoreLimits {
  readonly clock?: Clock;
  /** Called before the n-th record (from 0) of each step is kept; what it throws makes the step not happen. For tests. */
  readonly onWrite?: (index: number) => void;
}

export type ResolvedLimits = Required<StoreLimits>;

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const mebibyte = 1024 * 1024;
const whole = Number.MAX_SAFE_INTEGER;

export const defaultLevels: readonly SlotLevel[] = [
  { widthMs: secondMs, keepMs: 5 * minuteMs },
  { widthMs: 10 * secondMs, keepMs: hourMs },
  { widthMs: minuteMs, keepMs: dayMs },
  { widthMs: hourMs, keepMs: 90 * dayMs },
];

/** @throws OptionError when a limit is outside its range or the levels don't nest */
export function resolveLimits(options: StoreLimits): ResolvedLimits {
  const limit = (
    name: Exclude<keyof StoreLimits, "levels">,
    byDefault: number,
    min = 1,
    max = whole,
  ): number => integerOption(name, options[name], { default: byDefault, min, max });
  return {
    levels: checkLevels(options.levels ?? defaultLevels),
    stateBytesMax: limit("stateBytesMax", 256 * mebibyte),
    aheadMs: limit("aheadMs", 5 * minuteMs, 0),
    foldCellsMax: limit("foldCellsMax", 2_000),
    attemptsMax: limit("attemptsMax", 3, 1, 100),
    backoffMs: limit("backoffMs", secondMs),
    backoffMsMax: limit("backoffMsMax", 5 * minuteMs),
    retriesMax: limit("retriesMax", 100_000, 0),
    retryBytesMax: limit("retryBytesMax", 64 * mebibyte, 0),
    deadLettersMax: limit("deadLettersMax", 100_000),
    deadLetterAgeMsMax: limit("deadLetterAgeMsMax", 30 * dayMs),
    deadLettersBytesMax: limit("deadLettersBytesMax", 64 * mebibyte),
    deadLetterBytesMax: limit("deadLetterBytesMax", 64 * 1024),
    streamBytesMax: limit("streamBytesMax", 256 * mebibyte),
    producersMax: limit("producersMax", 100_000),
    rowsMax: limit("rowsMax", 100_000),
    changesMax: limit("changesMax", 1_000),
    changesBytesMax: limit("changesBytesMax", mebibyte),
  };
}

export function resolveClock(options: StoreOptions): Clock {
  return options.clock ?? systemClock;
}

function checkLevels(levels: readonly SlotLevel[]): readonly SlotLevel[] {
  if (levels.length === 0 || levels.length > 16)
    throw new OptionError("levels", `Cannot use ${levels.length} levels of slots: expected 1..16`);
  for (const [index, { widthMs, keepMs }] of levels.entries()) {
    const finer = levels[index - 1];
    const isWhole = Number.isSafeInteger(widthMs) && Number.isSafeInteger(keepMs);
    if (!isWhole || widthMs < 1 || keepMs < widthMs)
      throw new OptionError(
        "levels",
        `Cannot use slots of ${widthMs} ms kept for ${keepMs} ms: expected 1 <= width <= keep`,
      );
    if (finer === undefined) continue;
    if (widthMs % finer.widthMs !== 0 || widthMs === finer.widthMs || keepMs <= finer.keepMs)
      throw new OptionError(
        "levels",
        `Cannot fold slots of ${finer.widthMs} ms into slots of ${widthMs} ms: each width must divide the next and be kept longer`,
      );
  }
  return levels;
}

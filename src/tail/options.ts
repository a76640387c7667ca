import { type Clock, ignoreNotices, integerOption, type NoticeSink, systemClock } from "../base/index.js";
import type { Watermark } from "../store/index.js";
import type { TailOptions } from "./contract.js";
import { PatternError } from "./errors.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** TailOptions, checked and complete. */
export interface TailSettings {
  readonly source: string;
  readonly patterns: readonly string[];
  readonly from: "start" | "end";
  readonly watermarks: readonly Watermark[];
  readonly isOneShot: boolean;
  readonly lineBytesMax: number;
  readonly rangeBytesMax: number;
  readonly rangesMax: number;
  readonly inFlightBytesMax: number;
  readonly pollIntervalMs: number;
  readonly clock: Clock;
  readonly notices: NoticeSink;
}

/** @throws OptionError for a number outside its range, PatternError without a pattern */
export function tailSettings(options: TailOptions): TailSettings {
  if (options.patterns.length === 0) throw new PatternError("", "no file, directory or glob was given");
  const rangeBytesMax = integerOption("rangeBytesMax", options.rangeBytesMax, {
    default: 4 * MIB,
    min: 4 * KIB,
    max: 64 * MIB,
  });
  return {
    source: options.source,
    patterns: options.patterns,
    from: options.from ?? "start",
    watermarks: options.watermarks,
    isOneShot: options.isOneShot ?? false,
    lineBytesMax: integerOption("lineBytesMax", options.lineBytesMax, {
      default: MIB,
      min: KIB,
      max: 64 * MIB,
    }),
    rangeBytesMax,
    rangesMax: integerOption("rangesMax", options.rangesMax, { default: 4, min: 1, max: 256 }),
    inFlightBytesMax: integerOption("inFlightBytesMax", options.inFlightBytesMax, {
      default: Math.max(32 * MIB, rangeBytesMax),
      min: 4 * KIB,
      max: 4 * KIB * MIB,
    }),
    pollIntervalMs: integerOption("pollIntervalMs", options.pollIntervalMs, {
      default: 250,
      min: 10,
      max: 60_000,
    }),
    clock: options.clock ?? systemClock,
    notices: options.notices ?? ignoreNotices,
  };
}

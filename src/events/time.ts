import { clfSecond, isoMinute, isoSecond, readTail } from "./civil-time.js";

/** How a field's value says a time: ISO 8601, the access-log form, or a number since 1970 in the named unit. */
export type TimeFormat = "iso" | "clf" | "s" | "ms" | "us" | "ns";

const perMs = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 } as const;
/** What JavaScript's Date can say. */
const timeMsMax = 8.64e15;
const plainNumber = /^-?\d+(?:\.\d+)?$/;
/** `2024-07-26T08:31:48` and `26/Jul/2024:08:31:48`. */
const isoSecondLength = 19;
const clfSecondLength = 20;

/**
 * Milliseconds since 1970 UTC (with fraction), or undefined when the value is not a time of that format.
 * The returned function remembers the last second it saw, since neighbours in a log share it.
 */
export function compileTime(format: TimeFormat): (value: unknown) => number | undefined {
  if (format === "iso") {
    const timed = compileSeconds(isoSecondLength, isoSecond);
    return (value) => (typeof value === "string" ? (timed(value) ?? isoMinute(value)) : undefined);
  }
  if (format === "clf") {
    const timed = compileSeconds(clfSecondLength, clfSecond);
    return (value) => (typeof value === "string" ? timed(value) : undefined);
  }
  const divisor = perMs[format];
  return (value) => {
    const number = typeof value === "string" && plainNumber.test(value) ? Number(value) : value;
    if (typeof number !== "number") return undefined;
    const timeMs = number / divisor;
    return Math.abs(timeMs) <= timeMsMax ? timeMs : undefined;
  };
}

/** `parse` reads the first `length` characters, once for all that share them; the rest is fraction and zone. */
function compileSeconds(
  length: number,
  parse: (text: string) => number | undefined,
): (value: string) => number | undefined {
  let lastText = "";
  let lastMs = 0;
  return (value) => {
    if (lastText === "" || !value.startsWith(lastText)) {
      const parsed = parse(value);
      if (parsed === undefined) return undefined;
      lastMs = parsed;
      lastText = value.slice(0, length);
    }
    const restMs = readTail(value, length);
    return restMs === undefined ? undefined : lastMs + restMs;
  };
}

/** 2000-01-01 and 2100-01-01: epoch digits outside are no times, and inside no two units overlap. */
const epochFromMs = 946_684_800_000;
const epochToMs = 4_102_444_800_000;

/**
 * The format that every sample has; undefined when there is none, or no sample. Absent and null samples are passed over.
 * Epoch digits are told apart by magnitude, and only when all samples then lie in 2000..2100.
 */
export function detectTime(samples: readonly unknown[]): TimeFormat | undefined {
  const present = samples.filter((sample) => sample !== undefined && sample !== null);
  if (present.length === 0) return undefined;
  for (const format of ["iso", "clf"] as const) {
    const read = compileTime(format);
    if (present.every((sample) => read(sample) !== undefined)) return format;
  }
  for (const format of ["s", "ms", "us", "ns"] as const) {
    const read = compileTime(format);
    const isInside = (timeMs: number | undefined): boolean =>
      timeMs !== undefined && timeMs >= epochFromMs && timeMs < epochToMs;
    if (present.every((sample) => isInside(read(sample)))) return format;
  }
  return undefined;
}

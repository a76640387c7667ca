import { QueryError } from "./errors.js";

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Slots are kept no longer. */
export const windowMsMax: number = 90 * 86_400_000;
export const windowMsMin = 1000;

/**
 * `90s`, `1m`, `24h`; `undefined` for `all`.
 * @throws QueryError for anything else, or outside 1 s..90 d
 */
export function parseWindow(text: string): number | undefined {
  if (text === "all") return undefined;
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const windowMs = match === null ? Number.NaN : Number(match[1]) * unitsMs[match[2]!]!;
  if (windowMs >= windowMsMin && windowMs <= windowMsMax) return windowMs;
  throw new QueryError(`Cannot use the window "${text}": expected a span such as 1m, 24h or all, 1s..90d`);
}

/** As parseWindow, with an answer for what it does not understand: for links that people edit. */
export function parseWindowOr(text: string | null, otherwise: number | undefined): number | undefined {
  try {
    return text === null ? otherwise : parseWindow(text);
  } catch {
    return otherwise;
  }
}

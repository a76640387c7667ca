import { spanText } from "../src/server/text.js";

const clock = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const shortClock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const fullDay = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });

/** `12:03:11`, with the day where it is not today. */
export function timeText(ms: number, nowMs: number): string {
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return isToday ? clock.format(ms) : `${fullDay.format(ms)} ${clock.format(ms)}`;
}

export function clockText(ms: number): string {
  return clock.format(ms);
}

/** For the marks of an axis: seconds where the whole axis is short, days where it is long. */
export function axisText(ms: number, spanMs: number): string {
  if (spanMs <= 10 * 60_000) return clock.format(ms);
  return spanMs <= 36 * 3_600_000 ? shortClock.format(ms) : day.format(ms);
}

/** `4 h ago`, `just now`. */
export function agoText(ms: number, nowMs: number): string {
  const agoMs = nowMs - ms;
  if (agoMs < -5000) return `${spanText(-agoMs)} ahead`;
  return agoMs < 1000
    ? "just now"
    : `${spanText(Math.floor(agoMs / 1000) * 1000).replace(/\.0 s$/, " s")} ago`;
}

// Reads dates and times by character codes: Date.parse takes more forms than we document, differs between engines for
// some, knows milliseconds only, and is several times slower.

const dayMs = 86_400_000;
const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `2024-07-26T08:31:48` at the start of the text, with `T`, `t` or a space between; zone not applied. */
export function isoSecond(text: string): number | undefined {
  const dayStartMs = isoDay(text);
  if (dayStartMs === undefined || !isIsoSeparator(text.charCodeAt(10)) || text[16] !== ":") return undefined;
  return addClock(dayStartMs, text, 11, twoDigits(text, 17));
}

/** The forms without seconds: `2024-07-26` and `2024-07-26T08:31` with or without a zone. */
export function isoMinute(text: string): number | undefined {
  const dayStartMs = isoDay(text);
  if (dayStartMs === undefined || text.length === 10) return dayStartMs;
  if (!isIsoSeparator(text.charCodeAt(10))) return undefined;
  const minuteMs = addClock(dayStartMs, text, 11, 0);
  const zoneMs = readZone(text, 16);
  return minuteMs === undefined || zoneMs === undefined ? undefined : minuteMs + zoneMs;
}

/** `26/Jul/2024:08:31:48` at the start of the text; zone not applied. */
export function clfSecond(text: string): number | undefined {
  if (text[2] !== "/" || text[6] !== "/" || text[11] !== ":" || text[17] !== ":") return undefined;
  const month = monthNames.indexOf(text.slice(3, 6)) + 1;
  const dayStartMs = startOfDay(fourDigits(text, 7), month, twoDigits(text, 0));
  return dayStartMs === undefined ? undefined : addClock(dayStartMs, text, 12, twoDigits(text, 18));
}

/** What follows the seconds: a fraction of 1 to 9 digits, then a zone; in milliseconds to add. */
export function readTail(text: string, from: number): number | undefined {
  const mark = text.charCodeAt(from);
  if (mark !== 0x2e && mark !== 0x2c) return readZone(text, from);
  let at = from + 1;
  let digits = 0;
  let scale = 1;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) break;
    digits = digits * 10 + digit;
    scale *= 10;
  }
  if (scale === 1 || scale > 1e9) return undefined;
  const zoneMs = readZone(text, at);
  return zoneMs === undefined ? undefined : zoneMs + (digits * 1000) / scale;
}

/** Nothing (UTC), `Z`, `+02:00`, `+0200` or `+02`, perhaps after a space, to the end; in milliseconds to add. */
function readZone(text: string, from: number): number | undefined {
  if (from === text.length) return 0;
  const at = text[from] === " " ? from + 1 : from;
  const sign = text[at];
  if (sign === "Z" || sign === "z") return at + 1 === text.length ? 0 : undefined;
  if (sign !== "+" && sign !== "-") return undefined;
  const hours = twoDigits(text, at + 1);
  const minutesAt = text[at + 3] === ":" ? at + 4 : at + 3;
  const hasMinutes = text.length > at + 3;
  const minutes = hasMinutes ? twoDigits(text, minutesAt) : 0;
  const end = hasMinutes ? minutesAt + 2 : at + 3;
  if (!(hours <= 23 && minutes <= 59) || end !== text.length) return undefined;
  const offsetMs = (hours * 60 + minutes) * 60_000;
  return sign === "+" ? -offsetMs : offsetMs;
}

function isIsoSeparator(code: number): boolean {
  return code === 0x54 || code === 0x74 || code === 0x20;
}

function isoDay(text: string): number | undefined {
  if (text[4] !== "-" || text[7] !== "-") return undefined;
  return startOfDay(fourDigits(text, 0), twoDigits(text, 5), twoDigits(text, 8));
}

/** Adds `HH:MM` at `from` and the seconds. Second 60 is a leap second and counts as the next one. */
function addClock(dayStartMs: number, text: string, from: number, seconds: number): number | undefined {
  const hours = twoDigits(text, from);
  const minutes = twoDigits(text, from + 3);
  if (text[from + 2] !== ":" || !(hours <= 23 && minutes <= 59 && seconds <= 60)) return undefined;
  return dayStartMs + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function startOfDay(year: number, month: number, day: number): number | undefined {
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth[month - 1]!))
    return undefined;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month === 2 && day === 29 && !isLeap) return undefined;
  return daysSinceEpoch(year, month, day) * dayMs;
}

/** Howard Hinnant's days_from_civil (howardhinnant.github.io/date_algorithms.html): years start in March, so that the leap day is the last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** NaN when they are not two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function fourDigits(text: string, at: number): number {
  return twoDigits(text, at) * 100 + twoDigits(text, at + 2);
}

// Shared with the dashboard in the browser: no Node here.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const threeDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const fourDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** `1.2K`, for the marks of an axis. */
export function compactText(value: number): string {
  return compact.format(value);
}

/** `12,480`; a dash for what is not known. */
export function countText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return whole.format(value);
}

/** A measured number with its unit: whole from 1,000 on, else four significant digits. */
export function valueText(value: number | null | undefined, unit?: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const number =
    size >= 1e15 || (size > 0 && size < 1e-4)
      ? value.toExponential(2)
      : size >= 1000
        ? whole.format(value)
        : fourDigits.format(value);
  return unit === undefined || unit === "1" ? number : `${number} ${unit}`;
}

/** A share 0..1 as `2.34 %`. */
export function shareText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return `${threeDigits.format(value * 100)} %`;
}

/** Events per second: `1,204/s`, `0.25/s`. */
export function rateText(perS: number | null | undefined): string {
  if (perS === null || perS === undefined || !Number.isFinite(perS)) return "–";
  return `${perS >= 100 ? whole.format(perS) : threeDigits.format(perS)}/s`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `0 B`, `1.21 MiB`. */
export function bytesText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < byteUnits.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? whole.format(size) : threeDigits.format(size)} ${byteUnits[unit]}`;
}

/** A length of time in its two largest units at most: `0.4 s`, `12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** A window's name as it stands in the address: `1m`, `90s`, `24h`, `all`. */
export function windowName(windowMs: number | null | undefined): string {
  if (windowMs === null || windowMs === undefined) return "all";
  for (const [name, unitMs] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const) {
    // One day is called 24h, as everybody says.
    if (windowMs % unitMs === 0 && (name !== "d" || windowMs > unitMs)) return `${windowMs / unitMs}${name}`;
  }
  return `${windowMs}ms`;
}

/** What a group is called: its values in order; `(absent)` and `(empty)` where there is nothing to print. */
export function groupText(by: Readonly<Record<string, string | null>>): string {
  const values = Object.values(by).map((value) =>
    value === null ? "(absent)" : value === "" ? "(empty)" : value,
  );
  return values.length === 0 ? "all" : values.join(" · ");
}

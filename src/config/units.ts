const durationMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeBytes: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

export const durationExpected = "a number and a unit: ms s m h d";
export const sizeExpected = "a number of bytes, or a number and a unit: KiB MiB GiB";

/** Milliseconds of `250ms`, `10s`, `5m`, `2h` or `1d`; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * (durationMs[match[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}

/** Bytes of `65536`, `64KiB`, `64MiB` or `2GiB`; undefined when it is no size. */
export function parseSize(value: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)?$/.exec(String(value));
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (sizeBytes[match[2] ?? "B"] ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** The shortest text that `parseDuration` reads back as the same length. */
export function formatDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const length = durationMs[unit] ?? 1;
    if (ms >= length && ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms}ms`;
}

/** Units whose meaning Poundlock knows; any other word is taken as the name of what is counted. */
export const knownUnits: readonly string[] = ["ns", "us", "ms", "s", "m", "h", "bytes", "KiB", "MiB"];

/** Ways people write a unit that is known by another name; taking them as they stand would make two units of one. */
const otherNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    nanos: "ns",
    nanosecond: "ns",
    nanoseconds: "ns",
    µs: "us",
    μs: "us",
    micros: "us",
    microsecond: "us",
    microseconds: "us",
    millis: "ms",
    msec: "ms",
    msecs: "ms",
    millisecond: "ms",
    milliseconds: "ms",
    sec: "s",
    secs: "s",
    second: "s",
    seconds: "s",
    min: "m",
    mins: "m",
    minute: "m",
    minutes: "m",
    hr: "h",
    hrs: "h",
    hour: "h",
    hours: "h",
    b: "bytes",
    byte: "bytes",
    kib: "KiB",
    mib: "MiB",
  }),
);

export type UnitCheck =
  | { readonly kind: "ok"; readonly unit: string }
  | { readonly kind: "no-unit"; readonly expected: string }
  | { readonly kind: "other-name"; readonly unit: string };

export const unitExpected: string = `a unit: ${knownUnits.join(" ")}, or the word for what is counted (orders, tokens, usd)`;

/** Whether `text` can stand as a unit: a known one, or a word of your own. */
export function checkUnit(text: string): UnitCheck {
  if (knownUnits.includes(text)) return { kind: "ok", unit: text };
  const lower = text.toLowerCase();
  // One letter may be another unit in the other case; `MS` and `Bytes` are none.
  const respelt = text.length > 1 ? knownUnits.find((unit) => unit.toLowerCase() === lower) : undefined;
  const known = otherNames.get(text) ?? otherNames.get(lower) ?? respelt;
  if (known !== undefined) return { kind: "other-name", unit: known };
  // "1" and "%" are units of measure in common use (a bare ratio, a share), so they are words here.
  if (!/^(?:1|%|[\p{L}€$£¥][\p{L}\p{N}_/%€$£¥-]{0,39})$/u.test(text)) {
    return { kind: "no-unit", expected: unitExpected };
  }
  return { kind: "ok", unit: text };
}

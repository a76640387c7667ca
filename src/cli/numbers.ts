/** Commas between thousands. By hand: the first call into the runtime's locale data costs 20 ms of start-up. */
function grouped(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const commas = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? commas : `${commas}.${fraction}`;
}

/** `12,480`: whole numbers in full. */
export function countText(value: number): string {
  return grouped(String(Math.round(value)));
}

/** Whole numbers in full, others to five significant digits: more than a percentile's own error. */
export function valueText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return countText(value);
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(4);
  const digits = Math.max(0, 4 - Math.floor(Math.log10(size)));
  const text = value.toFixed(digits);
  return grouped(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

/** `12.5 %` */
export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined) return "–";
  const percent = share * 100;
  // A share that is not quite all or nothing must not read as if it were.
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  if (percent < 100 && percent > 99.9) return ">99.9 %";
  return `${percent.toFixed(1)} %`;
}

/** `1.5 MiB` */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [
    ["GiB", 1_073_741_824],
    ["MiB", 1_048_576],
    ["KiB", 1_024],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 10 min` */
export function spanText(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** UTC, as every time in the output is. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** UCUM codes and the words that Prometheus has for them (OpenTelemetry, "Prometheus and OpenMetrics Compatibility"). */
const words: ReadonlyMap<string, string> = new Map([
  ["d", "days"],
  ["h", "hours"],
  ["min", "minutes"],
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["us", "microseconds"],
  ["ns", "nanoseconds"],
  ["B", "bytes"],
  ["By", "bytes"],
  ["KBy", "kilobytes"],
  ["MBy", "megabytes"],
  ["GBy", "gigabytes"],
  ["TBy", "terabytes"],
  ["KiBy", "kibibytes"],
  ["MiBy", "mebibytes"],
  ["GiBy", "gibibytes"],
  ["TiBy", "tebibytes"],
  ["m", "meters"],
  ["V", "volts"],
  ["A", "amperes"],
  ["J", "joules"],
  ["W", "watts"],
  ["g", "grams"],
  ["Cel", "celsius"],
  ["Hz", "hertz"],
  ["%", "percent"],
]);

/**
 * A unit as Prometheus spells it out at the end of names: `ms` is `milliseconds`, `By/s` is `bytes_per_second`. Undefined for what has
 * no unit: `1`, nothing, and annotations such as `{request}`.
 */
export function unitWord(unit: string | undefined): string | undefined {
  const plain = unit?.replace(/\{[^{}]*\}/g, "") ?? "";
  const [counted = "", per] = plain.split("/", 2);
  const word = wordOf(counted);
  if (per === undefined || wordOf(per) === undefined) return word;
  const one = wordOf(per)?.replace(/s$/, "");
  return word === undefined ? `per_${one}` : `${word}_per_${one}`;
}

function wordOf(code: string): string | undefined {
  if (code === "" || code === "1") return undefined;
  const word = (words.get(code) ?? code).replace(/[^a-zA-Z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  return word === "" ? undefined : word;
}

/** How a field's value says a time. `auto` takes ISO 8601, the access-log form, or epoch digits by their magnitude, decided by the caller from samples. */
export type TimeFormat = "iso" | "clf" | "s" | "ms" | "us" | "ns";

/** Milliseconds since 1970 UTC (with fraction), or undefined when the value is not a time of that format. */
export function compileTime(_format: TimeFormat): (value: unknown) => number | undefined {
  throw new Error("in work");
}

import { integerOption, OptionError } from "../base/index.js";
import type { Definition } from "./definition.js";
import type { MetricOptions, WindowOptions } from "./options.js";
import type { GaugeMerge } from "./snapshot.js";

/** What metrics have that do not say otherwise; the same in all threads, so kept in shared memory. */
export interface SeriesDefaults {
  readonly seriesMax: number;
  readonly idleMs: number | undefined;
}

/** Of what registries say about themselves; two metrics of one name are none that another process would believe. */
const ownPrefix = "poundlock_metrics_";

/** @throws OptionError */
export function defineMetric(
  name: string,
  options: MetricOptions,
  defaults: SeriesDefaults,
): Omit<Definition, "kind"> {
  if (typeof name !== "string" || name === "")
    throw new OptionError("name", "Cannot register metric: its name is empty");
  if (name.startsWith(ownPrefix))
    throw new OptionError("name", `Cannot register metric ${name}: ${ownPrefix}… are the registry's own`);
  const labels = options.labels ?? [];
  // What gets into shared memory stays there, and every scrape of every thread reads it.
  if (!Array.isArray(labels) || !labels.every(isText))
    throw new OptionError("labels", `Cannot register metric ${name}: its labels are no list of names`);
  for (const what of ["help", "unit"] as const)
    if (options[what] !== undefined && !isText(options[what]))
      throw new OptionError(what, `Cannot register metric ${name}: its ${what} is no text`);
  if (new Set(labels).size !== labels.length)
    throw new OptionError("labels", `Cannot register metric ${name}: it has a label twice`);
  const idleMs = idleOption(options.idleMs) ?? defaults.idleMs;
  return {
    name,
    help: options.help ?? "",
    ...(options.unit === undefined ? {} : { unit: options.unit }),
    labels,
    seriesMax: options.seriesMax === undefined ? defaults.seriesMax : seriesOption(options.seriesMax),
    ...(idleMs === undefined ? {} : { idleMs }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** @throws OptionError */
export function acrossOption(value: GaugeMerge = "latest"): GaugeMerge {
  if (["latest", "sum", "min", "max"].includes(value)) return value;
  throw new OptionError("across", `Cannot use across = ${String(value)}: expected latest, sum, min or max`);
}

/** @throws OptionError */
export function timerUnitOption(value: "s" | "ms" = "s"): "s" | "ms" {
  if (value === "s" || value === "ms") return value;
  throw new OptionError("unit", `Cannot use unit = ${String(value)} for a timer: expected s or ms`);
}

export function seriesOption(value: number | undefined): number {
  return integerOption("seriesMax", value, { default: 10_000, min: 1, max: 1_000_000 });
}

export function idleOption(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  return integerOption("idleMs", value, { default: 0, min: 1000, max: Number.MAX_SAFE_INTEGER });
}

export function schemaOption(value: number | undefined): number {
  return integerOption("schema", value, { default: 5, min: -4, max: 8 });
}

export function windowOption(
  options: WindowOptions,
): Pick<Definition, "kind" | "samplesMax" | "forMs" | "slots" | "schema"> {
  if ((options.samplesMax === undefined) === (options.forMs === undefined))
    throw new OptionError("samplesMax", "Cannot register window: give either samplesMax or forMs");
  if (options.samplesMax !== undefined) {
    const samplesMax = integerOption("samplesMax", options.samplesMax, {
      default: 1000,
      min: 1,
      max: 100_000,
    });
    return { kind: "samples", samplesMax };
  }
  return {
    kind: "recent",
    forMs: integerOption("forMs", options.forMs, { default: 60_000, min: 100, max: 86_400_000 }),
    slots: integerOption("slots", options.slots, { default: 12, min: 2, max: 100 }),
    schema: schemaOption(options.schema),
  };
}

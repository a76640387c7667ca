import { z } from "zod";
import type { Config } from "./config.js";
import { checkUnit, durationExpected, parseDuration, parseSize, sizeExpected } from "./units.js";

/** What a check of ours adds to an issue of zod's. */
export interface Advice {
  readonly message: string;
  readonly expected: string;
  readonly fix: string;
  readonly code?: "CONFIG_UNIT";
}

function advised<T>(schema: z.ZodType<T>, advise: (value: T) => Advice | undefined): z.ZodType<T> {
  return schema.superRefine((value, context) => {
    const advice = advise(value);
    if (advice !== undefined)
      context.addIssue({ code: "custom", message: advice.message, params: { advice } });
  });
}

const nonEmpty = advised(z.string(), (value) =>
  value.trim() === ""
    ? { message: "is empty", expected: "some text", fix: "write it, or remove the line" }
    : undefined,
);

const duration = advised(z.string(), (value) => {
  if (parseDuration(value) !== undefined) return undefined;
  const digits = /^\d+/.exec(value)?.[0] ?? "1";
  return {
    message: `${JSON.stringify(value)} is not a duration`,
    expected: durationExpected,
    fix: `${digits}s        (or ${digits}m)`,
  };
});

function size(minBytes: number, maxBytes: number, range: string): z.ZodType<string | number> {
  return advised(z.union([z.string(), z.number()]), (value) => {
    const bytes = parseSize(value);
    const shown = JSON.stringify(value);
    if (bytes === undefined)
      return { message: `${shown} is not a size`, expected: sizeExpected, fix: "1MiB" };
    if (bytes >= minBytes && bytes <= maxBytes) return undefined;
    return { message: `${shown} is out of range`, expected: range, fix: range.slice(0, range.indexOf(".")) };
  });
}

const unit = advised(z.string(), (value) => {
  const check = checkUnit(value);
  if (check.kind === "ok") return undefined;
  if (check.kind === "no-unit") {
    return {
      code: "CONFIG_UNIT",
      message: `${JSON.stringify(value)} is not a unit`,
      expected: check.expected,
      fix: "unit: ms",
    };
  }
  return {
    code: "CONFIG_UNIT",
    message: `${JSON.stringify(value)} is written ${check.unit} here`,
    expected: check.unit,
    fix: `unit: ${check.unit}`,
  };
});

const name = advised(z.string(), (value) =>
  /^[\p{L}_@][\p{L}\p{N}_.:@-]{0,99}$/u.test(value)
    ? undefined
    : {
        message: `${JSON.stringify(value)} cannot be a name`,
        expected: "a letter, then letters, digits and _ . : -, at most 100",
        fix: value.replace(/[^\p{L}\p{N}_.:-]+/gu, "_").replace(/^[^\p{L}_]+/u, "") || "app",
      },
);

const names = z.union([z.string(), z.array(z.string())]);
const groupsMax = z.int().min(1).max(1_000_000);
const windows = z.array(duration).min(1).max(10);

const timeFormat = z.enum(["iso", "clf", "s", "ms", "us", "ns"]);

const fileSource = z.strictObject({
  type: z.literal("file"),
  path: z.union([nonEmpty, z.array(nonEmpty).min(1)]),
  format: nonEmpty.exactOptional(),
  time: z
    .union([nonEmpty, z.strictObject({ field: nonEmpty, format: timeFormat.exactOptional() })])
    .exactOptional(),
  where: nonEmpty.exactOptional(),
  from: z.enum(["start", "end"]).exactOptional(),
  lineBytesMax: size(1_024, 67_108_864, "1KiB..64MiB").exactOptional(),
});

const metricBase = {
  from: names.exactOptional(),
  by: names.exactOptional(),
  where: nonEmpty.exactOptional(),
  groupsMax: groupsMax.exactOptional(),
  windows: windows.exactOptional(),
};

const count = z.strictObject({ kind: z.enum(["count", "rate"]), ...metricBase });

const value = z.strictObject({
  kind: z.enum(["sum", "gauge", "distribution"]),
  ...metricBase,
  value: nonEmpty,
  unit,
});

const ratio = z.strictObject({
  kind: z.literal("ratio"),
  of: nonEmpty,
  where: nonEmpty,
  groupsMax: groupsMax.exactOptional(),
  windows: windows.exactOptional(),
});

const stateBytesMax = size(1_048_576, 1_099_511_627_776, "1MiB..1024GiB").exactOptional();

const lmdbStore = z.strictObject({
  type: z.literal("lmdb"),
  path: nonEmpty.exactOptional(),
  durability: z.enum(["always", "interval"]).exactOptional(),
  stateBytesMax,
});
const memoryStore = z.strictObject({ type: z.literal("memory"), stateBytesMax });

const portText = advised(z.string(), (value) =>
  /^\d{1,5}$/.test(value) && Number(value) <= 65_535
    ? undefined
    : {
        message: `${JSON.stringify(value)} is not a port`,
        expected: "a whole number, 0..65535",
        fix: "port: 4600",
      },
);

const hostName = advised(z.string(), (value) =>
  /^[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,252})$/u.test(value)
    ? undefined
    : {
        message: `${JSON.stringify(value)} is not a host's name`,
        expected: "a name without scheme, port and path",
        fix: value.replace(/^[a-z]+:\/\//i, "").replace(/[:/].*$/, "") || "poundlock.example.com",
      },
);

const server = z.strictObject({
  host: nonEmpty.exactOptional(),
  port: z.union([z.int().min(0).max(65_535), portText]).exactOptional(),
  token: nonEmpty.exactOptional(),
  allowedHosts: z.union([hostName, z.array(hostName).min(1)]).exactOptional(),
});

const selfDuration = advised(duration, (value) => {
  const ms = parseDuration(value);
  if (ms === undefined || (ms >= 1000 && ms <= 3_600_000)) return undefined;
  return { message: `${value} is outside of 1s..1h`, expected: "a duration, 1s..1h", fix: "every: 10s" };
});

export const schema: z.ZodType<Config> = z.strictObject({
  version: z.literal(1),
  sources: z.record(name, z.discriminatedUnion("type", [fileSource])),
  metrics: z.record(name, z.discriminatedUnion("kind", [count, value, ratio])).exactOptional(),
  store: z.discriminatedUnion("type", [lmdbStore, memoryStore]).exactOptional(),
  server: server.exactOptional(),
  self: z.strictObject({ every: selfDuration.exactOptional() }).exactOptional(),
});

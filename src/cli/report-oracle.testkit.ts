/** What was asked of a report, with the condition as code instead of CEL. */
export interface Asked {
  readonly by: readonly string[];
  readonly values: readonly string[];
  readonly where?: (event: Record<string, unknown>) => boolean;
}

export interface Expected {
  readonly accepted: number;
  readonly settled: number;
  readonly dead: number;
  readonly dropped: number;
  /** Sorted; one for each group with events. */
  readonly groups: readonly {
    readonly by: readonly (string | null)[];
    readonly events: number;
    /** For each value asked for, those observed, ascending. */
    readonly observed: readonly (readonly number[])[];
  }[];
}

/** Computes a report's answer in the plainest way there is, and by nothing of the product's. */
export function expectedReport(files: readonly Buffer[], asked: Asked): Expected {
  const counts = { accepted: 0, settled: 0, dead: 0, dropped: 0 };
  const groups = new Map<string, { by: (string | null)[]; events: number; observed: number[][] }>();
  for (const record of files.flatMap(recordsOf)) {
    counts.accepted += 1;
    if (record === undefined) counts.dead += 1;
    else if (asked.where !== undefined && !asked.where(record)) counts.dropped += 1;
    else {
      const numbers = asked.values.map((path) => toNumber(find(record, path.split("."))));
      if (numbers.includes("bad")) counts.dead += 1;
      else {
        counts.settled += 1;
        const by = asked.by.map((path) => toGroup(find(record, path.split("."))));
        const key = JSON.stringify(by);
        const group = groups.get(key) ?? { by, events: 0, observed: asked.values.map(() => []) };
        groups.set(key, group);
        group.events += 1;
        for (const [i, number] of numbers.entries())
          if (typeof number === "number") group.observed[i]!.push(number);
      }
    }
  }
  for (const { observed } of groups.values()) for (const list of observed) list.sort((a, b) => a - b);
  return { ...counts, groups: [...groups.values()].sort((a, b) => compare(a.by, b.by)) };
}

/** Events of a file; undefined for what is none. */
function recordsOf(file: Buffer): (Record<string, unknown> | undefined)[] {
  const lines = file
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, ""));
  return lines
    .filter((line) => !/^[ \t]*$/.test(line))
    .flatMap((line) => {
      try {
        const parsed: unknown = JSON.parse(line);
        return (Array.isArray(parsed) ? parsed : [parsed]).map((value: unknown) =>
          typeof value === "object" && value !== null && !Array.isArray(value)
            ? (value as Record<string, unknown>)
            : undefined,
        );
      } catch {
        return [undefined];
      }
    });
}

/** Deeper nestings first: the first key alone and then the rest, or else all keys as one. */
export function find(value: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const entries = new Map<string, unknown>(Object.entries(value));
  const [first = "", ...rest] = keys;
  const inside = entries.has(first) ? find(entries.get(first), rest) : undefined;
  return inside === undefined && !Array.isArray(value) ? entries.get(keys.join(".")) : inside;
}

function toGroup(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : `${value}`;
}

function toNumber(value: unknown): number | "absent" | "bad" {
  if (value === undefined || value === null) return "absent";
  const isText = typeof value === "string" && /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(value);
  const number = typeof value === "number" || isText ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : "bad";
}

function compare(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i] ?? null;
    if (left === right) continue;
    if (left === null) return -1;
    return right === null ? 1 : Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return 0;
}

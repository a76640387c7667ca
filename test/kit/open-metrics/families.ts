import { type Line, OpenMetricsError, parseLines, type Sample } from "./grammar.js";

export type FamilyType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "stateset"
  | "info"
  | "summary"
  | "unknown";

export interface Family {
  readonly name: string;
  readonly type: FamilyType;
  readonly unit: string;
  readonly help: string;
  /** Metadata words in their order. */
  readonly metadata: readonly string[];
  readonly samples: readonly Sample[];
}

/** What a family's samples may be called (OpenMetrics 1.0, "Suffixes"). */
export const suffixesOf: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: ["_total", "_created"],
  summary: ["_count", "_sum", "_created", ""],
  histogram: ["_count", "_sum", "_bucket", "_created"],
  gaugehistogram: ["_gcount", "_gsum", "_bucket"],
  info: ["_info"],
  gauge: [""],
  stateset: [""],
  unknown: [""],
};

type Draft = { -readonly [K in keyof Family]: Family[K] } & { metadata: string[]; samples: Sample[] };

/**
 * The families of a text, each whole: families must not be interleaved, metadata comes before samples and once, and nobody's sample could
 * be another's. @throws OpenMetricsError
 */
export function familiesOf(text: string): Family[] {
  const families: Draft[] = [];
  for (const line of parseLines(text)) {
    if (line.kind === "metadata") addMetadata(families, line);
    else addSample(families, line.sample);
  }
  checkClashes(families);
  return families;
}

function addMetadata(families: Draft[], line: Line & { kind: "metadata" }): void {
  let family = families.at(-1);
  if (family === undefined || family.name !== line.name) {
    family = { name: line.name, type: "unknown", unit: "", help: "", metadata: [], samples: [] };
    families.push(family);
  }
  const shown = `# ${line.word} ${line.name} ${line.text}`;
  if (family.samples.length > 0) throw new OpenMetricsError("metadata must come before samples", shown);
  if (family.metadata.includes(line.word))
    throw new OpenMetricsError("a family must not have metadata twice", shown);
  family.metadata.push(line.word);
  if (line.word === "TYPE") family.type = line.text as FamilyType;
  else if (line.word === "UNIT") family.unit = line.text;
  else family.help = line.text;
}

function addSample(families: Draft[], sample: Sample): void {
  const family = families.at(-1);
  if (
    family !== undefined &&
    suffixesOf[family.type].some((suffix) => family.name + suffix === sample.name)
  ) {
    family.samples.push(sample);
    return;
  }
  families.push({
    name: sample.name,
    type: "unknown",
    unit: "",
    help: "",
    metadata: [],
    samples: [sample],
  });
}

function checkClashes(families: readonly Family[]): void {
  const names = new Set<string>();
  const sampleNames = new Set<string>();
  for (const { name, type } of families) {
    const own = suffixesOf[type].map((suffix) => name + suffix);
    if (names.has(name) || own.some((one) => sampleNames.has(one)))
      throw new OpenMetricsError(
        "families must not be interleaved, nor share a name or a sample's name",
        name,
      );
    names.add(name);
    for (const one of own) sampleNames.add(one);
  }
}

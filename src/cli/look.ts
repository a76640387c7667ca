import { basename } from "node:path";
import {
  readSample,
  sampleLinesMax,
  type Understanding,
  type UnderstandOptions,
  understand,
} from "../config/index.js";
import { findFiles } from "../tail/index.js";

/** Files looked at: enough to see a folder's mix, few enough to be quick. */
const filesMax = 8;

/** What the lines of some files say; several files are looked at together. */
export async function understandFiles(
  patterns: readonly string[],
  options: Pick<UnderstandOptions, "format" | "time">,
): Promise<{ readonly label: string; readonly found: Understanding }> {
  const { paths } = await findFiles(patterns);
  const looked = paths.slice(0, filesMax);
  const samples = await Promise.all(
    // One that cannot be read is said when it is read in earnest.
    looked.map((path) => readSample(path, Math.ceil(sampleLinesMax / looked.length)).catch(() => [])),
  );
  const found = understand(samples.flat(), {
    ...(options.format === undefined ? {} : { format: options.format }),
    ...(options.time === undefined ? {} : { time: options.time }),
  });
  const [first = patterns[0] ?? ""] = paths;
  const label = paths.length > 1 ? `${basename(first)} and ${paths.length - 1} more` : basename(first);
  return { label, found };
}

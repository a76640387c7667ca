import { Discoverer } from "./discovery.js";

/** What patterns name at this moment, without following any of it. */
export interface FoundFiles {
  /** Files, in the order of the patterns and then of the names. */
  readonly paths: readonly string[];
  /** Patterns and files that cannot be read, with the reason. */
  readonly problems: ReadonlyMap<string, string>;
}

/** @throws PatternError when a pattern cannot be read as a glob */
export async function findFiles(patterns: readonly string[]): Promise<FoundFiles> {
  const { files, problems } = await new Discoverer(patterns).find();
  return { paths: files.map(({ path }) => path), problems };
}

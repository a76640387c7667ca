import { fileURLToPath } from "node:url";

/** The repository's root, with a closing separator. */
export const rootDir = fileURLToPath(new URL("../", import.meta.url));

/** `path`, relative to the root, as an absolute path. */
export function inRoot(path) {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

import { readFileSync } from "node:fs";

/** Version of this package, from its package.json. */
export const packageVersion: string = readVersion();

function readVersion(): string {
  // dist/src/engine/version.js → package.json of the package
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { codeOf } from "../base/index.js";

export interface WebFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** The dashboard as scripts/build-web.mjs makes it, held in memory: three small files. */
export interface WebFiles {
  /** Text of index.html. */
  readonly page: string;
  readonly assets: ReadonlyMap<string, WebFile>;
}

const assetTypes: Readonly<Record<string, string>> = {
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
  "favicon.svg": "image/svg+xml",
};

/** Where the build puts the dashboard: dist/web beside dist/src. */
export const webDirectory: string = fileURLToPath(new URL("../../web/", import.meta.url));

/** The files, or `undefined` when the dashboard was not built. */
export async function loadWebFiles(directory: string): Promise<WebFiles | undefined> {
  try {
    const page = await readFile(`${directory}/index.html`, "utf8");
    const assets = await Promise.all(
      Object.entries(assetTypes).map(async ([name, type]): Promise<[string, WebFile]> => {
        const bytes = await readFile(`${directory}/${name}`);
        const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
        return [name, { bytes, type, etag }];
      }),
    );
    return { page, assets: new Map(assets) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

import { constants, createWriteStream } from "node:fs";
import { access, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf, messageOf } from "../base/index.js";
import { InputError } from "./errors.js";

/** What an operand that is no existing path may be: a pattern for the tail to expand. */
const isGlob = (path: string): boolean => /[*?[{]/.test(path);

/** @throws InputError naming the first operand that is missing or unreadable */
export async function checkInputs(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await access(path, constants.R_OK);
      if (/\.(?:gz|bz2|xz|zst)$/i.test(path) && (await stat(path)).isFile()) {
        throw new InputError(path, "it is compressed", { hint: `zcat ${path} | poundlock report -` });
      }
    } catch (error) {
      if (error instanceof InputError) throw error;
      const code = codeOf(error);
      if (code === "ENOENT" && isGlob(path)) continue;
      const why = {
        ENOENT: "there is no such file",
        ENOTDIR: "there is no such file",
        EACCES: "permission denied",
      }[code];
      throw new InputError(path, why ?? messageOf(error), { cause: error });
    }
  }
}

/** A temporary file, gone with everything around it when disposed of. */
export interface Spool extends AsyncDisposable {
  readonly path: string;
}

/** Writes what a pipe brings into a temporary file, since ranges are read by their offsets. */
export async function spool(input: Readable): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-"));
  const path = join(folder, "stdin");
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(input, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await remove();
    throw new InputError("standard input", messageOf(error), { cause: error });
  }
  return { path, [Symbol.asyncDispose]: remove };
}

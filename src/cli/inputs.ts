import { constants, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf, messageOf } from "../base/index.js";
import { findFiles } from "../tail/index.js";
import type { Context } from "./context.js";
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

/** Whether a path leads to something that is read once and gone. Other devices never end. */
export async function isPipe(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return false;
  return stats.isFIFO() || stats.isSocket() || (stats.isCharacterDevice() && endingDevices.has(path));
}

const standardInputs = new Set(["-", "/dev/stdin", "/dev/fd/0"]);
const endingDevices = new Set([...standardInputs, "/dev/null"]);

/** Operands as paths of files that can be read by offset, and the copies of pipes among them. */
export interface Inputs extends Disposable {
  readonly paths: readonly string[];
  /** What the user calls a path. */
  nameOf(path: string): string;
}

/**
 * Makes every operand readable by offset: `-` and named pipes are copied to a temporary folder that goes when disposed of, and
 * also when the process ends before.
 *
 * @throws InputError when an operand is missing, unreadable, or names no file at all
 */
export async function openInputs(
  operands: readonly string[],
  standardInput: Readable,
  context: Pick<Context, "exitNow">,
): Promise<Inputs> {
  await checkInputs(operands.filter((operand) => operand !== "-"));
  const spools = new Spools(context.exitNow);
  const names = new Map<string, string>();
  try {
    const paths: string[] = [];
    for (const operand of operands) {
      const isCopied = operand === "-" || (await isPipe(operand));
      const path = isCopied ? await spools.copy(operand, standardInput) : operand;
      if (isCopied) names.set(path, nameOf(operand));
      else await refuseNothing(operand);
      paths.push(path);
    }
    return {
      paths,
      nameOf: (path) => names.get(path) ?? path,
      [Symbol.dispose]: () => spools[Symbol.dispose](),
    };
  } catch (error) {
    spools[Symbol.dispose]();
    throw error;
  }
}

function nameOf(operand: string): string {
  return standardInputs.has(operand) ? "standard input" : operand;
}

/** Numbers of nothing look like numbers, so a folder or glob that names no file is an error, as a file that is missing is. */
async function refuseNothing(operand: string): Promise<void> {
  const { paths, problems } = await findFiles([operand]);
  if (paths.length > 0) return;
  const stats = await stat(operand).catch(() => undefined);
  if (stats === undefined) throw new InputError(operand, "no file matches it");
  if (!stats.isDirectory()) throw new InputError(operand, [...problems.values()][0] ?? "it is no file");
  throw new InputError(operand, "there is no file in this folder that could be read", {
    hint: `poundlock report '${join(operand, "**")}' reads the folders in it too; compressed files are not read`,
  });
}

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A temporary folder with copies of what came through pipes, since ranges are read by their offsets. */
class Spools implements Disposable {
  readonly #exitNow: Context["exitNow"];
  #folder: string | undefined;
  #copies = 0;

  constructor(exitNow: Context["exitNow"]) {
    this.#exitNow = exitNow;
  }

  async copy(operand: string, standardInput: Readable): Promise<string> {
    try {
      const folder = this.#ensureFolder();
      this.#copies += 1;
      const path = join(folder, `${this.#copies}-${basename(nameOf(operand))}`);
      // A pipe that is a socket cannot be opened by its path.
      const input = standardInputs.has(operand)
        ? standardInput
        : (await open(operand, "r")).createReadStream();
      await pipeline(input, createWriteStream(path, { mode: 0o600 }));
      return path;
    } catch (error) {
      throw new InputError(nameOf(operand), messageOf(error), { cause: error });
    }
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    for (const signal of Object.keys(signals)) process.off(signal, this.#stop);
    this.#remove();
  }

  #ensureFolder(): string {
    if (this.#folder === undefined) {
      // Listened for before there is a folder, so that no signal falls between.
      process.on("exit", this.#remove);
      for (const signal of Object.keys(signals)) process.on(signal, this.#stop);
      this.#folder = mkdtempSync(join(tmpdir(), "poundlock-"));
    }
    return this.#folder;
  }

  readonly #remove = (): void => {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  };

  readonly #stop = (signal: keyof typeof signals): void => {
    this.#exitNow(signals[signal]);
  };
}

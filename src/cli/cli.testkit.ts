import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import type { TestContext } from "node:test";
import { systemClock } from "../base/index.js";
import { run } from "./run.js";
import { Terminal } from "./terminal.js";

/** A folder that is removed after the test, with files in it. */
export async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "poundlock-cli-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, as the program would. */
export async function runHere(
  args: readonly string[],
  options: {
    readonly folder?: string;
    readonly columns?: number;
    readonly environment?: Record<string, string>;
  } = {},
): Promise<Outcome> {
  const out = new Capture();
  const err = new Capture();
  const environment = { COLUMNS: String(options.columns ?? 80), ...options.environment };
  const code = await run(args, {
    terminal: new Terminal({ out, err, environment }),
    clock: systemClock,
    environment,
    folder: options.folder ?? tmpdir(),
    startMs: systemClock.monotonicMs(),
    exitNow: () => {},
  });
  return { code, out: out.text, err: err.text };
}

class Capture extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}

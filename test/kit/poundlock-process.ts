import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "./until.js";

const bin = fileURLToPath(new URL("../../../bin/poundlock.js", import.meta.url));

/** The program itself, in a process of its own. */
export class PoundlockProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  out = "";
  err = "";
  readonly #ended: Promise<unknown[]>;

  constructor(args: readonly string[], options: { readonly cwd: string; readonly stdin?: string }) {
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    this.child = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd,
      env: { ...env, NO_COLOR: "1", COLUMNS: "80" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    this.#ended = once(this.child, "close");
    this.child.stdin?.end(options.stdin ?? "");
  }

  /** The line that a server prints when it is ready, with `--json`. */
  async started(): Promise<{ readonly pid: number; readonly url: string; readonly port: number }> {
    const line = await until(
      "the server has started",
      () => {
        if (this.child.exitCode !== null)
          throw new Error(`It ended with ${this.child.exitCode}: ${this.err}`);
        return this.out.includes("\n") ? this.out.slice(0, this.out.indexOf("\n")) : undefined;
      },
      30_000,
    );
    return JSON.parse(line) as { pid: number; url: string; port: number };
  }

  /** Exit code, or the name of the signal that ended it. */
  async ended(): Promise<number | string> {
    const [code, signal] = await this.#ended;
    return (code ?? signal) as number | string;
  }

  stop(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.#ended;
  }
}

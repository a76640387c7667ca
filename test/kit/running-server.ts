import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GroupAnswer } from "../../src/pipeline/index.js";
import type { LedgerRow } from "../../src/store/index.js";
import { until } from "./until.js";

const bin = fileURLToPath(new URL("../../../bin/poundlock.js", import.meta.url));
const startMsMax = 60_000;
const writeMsMax = 1_000;

interface Given {
  /** Options of Node.js itself. */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `poundlock up` in a folder, as a person would run it, and the server that it is. */
export class RunningServer {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #stderr: () => string;

  private constructor(child: ChildProcess, run: { port: number; token: string }, stderr: () => string) {
    this.#child = child;
    this.#url = `http://127.0.0.1:${run.port}`;
    this.#headers = { authorization: `Bearer ${run.token}` };
    this.#stderr = stderr;
  }

  static async start(folder: string, given: Given = {}): Promise<RunningServer> {
    const { execArgv = [], env = {} } = given;
    const command = [...execArgv, bin, "up", "-c", "poundlock.yaml", "--port", "0"];
    const child = spawn(process.execPath, command, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-20_000);
    });
    const run = await until(
      "the server has said where it listens",
      () => {
        assert.equal(child.exitCode, null, `up ended by itself:\n${stderr}`);
        const run = readRun(folder);
        return run?.pid === child.pid && run;
      },
      startMsMax,
    );
    return new RunningServer(child, run, () => stderr);
  }

  get pid(): number {
    return this.#child.pid ?? assert.fail("it has no process");
  }

  /** Bytes that the process has read from anywhere so far; undefined where the system doesn't say. */
  bytesRead(): number | undefined {
    if (process.platform !== "linux") return undefined;
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${this.#child.pid}/io`, "utf8"))?.[1]);
  }

  async ledger(): Promise<LedgerRow> {
    const { sources } = (await this.#get("ledger")) as { sources: readonly LedgerRow[] };
    assert.equal(sources.length <= 1, true);
    const none = { accepted: 0, settled: 0, dead: 0, dropped: 0, unaccounted: 0, bytes: 0 };
    return sources[0] ?? (none as LedgerRow);
  }

  /** Totals of a count by its groups' values, joined by a space. */
  async totals(metric: string): Promise<Map<string, number>> {
    const { groups, groupsLeftOut } = (await this.#get(`query?metric=${metric}&window=all&groups=10000`)) as {
      groups: readonly GroupAnswer[];
      groupsLeftOut: number;
    };
    assert.equal(groupsLeftOut, 0);
    return new Map(groups.map(({ by, value }) => [Object.values(by).join(" "), value ?? 0]));
  }

  /**
   * Kills the process at its next write to the file, within microseconds, so that whatever takes two writes is caught
   * between them; or without one when none comes soon.
   * @returns bytes that it had read
   */
  async killAtWrite(file: string): Promise<number | undefined> {
    const exited = once(this.#child, "exit");
    const look = (): bigint => statSync(file, { bigint: true }).mtimeNs;
    const before = look();
    const endsAtMs = performance.now() + writeMsMax;
    // Not a wait for an event: that would come long after the write.
    while (look() === before && performance.now() < endsAtMs);
    // A dead process tells no numbers, one that is stopped does nothing more either.
    this.#child.kill("SIGSTOP");
    const bytesRead = this.bytesRead();
    this.#child.kill("SIGKILL");
    const [code, signal] = await exited;
    assert.equal(signal, "SIGKILL", `it had ended by itself with ${code}:\n${this.#stderr()}`);
    return bytesRead;
  }

  /** Ends the process if it still runs, as after a test that failed. */
  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const [code] = await exited;
    assert.equal(code, 0, this.#stderr());
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`, { headers: this.#headers }).catch(
      (error: unknown) => {
        throw new Error(`Cannot ask ${path}: ${String(error)}\n${this.#stderr()}`);
      },
    );
    assert.equal(answer.status, 200, path);
    return answer.json();
  }
}

function readRun(folder: string): { pid: number; port: number; token: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, ".poundlock", "run.json"), "utf8")) as ReturnType<
      typeof readRun
    >;
  } catch {
    return undefined;
  }
}

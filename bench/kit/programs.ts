import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** A whole program, from its start to its end. */
export interface Measured {
  readonly wallS: number;
  readonly rssMiB: number;
}

/** Wall time from spawn to exit, and the largest resident size that the kernel saw (0 where it does not say). */
export function measure([command = "", ...args]: readonly string[]): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let rssMiB = 0;
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    const poll = setInterval(() => {
      rssMiB = Math.max(rssMiB, peakRssMiB(child.pid ?? 0));
    }, 25);
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(poll);
      const wallS = (performance.now() - startedMs) / 1000;
      if (code === 0) resolve({ wallS, rssMiB });
      else reject(new Error(`${command} ended with ${code}: ${errors}`));
    });
  });
}

/** Largest resident size of a running process so far; 0 where the system doesn't say. */
export function peakRssMiB(pid: number): number {
  try {
    const kiB = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kiB === undefined ? 0 : Number(kiB) / 1024;
  } catch {
    return 0; // not Linux, or it has just ended
  }
}

/** Reads the file once, so that nobody pays for the disk. */
export function warmPageCache(file: string): void {
  const descriptor = openSync(file, "r");
  const buffer = Buffer.alloc(8 * 1024 * 1024);
  while (readSync(descriptor, buffer, 0, buffer.length, null) > 0);
  closeSync(descriptor);
}

/** Whether the command can be started here. */
export function exists(command: string): boolean {
  return command === process.execPath || spawnSync(command, ["--version"]).error === undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** To two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

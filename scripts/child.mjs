import { spawn, spawnSync } from "node:child_process";
import { rootDir } from "./paths.mjs";

/** Runs a command to its end on this terminal; returns its exit code (1 when a signal ended it). */
export function runHere(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: rootDir, stdio: "inherit", ...options });
  if (error !== undefined) {
    process.stderr.write(`Cannot run ${command}: ${error.message}\n`);
    return 1;
  }
  return status ?? 1;
}

/** Like runHere, but nothing after it runs when it fails. */
export function runOrExit(command, args, options = {}) {
  const status = runHere(command, args, options);
  if (status !== 0) process.exit(status);
}

/**
 * Runs a command in a process group of its own until it ends or `limitMs` have passed; then the group is killed by id,
 * so that whatever the command started ends with it.
 * @returns its exit code, and whether the limit ended it
 */
export function runGroup(command, args, { limitMs, ...options }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: rootDir, stdio: "inherit", detached: true, ...options });
    let isPastLimit = false;
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        // Gone already; macOS says EPERM for a group whose members are all dead.
        if (error.code !== "ESRCH" && error.code !== "EPERM") throw error;
      }
    };
    const timer = setTimeout(() => {
      isPastLimit = true;
      kill("SIGKILL");
    }, limitMs);
    const forward = (signal) => kill(signal);
    process.on("SIGINT", forward).on("SIGTERM", forward);
    const finish = (status) => {
      clearTimeout(timer);
      process.off("SIGINT", forward).off("SIGTERM", forward);
      kill("SIGKILL");
      resolve({ status, isPastLimit });
    };
    child.once("error", (error) => {
      process.stderr.write(`Cannot run ${command}: ${error.message}\n`);
      resolve({ status: 1, isPastLimit: false });
      clearTimeout(timer);
    });
    child.once("exit", (code) => finish(code ?? 1));
  });
}

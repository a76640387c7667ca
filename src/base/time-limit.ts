import { createContext, runInContext } from "node:vm";
import { codeOf } from "./errors.js";

/** What `runWithin` answers when the time was over. */
export const timeOver: unique symbol = Symbol("time over");

/**
 * Runs synchronous work of somebody else's making (a regular expression that may try every way to split a line) and stops it in the
 * middle when it takes longer than `limitMs`, which nothing but the engine can do.
 *
 * @throws what the work throws
 */
export function runWithin<T>(limitMs: number, work: () => T): T | typeof timeOver {
  // The engine stops what it started itself, so the work is called from a script; it stays a function of this realm.
  const context = createContext({ work });
  try {
    return runInContext("work()", context, { timeout: limitMs }) as T;
  } catch (error) {
    if (codeOf(error) === "ERR_SCRIPT_EXECUTION_TIMEOUT") return timeOver;
    throw error;
  }
}

import type { Clock } from "../base/index.js";
import type { Terminal } from "./terminal.js";

/** What a command has to do with the world; tests give their own. */
export interface Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths and `.poundlock` are in. */
  readonly folder: string;
  /** When the process started, by the clock's monotonic time. */
  readonly startMs: number;
  /** Ends the process at once, without any clean end. */
  exitNow(code: number): void;
  /** Sets what the process ends with, once the command is done. */
  exitCode(code: number): void;
}

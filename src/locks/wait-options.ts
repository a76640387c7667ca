import { OptionError } from "../base/index.js";
import type { WaitOptions } from "./parts.js";

/** @throws OptionError for a wait of less than nothing */
export function assertWaitMs({ waitMs }: WaitOptions): void {
  if (waitMs === undefined || waitMs >= 0) return;
  throw new OptionError("waitMs", `Cannot use waitMs = ${waitMs}: expected milliseconds from 0 to Infinity`);
}

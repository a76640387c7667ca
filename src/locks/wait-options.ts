import { OptionError } from "../base/index.js";
import type { Hold, WaitOptions } from "./parts.js";

/** @throws OptionError for a wait of less than nothing */
export function assertWaitMs({ waitMs }: WaitOptions): void {
  if (waitMs === undefined || waitMs >= 0) return;
  throw new OptionError("waitMs", `Cannot use waitMs = ${waitMs}: expected milliseconds from 0 to Infinity`);
}

/** What the caller says that it holds. */
export function holdsOf(holding: WaitOptions["holding"]): readonly Hold[] {
  if (holding === undefined) return [];
  return Array.isArray(holding) ? (holding as readonly Hold[]) : [holding as Hold];
}

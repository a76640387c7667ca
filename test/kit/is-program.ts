import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether the module is what `node` was started with, and not imported by it. */
export function isProgram(moduleUrl: string): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(moduleUrl);
}

import { createRequire } from "node:module";

export type PromClient = typeof import("prom-client");

/**
 * prom-client, or its successor of nearly the same interface, which has a folder of its own because it excludes Node.js 20;
 * undefined where that is not installed.
 */
export async function promClient(name: string): Promise<PromClient | undefined> {
  if (name === "prom-client") return (await import("prom-client")).default;
  const folder = new URL("../../../bench/peers/prometheus-client/package.json", import.meta.url);
  const require = createRequire(folder);
  try {
    return require("@prometheus-io/client") as PromClient;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

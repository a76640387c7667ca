import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from "node:worker_threads";
import { layoutVersion } from "./memory/layout.js";

/**
 * A registry's memory, handed to threads that are started later without a message and without anybody passing it on: Node copies a
 * thread's environment data to each thread that it starts, and so to those that these start. Another version of the layout has
 * other keys, so that two versions of this package in one process have a registry each instead of destroying one.
 */
export function inheritedBuffer(name: string): SharedArrayBuffer | undefined {
  if (isMainThread) return undefined;
  const found: unknown = getEnvironmentData(keyOf(name));
  return found instanceof SharedArrayBuffer ? found : undefined;
}

/** From now on, each thread that this one starts finds the buffer. */
export function handDown(name: string, buffer: SharedArrayBuffer): void {
  setEnvironmentData(keyOf(name), buffer);
  setEnvironmentData(parentKey, threadId);
}

const parentKey = `poundlock.metrics/${layoutVersion} thread`;
const inheritedParent: unknown = isMainThread ? undefined : getEnvironmentData(parentKey);

/** Id of the nearest thread above this one that has opened a registry. */
export function parentThread(): number | undefined {
  return typeof inheritedParent === "number" && inheritedParent !== threadId ? inheritedParent : undefined;
}

/** Open registries of this thread, whichever copy of the package opened them. */
export function openHere<T>(): Map<string, T> {
  const key = Symbol.for(`poundlock.metrics/${layoutVersion}`);
  const shared = globalThis as unknown as Record<symbol, Map<string, T> | undefined>;
  return (shared[key] ??= new Map());
}

/** The opposite of both. */
export function forget(name: string, registry: { readonly buffer: SharedArrayBuffer }): void {
  const open = openHere<unknown>();
  if (open.get(name) !== registry) return;
  open.delete(name);
  setEnvironmentData(keyOf(name), undefined);
}

function keyOf(name: string): string {
  return `poundlock.metrics/${layoutVersion}/${name}`;
}

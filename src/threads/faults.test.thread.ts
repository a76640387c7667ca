import { readFileSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
import { OptionError } from "../base/index.js";
import { serveTasks } from "./index.js";

/** Things that happen in threads, at a test's request. Shared: [tasks begun, gate or heartbeat]. */
export type FaultTask =
  | { readonly do: "echo"; readonly value: unknown; readonly isLater?: boolean }
  | { readonly do: "wait"; readonly shared: Int32Array }
  | { readonly do: "loop"; readonly shared: Int32Array }
  | { readonly do: "regex"; readonly text: string; readonly shared: Int32Array }
  | { readonly do: "fill-memory" }
  | { readonly do: "exit"; readonly code: number }
  | { readonly do: "exit-when-idle" }
  | { readonly do: "hang-when-idle" }
  | { readonly do: "read-file"; readonly path: string; readonly shared: Int32Array }
  | { readonly do: "throw"; readonly what: "known" | "error" | "unsendable"; readonly isLater?: boolean }
  | { readonly do: "throw-uncaught" }
  | { readonly do: "answer-unsendable" }
  | { readonly do: "double"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly do: "doubled-length" }
  | { readonly do: "print"; readonly text: string }
  | { readonly do: "worker-data" };

/** How an entry behaves while it loads; `loads` counts how often it was loaded. */
export interface FaultLoad {
  readonly loads: Int32Array;
  readonly failures: number;
  readonly how: "throw" | "throw-after-serving" | "return" | "hang";
}

let doubled: Uint8Array | undefined;
const load = (workerData as { load?: FaultLoad } | undefined)?.load;
const isFailing = load !== undefined && Atomics.add(load.loads, 0, 1) < load.failures;
if (isFailing && load.how === "throw") throw new OptionError("rules", "Cannot use rules: made to fail");
if (isFailing && load.how === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
if (!isFailing || load.how !== "return") serveTasks<FaultTask, unknown>(handle);
if (isFailing && load.how === "throw-after-serving") throw new Error("made to fail late");

function handle(
  task: FaultTask,
): { result: unknown; transfer?: ArrayBuffer[] } | Promise<{ result: unknown }> {
  switch (task.do) {
    case "echo":
      return task.isLater === true ? Promise.resolve({ result: task.value }) : { result: task.value };
    case "wait":
      begin(task.shared);
      Atomics.wait(task.shared, 1, 0);
      return { result: "waited" };
    case "loop":
      begin(task.shared);
      for (;;) Atomics.add(task.shared, 1, 1);
    case "regex":
      begin(task.shared);
      return { result: /^(a+)+$/.test(task.text) };
    case "fill-memory": {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
    }
    case "exit":
      return process.exit(task.code);
    case "exit-when-idle":
      queueMicrotask(() => process.exit(3));
      return { result: "exits" };
    case "hang-when-idle":
      queueMicrotask(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
      return { result: "hangs" };
    case "read-file":
      begin(task.shared);
      return { result: readFileSync(task.path, "utf8") };
    case "throw":
      return task.isLater === true ? Promise.reject(errorOf(task.what)) : throwError(task.what);
    case "throw-uncaught":
      setImmediate(() => throwError("error"));
      return new Promise(() => {});
    case "answer-unsendable":
      return { result: () => {} };
    case "double": {
      const bytes = new Uint8Array(2 * task.bytes.length);
      doubled = bytes;
      return { result: bytes, transfer: [bytes.buffer] };
    }
    case "doubled-length":
      return { result: doubled?.length };
    case "print":
      process.stdout.write(task.text);
      process.stderr.write(task.text);
      return { result: isMainThread };
    case "worker-data":
      return { result: workerData };
  }
}

function begin(shared: Int32Array): void {
  Atomics.add(shared, 0, 1);
}

function throwError(what: "known" | "error" | "unsendable"): never {
  throw errorOf(what);
}

function errorOf(what: "known" | "error" | "unsendable"): unknown {
  if (what === "known") return new OptionError("depth", "Cannot use depth = 7: made to fail");
  if (what === "error") return new TypeError("made to fail");
  return Object.assign(new Error(), { name: () => {} });
}

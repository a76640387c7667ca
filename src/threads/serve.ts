import { type MessagePort, parentPort } from "node:worker_threads";
import { assertInvariant, packError } from "../base/index.js";
import { type Answer, ready } from "./protocol.js";

export interface Served<Result> {
  readonly result: Result;
  /** Moved to main instead of copied; must not be used in the thread afterwards. */
  readonly transfer?: readonly ArrayBuffer[];
}

/**
 * Called once by a thread's entry module: answers each task with what `handle` returns or throws.
 * From then on, what the thread prints goes to the process' stderr.
 */
export function serveTasks<Task, Result>(
  handle: (task: Task) => Served<Result> | Promise<Served<Result>>,
): void {
  const port = parentPort;
  assertInvariant(port !== null, "tasks are served by the entry module of a thread");
  // The process' stdout is for data; what is printed here goes where its messages go.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  let begun: Int32Array | undefined;
  port.on("message", (message: unknown) => {
    if (begun === undefined) {
      begun = message as Int32Array;
      return;
    }
    // Before anything of the task runs: main reads it to tell a task that hangs from one that was never taken up.
    Atomics.add(begun, 0, 1);
    answer(port, handle, message as Task);
  });
  port.on("messageerror", (error) => sendError(port, error));
  // Only once the entry module has run to its end: what it throws after this call is a failed start, not a task's.
  setImmediate(() => port.postMessage(ready));
}

function answer<Task, Result>(
  port: MessagePort,
  handle: (task: Task) => Served<Result> | Promise<Served<Result>>,
  task: Task,
): void {
  try {
    const served = handle(task);
    if (served instanceof Promise)
      served.then((value) => send(port, value)).catch((error: unknown) => sendError(port, error));
    else send(port, served);
  } catch (error) {
    sendError(port, error);
  }
}

function send<Result>(port: MessagePort, served: Served<Result>): void {
  const message: Answer<Result> = { result: served.result };
  port.postMessage(message, served.transfer ?? []);
}

function sendError(port: MessagePort, error: unknown): void {
  try {
    port.postMessage({ error: packError(error) });
  } catch (failure) {
    // What was thrown can't be sent, e.g. its message is an object; that it was thrown must arrive all the same.
    port.postMessage({ error: packError(failure) });
  }
}

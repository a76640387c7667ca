import type { PackedError } from "../base/index.js";

/**
 * What main and a thread say to each other over the thread's own port. A thread has one task at a time, so nothing needs
 * an id, and a task is one message each way.
 *
 *     main                                   thread
 *      │  Int32Array, shared: tasks begun     │   queued while the thread loads
 *      │ ───────────────────────────────────► │
 *      │                            "ready"   │   the entry module has run and serves
 *      │ ◄─────────────────────────────────── │
 *      │  task                                │   adds 1 to tasks begun, then handles
 *      │ ───────────────────────────────────► │
 *      │                             Answer   │
 *      │ ◄─────────────────────────────────── │
 */
export type Answer<Result> = { readonly result: Result } | { readonly error: PackedError };

export const ready = "ready";

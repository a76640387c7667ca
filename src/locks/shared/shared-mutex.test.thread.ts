import assert from "node:assert/strict";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { SharedMutex, type SharedMutexHandle } from "./shared-mutex.js";

/** What a thread of the tests does. `shared`: [plain counter, next number in `order`, rounds done] and then the order. */
export interface ThreadJob {
  readonly do: "count" | "count-blocking" | "hold" | "queue" | "hold-briefly" | "exit-holding" | "churn";
  readonly handle: SharedMutexHandle;
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly times: number;
}

const { do: what, handle, shared, times } = workerData as ThreadJob;
const mutex = SharedMutex.attach(handle);

/** Not atomic on purpose: it comes out right only if nobody else is inside. */
function increment(): void {
  shared[0] = shared[0]! + 1;
}

/** Not at the module's top level: a thread that is ended while such an `await` begins takes Node.js 20's whole process with it. */
async function work(): Promise<void> {
  switch (what) {
    case "count":
      for (let n = 0; n < times; n += 1) await mutex.run(increment);
      break;
    case "count-blocking":
      for (let n = 0; n < times; n += 1) {
        const hold = mutex.acquireSync();
        increment();
        hold.release();
      }
      break;
    case "hold":
      await mutex.acquire();
      parentPort!.postMessage("holds");
      parentPort!.on("message", () => undefined);
      break;
    case "hold-briefly": {
      const hold = mutex.acquireSync();
      parentPort!.postMessage("holds");
      Atomics.wait(shared, 0, 0, 100);
      hold.release();
      break;
    }
    case "exit-holding":
      await mutex.acquire();
      process.exit(3);
      break;
    case "queue": {
      const waiting = mutex.acquire();
      parentPort!.postMessage("waits");
      const hold = await waiting;
      const at = shared[1]!;
      shared[1] = at + 1;
      shared[2 + at] = threadId;
      hold.release();
      break;
    }
    case "churn":
      // Until it is ended from outside, at whatever instruction it then is.
      for (;;) {
        const hold = await mutex.acquire({ waitMs: 1, onTimeout: "undefined" });
        if (hold === undefined) continue;
        // The one that died inside has left its mark.
        if (!hold.abandoned) assert.equal(shared[0], 0, "somebody else is inside");
        shared[0] = threadId;
        Atomics.add(shared, 2, 1);
        shared[0] = 0;
        hold.release();
      }
  }
}

void work();

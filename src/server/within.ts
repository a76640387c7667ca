import type { Clock } from "../base/index.js";
import { BusyError } from "./errors.js";

/** The promise's outcome, or a BusyError when there is none after `limitMs`; the work itself goes on. */
export function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => {
      reject(new BusyError(`Cannot answer: the store has not answered for ${limitMs} ms`));
    });
    work.then(resolve, reject).finally(cancel);
  });
}

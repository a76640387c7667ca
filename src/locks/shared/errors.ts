import { PoundlockError } from "../../base/index.js";

/** Every place in the queue of a shared mutex is in use. Nothing was acquired. */
export class SharedQueueFullError extends PoundlockError {
  readonly code = "LOCK_SHARED_FULL";
  override readonly retryable = true;
  readonly lock: string;
  readonly waitersMax: number;

  constructor(lock: string, waitersMax: number) {
    super(`Cannot wait for ${lock}: all ${waitersMax} places in its queue are in use`, {
      hint: "create the mutex with a larger `waitersMax`",
    });
    this.lock = lock;
    this.waitersMax = waitersMax;
  }
}

/** A hold was released that its mutex no longer knows: its thread had been declared dead. The data may have been changed by others. */
export class SharedHoldLostError extends PoundlockError {
  readonly code = "LOCK_SHARED_LOST";
  readonly lock: string;

  constructor(lock: string) {
    super(`Cannot release ${lock}: it is no longer held by this thread`);
    this.lock = lock;
  }
}

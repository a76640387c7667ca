import type { AsyncLocalStorage } from "node:async_hooks";
import type { Frame, HeldPart } from "./parts.js";

/** Where each asynchronous task finds its frame. AsyncLocalStorage is loaded when the first frame is entered, and never for `off`. */
export class Frames {
  #storage: AsyncLocalStorage<Frame | undefined> | undefined;

  current(): Frame | undefined {
    return this.#storage === undefined ? undefined : liveFrame(this.#storage.getStore());
  }

  run<T, A>(frame: Frame | undefined, body: (argument: A) => T, argument: A): T {
    this.#storage ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)();
    return this.#storage.run(frame, body, argument);
  }
}

/** The innermost frame whose hold is still held. */
export function liveFrame(frame: Frame | undefined): Frame | undefined {
  let live = frame;
  while (live?.hold?.isReleased === true && live.guards === undefined) live = live.parent;
  return live;
}

/** Whether something between the innermost and the outermost hold was released before its time. */
export function hasGaps(frame: Frame | undefined): boolean {
  for (let outer = frame; outer !== undefined; outer = outer.parent)
    if (outer.hold?.isReleased === true) return true;
  return false;
}

/** Everything held for certain, outermost first. */
export function heldIn(frame: Frame | undefined): HeldPart[] {
  const held: HeldPart[] = [];
  for (let outer = frame; outer !== undefined; outer = outer.parent)
    if (outer.hold !== undefined && !outer.hold.isReleased) held.push(outer.hold);
  return held.reverse();
}

export function taskOf(frame: Frame | undefined): string {
  return frame?.task ?? (frame === undefined ? "a task" : `task ${frame.taskId}`);
}

import type { AsyncLocalStorage } from "node:async_hooks";
import type { Frame, HeldPart } from "./parts.js";

/**
 * One for all domains, since each AsyncLocalStorage costs every promise of the process something, for ever. Loaded when the first frame is
 * entered, and never for `off`.
 */
let storage: AsyncLocalStorage<Frame | undefined> | undefined;
/** Whose frames were entered so far: nobody's, one domain's, or several'. */
let soleOwner: Frames | undefined;
let hasSeveral = false;

/** Where each asynchronous task finds its frame of one domain. */
export class Frames {
  current(): Frame | undefined {
    if (storage === undefined) return undefined;
    let frame = storage.getStore();
    while (frame !== undefined && frame.owner !== this) frame = frame.others;
    return liveFrame(frame);
  }

  /** @param frame a new one, which nobody has entered */
  run<T, A>(frame: Frame | undefined, body: (argument: A) => T, argument: A): T {
    storage ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)();
    if (soleOwner !== this && !hasSeveral) {
      hasSeveral = soleOwner !== undefined;
      soleOwner = this;
    }
    if (!hasSeveral) return storage.run(frame, body, argument);
    const outer = storage.getStore();
    const others = outer?.owner === this ? outer.others : outer;
    if (frame === undefined) return storage.run(this.#without(others), body, argument);
    frame.others = others;
    return storage.run(frame, body, argument);
  }

  /** What the other domains know, when this one is to know nothing. */
  #without(others: Frame | undefined): Frame | undefined {
    if (others === undefined) return undefined;
    const rest = this.#without(others.others);
    if (others.owner === this) return rest;
    return rest === others.others ? others : { ...others, others: rest };
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

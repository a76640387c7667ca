import type { EventEmitter } from "node:events";
import { isOurs } from "./messages.js";

/** Beyond it the oldest are given up; Node itself has no bound. */
const heldMax = 10_000;

/**
 * Listens to a process's messages as if it didn't. Node keeps messages that nobody listens for until somebody does; our listener
 * would make it drop those of others, so they are kept here for the same time.
 */
export function heldForOthers(end: EventEmitter, onOurs: (message: unknown) => void): () => void {
  let held: unknown[][] = [];
  const onMessage = (...message: unknown[]): void => {
    if (isOurs(message[0])) onOurs(message[0]);
    else if (end.listenerCount("message") === 1 && held.push(message) > heldMax) held.shift();
  };
  const onNewListener = (name: unknown): void => {
    if (name === "message" && held.length > 0) process.nextTick(handOver);
  };
  const handOver = (): void => {
    if (end.listenerCount("message") === 1) return;
    const handed = held;
    held = [];
    for (const message of handed) end.emit("message", ...message);
  };
  end.on("message", onMessage);
  end.on("newListener", onNewListener);
  return () => {
    end.off("message", onMessage);
    end.off("newListener", onNewListener);
  };
}

import type { ChildProcess } from "node:child_process";
import type { MessagePort } from "node:worker_threads";
import { heldForOthers } from "./held-messages.js";

/** What comes out of a pipe. */
export interface PipeEvents {
  readonly message: (message: unknown) => void;
  /** Nothing will come any more; all that had been sent has come before. */
  readonly close: () => void;
}

/**
 * A way to another process that carries plain data, whole and in order. Others may use the same way: what is not ours must be left
 * to them.
 */
export interface MessagePipe {
  /** For people: `pid 4711`. */
  readonly name: string;
  /** Whether byte arrays survive; without it they travel as base64. */
  readonly carriesBytes: boolean;
  /** Must not throw. `onSent` is called once: when the message has left this process, or can't. */
  send(message: object, onSent: () => void): void;
  /** Listens until the answered function is called. `close` is called at once when the pipe is closed already. */
  open(events: PipeEvents): () => void;
}

/** What can be made a pipe: a forked child, this process as its parent's child, a port, or a pipe of one's own. */
export type PipeEnd = ChildProcess | NodeJS.Process | MessagePort | MessagePipe;

export function pipeOf(end: PipeEnd): MessagePipe {
  if ("open" in end) return end;
  return "postMessage" in end ? portPipe(end) : processPipe(end);
}

function processPipe(end: ChildProcess | NodeJS.Process): MessagePipe {
  return {
    name: `pid ${end.pid ?? "unknown"}`,
    carriesBytes: false,
    send(message, onSent) {
      if (!end.connected || end.send === undefined) return onSent();
      try {
        // With a callback an error is given to it instead of being thrown at whoever listens for errors.
        (end.send as (message: object, done: () => void) => boolean).call(end, message, () => onSent());
      } catch {
        // The channel was closed in between; its `disconnect` says so.
        onSent();
      }
    },
    open(events) {
      if (!end.connected) {
        events.close();
        return () => {};
      }
      const isChild = end === process;
      const stopHolding = heldForOthers(end, events.message);
      end.on("disconnect", events.close);
      const stopCounting = isChild ? keepAliveForOthersOnly(2) : () => {};
      return () => {
        stopCounting();
        stopHolding();
        end.off("disconnect", events.close);
      };
    },
  };
}

/**
 * Node keeps a child alive for as long as somebody listens to its parent. Our listeners must not: then a child whose work is done
 * would never end. So the channel is counted for again, without ours.
 */
function keepAliveForOthersOnly(ownListeners: number): () => void {
  const count = (): number => process.listenerCount("message") + process.listenerCount("disconnect");
  const apply = (others: number): void => {
    if (others > 0) process.channel?.ref();
    else process.channel?.unref();
  };
  const isCounted = (name: unknown): boolean => name === "message" || name === "disconnect";
  // `newListener` comes before the listener is there, `removeListener` after it has gone.
  const onNew = (name: unknown): void => {
    if (isCounted(name)) apply(count() + 1 - ownListeners);
  };
  const onRemoved = (name: unknown): void => {
    if (isCounted(name)) apply(count() - ownListeners);
  };
  process.on("newListener", onNew);
  process.on("removeListener", onRemoved);
  apply(count() - ownListeners);
  return () => {
    process.off("newListener", onNew);
    process.off("removeListener", onRemoved);
    apply(count() - ownListeners);
  };
}

function portPipe(port: MessagePort): MessagePipe {
  return {
    name: "port",
    carriesBytes: true,
    send(message, onSent) {
      port.postMessage(message);
      onSent();
    },
    open(events) {
      const isAlone = port.listenerCount("message") === 0;
      port.on("message", events.message);
      port.on("close", events.close);
      // Listening to a port keeps the process alive, which is for those who wait for something.
      if (isAlone) port.unref();
      return () => {
        port.off("message", events.message);
        port.off("close", events.close);
      };
    },
  };
}

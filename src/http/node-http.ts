import { type AnswerLike, type MessageLike, watchExchange } from "./exchange.js";
import type { RequestMeter } from "./request-meter.js";

/** What is used of a node:http or node:https server. */
export interface ServerLike {
  prependListener(event: "request", listener: (message: MessageLike, answer: AnswerLike) => void): unknown;
  off(event: "request", listener: (message: MessageLike, answer: AnswerLike) => void): unknown;
}

/**
 * Counts every request of the server. A connection that is upgraded is no request. Requests whose route nobody says are of route `(none)`.
 * @returns a function that ends it; requests under way are still counted
 */
export function instrumentServer(meter: RequestMeter, server: ServerLike): () => void {
  const onRequest = (message: MessageLike, answer: AnswerLike): void => {
    const record = watchExchange(meter, message, answer);
    // The listeners that follow, and what they start, belong to the request; a listener can't be wrapped around them.
    meter.current.enterWith(record);
  };
  server.prependListener("request", onRequest);
  return () => {
    server.off("request", onRequest);
  };
}

/**
 * A request listener around another one: counts its requests, and the error that it throws or rejects with, which goes on as it was.
 * Nobody else answers then: an error that nobody handles ends the process, as without.
 * @param route the template of the requests that the listener gets
 */
export function instrumentListener<M extends MessageLike, A extends AnswerLike, R>(
  meter: RequestMeter,
  listener: (message: M, answer: A) => R,
  route?: string,
): (message: M, answer: A) => R {
  return (message, answer) => {
    const record = watchExchange(meter, message, answer);
    if (route !== undefined) record.route = route;
    return meter.current.run(record, () => {
      try {
        const result = listener(message, answer);
        // A promise of its own: its rejection is only looked at, and goes on in the one that is answered.
        if (result instanceof Promise) result.catch((error: unknown) => record.fail(error));
        return result;
      } catch (error) {
        record.fail(error);
        throw error;
      }
    });
  };
}

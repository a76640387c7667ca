import type { RequestMeter, RequestRecord } from "./request-meter.js";

/** What is looked at of a socket. */
export interface SocketLike {
  readonly encrypted?: boolean;
  readonly readableEnded?: boolean;
  readonly errored?: unknown;
  on(event: "timeout", listener: () => void): unknown;
}

/** What is looked at of a node:http request. */
export interface MessageLike {
  readonly method?: string | undefined;
  readonly socket: SocketLike;
}

/** What is looked at of a node:http answer. */
export interface AnswerLike {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  readonly errored?: unknown;
  once(event: "finish" | "close", listener: () => void): unknown;
}

/** Errors of a socket whose other end is gone. */
const goneCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Sockets whose idle time has been over: before they are destroyed nothing else says why. */
const timedOut = new WeakSet<object>();
const watched = new WeakSet<object>();

/**
 * Counts the exchange of a request and its answer, from now until the answer was handed over or its connection is gone. The second and
 * later calls for one exchange answer the record of the first, so that a server and the framework on it may both be instrumented.
 */
export function watchExchange(meter: RequestMeter, message: MessageLike, answer: AnswerLike): RequestRecord {
  const known = meter.recordOf(answer);
  if (known !== undefined) return known;
  const { socket } = message;
  watchSocket(socket);
  const record = meter.start(message.method ?? "", socket.encrypted === true ? "https" : "http");
  meter.link(record, message, answer);
  answer.once("finish", () => meter.end(record, { status: answer.statusCode, end: "complete" }));
  // Comes in any case, and last: after it there is nothing that could still be counted.
  answer.once("close", () => {
    if (record.isOver) return;
    if (timedOut.has(socket)) record.isTimedOut = true;
    const hasLeft = socket.readableEnded === true || goneCodes.has(codeOf(socket.errored));
    if (!hasLeft && answer.errored) record.fail(answer.errored);
    const status = answer.headersSent ? answer.statusCode : undefined;
    const end = answer.writableFinished ? "complete" : hasLeft ? "client left" : "broken off";
    meter.end(record, { status, end });
  });
  return record;
}

/** One listener for each socket, however many requests it carries; on the answer it would keep Node from ending the socket. */
function watchSocket(socket: SocketLike): void {
  // Of a request before this one, if at all.
  timedOut.delete(socket);
  if (watched.has(socket)) return;
  watched.add(socket);
  socket.on("timeout", () => timedOut.add(socket));
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

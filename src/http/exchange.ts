import type { Outcome } from "./error-class.js";
import type { RequestMeter, RequestRecord } from "./request-meter.js";

/** What is looked at of a socket. */
export interface SocketLike {
  readonly encrypted?: boolean;
  readonly readableEnded?: boolean;
  readonly errored?: unknown;
  on(event: "timeout" | "close", listener: () => void): unknown;
}

/** What is looked at of a stream of HTTP/2. */
export interface StreamLike {
  readonly aborted: boolean;
  readonly rstCode?: number | undefined;
  readonly writableFinished: boolean;
  readonly errored?: unknown;
}

/** What is looked at of a request of node:http or node:http2. */
export interface MessageLike {
  readonly method?: string | undefined;
  readonly socket: SocketLike;
  readonly stream?: StreamLike;
}

/** What is looked at of an answer of node:http or node:http2. */
export interface AnswerLike {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly writableFinished?: boolean;
  readonly errored?: unknown;
  once(event: "finish" | "close", listener: () => void): unknown;
}

/** Errors of a socket whose other end is gone. */
const goneCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Sockets whose idle time has been over: before they are destroyed nothing else says why. */
const timedOut = new WeakSet<object>();
/** What settles the exchanges of a socket that are not over. */
const underWay = new WeakMap<object, Set<() => void>>();

/**
 * Counts the exchange of a request and its answer, from now until the answer was handed over or its connection is gone. The second and
 * later calls for one exchange answer the record of the first, so that a server and the framework on it may both be instrumented.
 */
export function watchExchange(meter: RequestMeter, message: MessageLike, answer: AnswerLike): RequestRecord {
  const known = meter.recordOf(answer);
  if (known !== undefined) return known;
  const { socket, stream } = message;
  const record = meter.start(message.method ?? "", socket.encrypted === true ? "https" : "http");
  meter.link(record, message, answer);
  const end = stream === undefined ? socketEnd(record, socket, answer) : streamEnd(record, stream);
  const settle = (how: Outcome["end"]): void => {
    const isBegun = how === "complete" || answer.headersSent;
    meter.end(record, { status: isBegun ? answer.statusCode : undefined, end: how });
  };
  const open = stream === undefined ? underWayOn(socket) : undefined;
  const close = (): void => {
    open?.delete(close);
    if (!record.isOver) settle(end());
  };
  open?.add(close);
  // Over HTTP/2 it comes for streams that were aborted too.
  answer.once("finish", () => {
    open?.delete(close);
    settle(stream === undefined ? "complete" : end());
  });
  // Comes last: after it there is nothing that could still be counted. Not for an answer that waits behind another one.
  answer.once("close", close);
  return record;
}

/** How an exchange on a connection of its own has ended, once it has. */
function socketEnd(record: RequestRecord, socket: SocketLike, answer: AnswerLike): () => Outcome["end"] {
  // Of a request before this one, if at all.
  timedOut.delete(socket);
  return () => {
    // Handed over, and nobody has been told yet; unless it was destroyed then, with an error.
    if (answer.writableFinished === true && !answer.errored) return "complete";
    if (timedOut.has(socket)) record.isTimedOut = true;
    if (socket.readableEnded === true || goneCodes.has(codeOf(socket.errored))) return "client left";
    if (answer.errored) record.fail(answer.errored);
    return "broken off";
  };
}

/** RST_STREAM with CANCEL (RFC 9113, section 7): what clients send that want no more. */
const cancelled = 8;

/** How a stream of HTTP/2 has ended, once it has. One that its own side destroys has not finished writing, or has an error. */
function streamEnd(record: RequestRecord, stream: StreamLike): () => Outcome["end"] {
  return () => {
    if (!stream.aborted) return "complete";
    if (stream.rstCode === cancelled || (!stream.errored && stream.writableFinished)) return "client left";
    if (stream.errored) record.fail(stream.errored);
    return "broken off";
  };
}

/**
 * The exchanges under way on a socket. Of pipelined requests only the first one's answer has the connection; when that is gone, Node says
 * nothing to the answers behind it, so they end with the socket.
 *
 * Two listeners for each socket, however many requests it carries; on the answer, the one for `timeout` would keep Node from ending the socket.
 */
function underWayOn(socket: SocketLike): Set<() => void> {
  const known = underWay.get(socket);
  if (known !== undefined) return known;
  const open = new Set<() => void>();
  underWay.set(socket, open);
  socket.on("timeout", () => timedOut.add(socket));
  // After the one answer that Node tells.
  const closeAll = (): void => {
    for (const close of [...open]) close();
  };
  socket.on("close", () => process.nextTick(closeAll));
  return open;
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

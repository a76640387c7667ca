import { once } from "node:events";
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { type Clock, messageOf, type NoticeSink } from "../base/index.js";
import { parseWindow, windowMsMax, windowMsMin } from "./durations.js";
import { BusyError, NotFoundError, QueryError } from "./errors.js";
import type { Guard } from "./guard.js";
import { LiveClient } from "./live-client.js";
import type { LiveHub } from "./live-hub.js";
import { Parameters } from "./parameters.js";
import { errorBody, statusOf } from "./respond.js";
import type { WireRefusal, WireRequest } from "./wire.js";

const clientsMax = 100;
/** A page sends only a window. */
const messageBytesMax = 4096;
const pingMs = 15_000;
/** After saying goodbye. */
const farewellMs = 1000;

export interface LiveSocketsOptions {
  readonly hub: LiveHub;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly notices: NoticeSink;
  /** Bytes that may wait for one client. @default 1 MiB */
  readonly bufferedBytesMax?: number;
}

/** `/ws`: takes over upgraded connections and gives each to the hub as a client. */
export class LiveSockets {
  readonly #options: LiveSocketsOptions;
  readonly #sockets = new Set<WebSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  });

  constructor(options: LiveSocketsOptions) {
    this.#options = options;
  }

  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      if (isOtherOffer(request)) return answerAsRequest(server, request, socket as Socket);
      try {
        const windowMs = this.#admit(request);
        this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, windowMs));
      } catch (error) {
        refuse(socket, error);
      }
    });
  }

  /** Waits a moment for the goodbyes that the hub has said, then cuts. */
  async close(): Promise<void> {
    const gone = [...this.#sockets].map((socket) => once(socket, "close"));
    const cancel = this.#options.clock.after(farewellMs, () => {
      for (const socket of this.#sockets) socket.terminate();
    });
    await Promise.all(gone);
    cancel();
    this.#server.close();
  }

  #admit(request: IncomingMessage): number | undefined {
    const url = request.url ?? "/";
    const refusal = this.#options.guard.refusal(request.headers);
    if (refusal !== undefined) throw refusal;
    if (url.split("?")[0] !== "/ws")
      throw new NotFoundError("Cannot upgrade: there is a WebSocket at /ws only");
    if (this.#sockets.size >= clientsMax)
      throw new BusyError(`Cannot take one more client: there are ${clientsMax}`);
    return parseWindow(new Parameters(url, ["window"]).text("window") ?? "all");
  }

  #open(socket: WebSocket, windowMs: number | undefined): void {
    const { hub, clock, notices, bufferedBytesMax } = this.#options;
    const client = new LiveClient(socket, {
      clock,
      ...(bufferedBytesMax === undefined ? {} : { bufferedBytesMax }),
    });
    const joins = new Joins(hub, client, socket, (error) =>
      notices({ name: "server.join-failed", level: "warn", message: messageOf(error) }),
    );
    const stopPings = this.#keepAlive(socket);
    this.#sockets.add(socket);
    socket.on("message", (data) => joins.onMessage(String(data)));
    // What was wrong is in the close event that follows.
    socket.on("error", () => {});
    socket.on("close", (code) => {
      stopPings();
      this.#sockets.delete(socket);
      joins.stop();
      notices({ name: "server.client-left", level: "debug", data: { code, skipped: client.skipped } });
    });
    joins.want(windowMs);
  }

  /** A peer that vanished without a word is noticed by its missing pong. */
  #keepAlive(socket: WebSocket): () => void {
    let isAlive = true;
    let cancel = (): void => {};
    const check = (): void => {
      if (!isAlive) {
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
      cancel = this.#options.clock.after(pingMs, check);
    };
    socket.on("pong", () => {
      isAlive = true;
    });
    cancel = this.#options.clock.after(pingMs, check);
    return () => cancel();
  }
}

/** Joins one client to the window it asked for last; one join at a time, however many messages come. */
class Joins {
  readonly #hub: LiveHub;
  readonly #client: LiveClient;
  readonly #socket: WebSocket;
  readonly #onError: (error: unknown) => void;
  #wanted: { readonly windowMs: number | undefined } | undefined;
  #windowMs: number | undefined;
  #isJoining = false;
  #isStopped = false;

  constructor(hub: LiveHub, client: LiveClient, socket: WebSocket, onError: (error: unknown) => void) {
    this.#hub = hub;
    this.#client = client;
    this.#socket = socket;
    this.#onError = onError;
  }

  onMessage(text: string): void {
    try {
      const request = parseRequest(text);
      this.want(request.type === "window" ? (request.windowMs ?? undefined) : this.#windowMs);
    } catch (error) {
      this.#refuse(error);
    }
  }

  want(windowMs: number | undefined): void {
    this.#wanted = { windowMs };
    if (!this.#isJoining) void this.#join();
  }

  stop(): void {
    this.#isStopped = true;
    this.#hub.leave(this.#client);
  }

  async #join(): Promise<void> {
    this.#isJoining = true;
    while (this.#wanted !== undefined && !this.#isStopped) {
      const { windowMs } = this.#wanted;
      this.#wanted = undefined;
      try {
        this.#hub.leave(this.#client);
        const isJoined = await this.#hub.join(this.#client, windowMs);
        if (isJoined) this.#windowMs = windowMs;
        else this.#refuse(new BusyError("Cannot show this window: too many different ones are looked at"));
      } catch (error) {
        this.#onError(error);
        this.#refuse(error);
      }
    }
    this.#isJoining = false;
    if (this.#isStopped) this.#hub.leave(this.#client);
  }

  #refuse(error: unknown): void {
    const refusal: WireRefusal = { type: "refusal", message: messageOf(error) };
    if (this.#socket.bufferedAmount < messageBytesMax) this.#socket.send(JSON.stringify(refusal));
  }
}

function parseRequest(text: string): WireRequest {
  const request = readJson(text) as Partial<{ type: unknown; windowMs: unknown }> | null;
  if (request?.type === "snapshot") return { type: "snapshot" };
  if (request?.type === "window") {
    const { windowMs } = request;
    if (windowMs === null) return { type: "window", windowMs };
    if (Number.isInteger(windowMs) && Number(windowMs) >= windowMsMin && Number(windowMs) <= windowMsMax)
      return { type: "window", windowMs: Number(windowMs) };
  }
  throw new QueryError(
    'Cannot understand the message: expected {"type":"window","windowMs":60000} or {"type":"snapshot"}',
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
};

function refuse(socket: Duplex, error: unknown): void {
  const status = statusOf(error);
  const body = JSON.stringify(errorBody(error));
  // An upgraded connection belongs to nobody else: one whose peer never hangs up would stay, and keep the server from closing.
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** HTTP/2, mostly, which some clients offer with every request. Without a body, because the parser has let go of it. */
function isOtherOffer({ method, headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== "websocket" && (method === "GET" || method === "HEAD");
}

/** An offer may be ignored (RFC 9110, 7.8): the request is answered as if it had made none. */
function answerAsRequest(server: Server, request: IncomingMessage, socket: Socket): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once("finish", () => {
    socket.once("finish", () => socket.destroy());
    socket.end();
  });
  server.emit("request", request, response);
}

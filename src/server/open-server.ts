import type { FastifyInstance } from "fastify";
import {
  type Clock,
  codeOf,
  ignoreNotices,
  integerOption,
  messageOf,
  type NoticeSink,
  systemClock,
} from "../base/index.js";
import { processMetrics } from "../metrics/index.js";
import { buildServer } from "./build-server.js";
import { ListenError } from "./errors.js";
import { Guard } from "./guard.js";
import { LiveHub } from "./live-hub.js";
import { LiveSockets } from "./live-socket.js";
import type { ServerSource } from "./source.js";
import { loadWebFiles, webDirectory } from "./web-files.js";

/** Requests under way when closing are given this long. */
const drainMs = 5000;
/** An idle server should let the processor sleep; a stall that matters to a reader is longer. */
const loopProbeMs = 100;

export interface ServerOptions {
  readonly source: ServerSource;
  /** Address to listen on. Beyond loopback a token is needed. @default "127.0.0.1" */
  readonly host?: string;
  /** 0 for any free one. @default 4600 */
  readonly port?: number;
  /** Lets requests read from beyond loopback, or under any host name. */
  readonly token?: string;
  /** Names that browsers may know this server by, beside addresses, `localhost` and the machine's own name. */
  readonly allowedHosts?: readonly string[];
  /** Bytes that may wait for one WebSocket client (64 KiB..64 MiB). @default 1 MiB */
  readonly clientBufferedBytesMax?: number;
  /** Directory of the built dashboard. @default dist/web of this package */
  readonly webDirectory?: string;
  readonly notices?: NoticeSink;
  readonly clock?: Clock;
}

export interface RunningServer {
  /** `http://127.0.0.1:4600/` */
  readonly url: string;
  readonly port: number;
  /** Refuses new requests, says goodbye to WebSocket clients, waits up to 5 s for requests under way. May be called twice. */
  close(): Promise<void>;
}

/**
 * Serves a source: dashboard, REST, WebSocket, Prometheus, health.
 * @throws TokenMissingError beyond loopback without a token
 * @throws ListenError when the address is taken or not this machine's
 */
export async function openServer(options: ServerOptions): Promise<RunningServer> {
  const host = options.host === undefined || options.host === "localhost" ? "127.0.0.1" : options.host;
  const port = integerOption("port", options.port, { default: 4600, min: 0, max: 65_535 });
  const bufferedBytesMax = integerOption("clientBufferedBytesMax", options.clientBufferedBytesMax, {
    default: 1024 * 1024,
    min: 64 * 1024,
    max: 64 * 1024 * 1024,
  });
  const { source, clock = systemClock, notices = ignoreNotices } = options;
  const guard = new Guard({ ...options, host });
  const web = await loadWebFiles(options.webDirectory ?? webDirectory);
  if (web === undefined)
    notices({
      name: "server.web-missing",
      level: "warn",
      message: "the dashboard was not built: only the API is served",
    });
  const hub = new LiveHub({ source, clock, notices });
  const used = processMetrics(source.registry, { clock, loopProbeMs });
  const app = buildServer({ source, hub, guard, web, clock, notices });
  const sockets = new LiveSockets({ hub, guard, clock, notices, bufferedBytesMax });
  sockets.attach(app.server);
  try {
    await app.listen({ host, port, exclusive: true });
  } catch (error) {
    used.close();
    await hub.close();
    await app.close();
    throw listenError(error, host, port);
  }
  const listening = app.server.address() as { readonly port: number };
  let closing: Promise<void> | undefined;
  return {
    url: urlOf(host, listening.port),
    port: listening.port,
    close: () => (closing ??= drain({ app, hub, sockets, clock }).finally(() => used.close())),
  };
}

async function drain(open: {
  app: FastifyInstance;
  hub: LiveHub;
  sockets: LiveSockets;
  clock: Clock;
}): Promise<void> {
  await open.hub.close();
  await open.sockets.close();
  const cancel = open.clock.after(drainMs, () => open.app.server.closeAllConnections());
  await open.app.close();
  cancel();
}

function listenError(error: unknown, host: string, port: number): ListenError {
  const isTaken = codeOf(error) === "EADDRINUSE";
  const state = isTaken ? "another program has the port" : messageOf(error);
  return new ListenError(`Cannot listen on ${host}:${port}: ${state}`, {
    cause: error,
    hint: isTaken ? "stop the other program, or choose another port with --port" : "check the host and port",
  });
}

/** A wildcard address is not one to open in a browser. */
function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://127.0.0.1:${port}/`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

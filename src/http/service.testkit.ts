import assert from "node:assert/strict";
import { Agent, type IncomingHttpHeaders, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Clock } from "../base/index.js";
import { openRegistry, type Registry } from "../metrics/index.js";
import { type ServiceMetrics, type ServiceOptions, serviceMetrics } from "./index.js";

let made = 0;

/** A service whose registry no other test has. */
export function testService(options: ServiceOptions = {}, clock?: Clock): ServiceMetrics {
  made += 1;
  const name = `http.test ${made}`;
  const registry = openRegistry({ name, reserveBytes: 16 * 2 ** 20, hasOwnMetrics: false });
  return serviceMetrics(registry, options, clock);
}

/** What `name` says for each label set, its values joined by spaces: numbers, or how many observations there were. */
export function countsOf(registry: Registry, name: string): Record<string, number> {
  const family = registry.snapshot().families.find((one) => one.name === name);
  assert.ok(family !== undefined, `no ${name}`);
  const counts = family.points.map((point): [string, number] => {
    const key = point.labels.join(" ");
    if ("value" in point) return [key, point.value];
    if ("histogram" in point) return [key, point.histogram.count];
    return [key, point.values.kind === "samples" ? point.values.sorted.length : point.values.histogram.count];
  });
  return Object.fromEntries(counts);
}

export function inFlight({ registry }: ServiceMetrics): number {
  return Object.values(countsOf(registry, "http_requests_in_flight")).reduce((a, b) => a + b, 0);
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(portOf(server))));
}

/** Ends the server with all its connections. */
export function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether the whole answer came. */
  readonly isComplete: boolean;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

/** A real request. A connection that breaks before the head of the answer is one of status 0. */
export function ask(
  port: number,
  path: string,
  { method = "GET", headers, body, agent }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method, headers, agent: agent ?? false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece: string) => {
          text += piece;
        });
        // A broken answer errs, then closes.
        answer.on("error", () => undefined);
        answer.on("close", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: text,
            isComplete: answer.complete,
          }),
        );
      },
    );
    sent.on("error", () => resolve({ status: 0, headers: {}, body: "", isComplete: false }));
    sent.end(body);
  });
}

export function keptAlive(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** A connection that has sent a request and will read no answer. */
export function sendAndStay(port: number, path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`, () => resolve(socket));
    });
    socket.on("error", () => undefined);
  });
}

/** Twenty milliseconds of the event loop's time would be a guess; this is a promise and what resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

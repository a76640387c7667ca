import type { FastifyInstance } from "fastify";
import type { Registry } from "../metrics/index.js";

/**
 * Measures the requests of the server itself: by route template, so that what a client asks for makes no series. Connections that became
 * WebSockets are no requests.
 */
export function measureRequests(app: FastifyInstance, registry: Registry): void {
  const seconds = registry.histogram("poundlock_http_request_seconds", {
    help: "Time to answer a request",
    unit: "s",
    labels: ["method", "route", "status"],
  });
  app.addHook("onResponse", async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url ?? "(none)";
    seconds.record(reply.elapsedTime / 1000, { method, route, status: reply.statusCode });
  });
}

import assert from "node:assert/strict";
import type { Server } from "node:http";
import { type TestContext, test } from "node:test";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { until } from "../../test/kit/until.js";
import type { ServiceMetrics } from "./index.js";
import {
  ask,
  closing,
  countsOf,
  gate,
  inFlight,
  portOf,
  sendAndStay,
  testService,
} from "./service.testkit.js";

const requests = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_requests_total");
const errors = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_request_errors_total");

function instrumented(service: ServiceMetrics): Hono {
  const app = new Hono();
  app.use("*", service.hono());
  app.onError((error, context) =>
    context.text("failed", error instanceof HTTPException ? error.status : 500),
  );
  return app;
}

async function served(t: TestContext, app: Hono): Promise<number> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  t.after(() => closing(server));
  await until("the server listens", () => server.listening);
  return portOf(server);
}

test("hono() counts by route template, in mounted apps too, and 404s as one", async (t) => {
  const service = testService();
  const app = instrumented(service);
  app.use("/shops/*", async (_context, next) => next());
  const inner = new Hono();
  inner.get("/items/:item", (context) => context.text("item"));
  app.route("/shops/:shop", inner);
  app.get("/users/:id", (context) => context.text("user"));
  app.get("/files/*", (context) => context.text("file"));
  const port = await served(t, app);

  for (const n of [1, 2, 3]) await ask(port, `/users/${n}`);
  await ask(port, "/users/4", { method: "HEAD" });
  await ask(port, "/shops/7/items/8");
  await ask(port, "/files/a/b");
  for (const path of ["/nowhere/1", "/nowhere/2", "/shops/9"]) await ask(port, path);

  assert.deepEqual(requests(service), {
    "GET /users/:id 2xx": 3,
    "HEAD /users/:id 2xx": 1,
    "GET /shops/:shop/items/:item 2xx": 1,
    "GET /files/* 2xx": 1,
    "GET (none) 4xx": 3,
  });
  assert.equal(inFlight(service), 0);
});

test("hono() tells exceptions, answers and validation apart", async (t) => {
  const service = testService();
  const app = instrumented(service);
  app.get("/throws", () => {
    throw new RangeError("sync");
  });
  app.get("/rejects", async () => {
    throw Object.assign(new Error("later"), { code: "E_LATER" });
  });
  app.get("/answers", (context) => context.text("busy", 503));
  app.get("/input", () => {
    throw new HTTPException(422);
  });
  app.post("/limited", async (context) => {
    await context.req.text();
    service.rateLimited();
    return context.text("later", 429);
  });
  const port = await served(t, app);

  for (const path of ["/throws", "/rejects", "/answers", "/input"]) await ask(port, path);
  await ask(port, "/limited", { method: "POST", body: "x" });

  assert.deepEqual(errors(service), {
    "GET /throws exception RangeError": 1,
    "GET /rejects exception E_LATER": 1,
    "GET /answers 5xx 503": 1,
    "GET /input validation Error": 1,
  });
  assert.deepEqual(countsOf(service.registry, "http_rate_limited_total"), { "/limited": 1 });
});

test("hono() counts clients that leave and streams that break half-way, once each", async (t) => {
  const service = testService();
  const arrived = gate();
  const app = instrumented(service);
  app.get("/slow", () => {
    arrived.open();
    return new Promise<Response>(() => undefined);
  });
  app.get("/breaks", () => {
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("half"));
        await new Promise((resolve) => setImmediate(resolve));
        controller.error(Object.assign(new Error("broke"), { code: "E_BROKE" }));
      },
    });
    return new Response(body);
  });
  const port = await served(t, app);

  const socket = await sendAndStay(port, "/slow");
  await arrived.opened;
  assert.equal(inFlight(service), 1);
  socket.destroy();
  await ask(port, "/breaks");

  await until("both are over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), {
    "GET /slow aborted (aborted)": 1,
    "GET /breaks exception E_BROKE": 1,
  });
});

test("hono() takes no middleware that never goes on for a route", async (t) => {
  const service = testService();
  const arrived = gate();
  const app = instrumented(service);
  app.use("/area/*", () => {
    arrived.open();
    return new Promise<void>(() => undefined);
  });
  app.get("/area/page", (context) => context.text("never"));
  const port = await served(t, app);

  const socket = await sendAndStay(port, "/area/page");
  await arrived.opened;
  socket.destroy();

  await until("it is over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), { "GET (none) aborted (aborted)": 1 });
});

test("hono() counts requests of an app that no server has", async () => {
  const service = testService();
  const app = instrumented(service);
  app.get("/users/:id", (context) => context.text("user"));
  app.get("/throws", () => {
    throw new RangeError("oh");
  });

  await app.request("/users/1");
  await app.request("/throws");

  assert.deepEqual(requests(service), { "GET /users/:id 2xx": 1, "GET /throws 5xx": 1 });
  assert.deepEqual(errors(service), { "GET /throws exception RangeError": 1 });
  assert.equal(inFlight(service), 0);
});

test("honoMetrics() and honoMetricsJson() answer scrapes, which are no requests", async (t) => {
  const service = testService();
  const app = instrumented(service);
  app.get("/metrics", service.honoMetrics());
  app.get("/metrics.json", service.honoMetricsJson());
  app.get("/", (context) => context.text("fine"));
  const port = await served(t, app);

  await ask(port, "/");
  const text = await ask(port, "/metrics", { headers: { accept: "application/openmetrics-text" } });
  const json = await ask(port, "/metrics.json");

  assert.equal(text.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.match(text.body, /# EOF\n$/);
  assert.equal(JSON.parse(json.body).requests_total, 1);
  assert.deepEqual(requests(service), { "GET / 2xx": 1 });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import createFastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import { until } from "../../test/kit/until.js";
import type { ServiceMetrics } from "./index.js";
import { ask, countsOf, gate, inFlight, portOf, sendAndStay, testService } from "./service.testkit.js";

const requests = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_requests_total");
const errors = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_request_errors_total");

async function served(
  t: TestContext,
  service: ServiceMetrics,
  add: (app: FastifyInstance) => void,
  options: FastifyServerOptions = {},
): Promise<number> {
  const app = createFastify({ forceCloseConnections: true, ...options });
  await app.register(service.fastify());
  add(app);
  await app.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => app.close());
  return portOf(app.server);
}

test("fastify() counts by route template, in nested plugins too, and 404s as one", async (t) => {
  const service = testService();
  const port = await served(t, service, (app) => {
    app.get("/users/:id", async () => "user");
    app.register(
      async (inner) => {
        inner.get("/items/:item", async () => "item");
      },
      { prefix: "/shops/:shop" },
    );
  });

  for (const n of [1, 2, 3]) await ask(port, `/users/${n}`);
  await ask(port, "/users/4", { method: "HEAD" });
  await ask(port, "/shops/7/items/8");
  for (const n of [1, 2]) await ask(port, `/nowhere/${n}`);

  assert.deepEqual(requests(service), {
    "GET /users/:id 2xx": 3,
    "HEAD /users/:id 2xx": 1,
    "GET /shops/:shop/items/:item 2xx": 1,
    "GET (none) 4xx": 2,
  });
  assert.deepEqual(errors(service), { "GET (none) 4xx 404": 2 });
  assert.equal(inFlight(service), 0);
});

test("fastify() counts routes that were there before it", async (t) => {
  const service = testService();
  const app = createFastify();
  app.get("/before", async () => "fine");
  app.register(async (inner) => {
    inner.get("/inner", async () => "fine");
  });
  app.register(service.fastify());
  t.after(() => app.close());

  for (const url of ["/before", "/inner"]) await app.inject(url);

  assert.deepEqual(requests(service), { "GET /before 2xx": 1, "GET /inner 2xx": 1 });
});

test("fastify() tells exceptions, answers, validation and timeouts apart", async (t) => {
  const service = testService();
  const schema = { body: { type: "object", required: ["question"] } };
  const port = await served(
    t,
    service,
    (app) => {
      app.get("/throws", async () => {
        throw new RangeError("oh");
      });
      app.get("/calls", (_request, reply) => {
        reply.send(Object.assign(new Error("oh"), { code: "E_SENT" }));
      });
      app.get("/answers", (_request, reply) => reply.code(502).send("bad"));
      app.post("/query", { schema }, async () => "fine");
      app.get("/waits", () => new Promise(() => undefined));
    },
    { handlerTimeout: 500 },
  );

  for (const path of ["/throws", "/calls", "/answers", "/waits"]) await ask(port, path);
  const headers = { "content-type": "application/json" };
  await ask(port, "/query", { method: "POST", body: "{}", headers });
  await ask(port, "/query", { method: "POST", body: "{", headers });

  assert.deepEqual(errors(service), {
    "GET /throws exception RangeError": 1,
    "GET /calls exception E_SENT": 1,
    "GET /answers 5xx 502": 1,
    "GET /waits timeout FST_ERR_HANDLER_TIMEOUT": 1,
    "POST /query validation FST_ERR_VALIDATION": 1,
    "POST /query validation FST_ERR_CTP_INVALID_JSON_BODY": 1,
  });
  assert.equal(service.numbers().errors_total, 4);
});

test("fastify() counts connections that are timed out", async (t) => {
  const service = testService();
  const port = await served(t, service, (app) => app.get("/waits", () => new Promise(() => undefined)), {
    connectionTimeout: 50,
  });

  await ask(port, "/waits");

  await until("it is over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), { "GET /waits timeout (timeout)": 1 });
});

test("fastify() counts clients that leave and streams that break half-way, once each", async (t) => {
  const service = testService();
  const arrived = gate();
  const port = await served(t, service, (app) => {
    app.get("/slow", () => {
      arrived.open();
      return new Promise(() => undefined);
    });
    app.get("/breaks", (_request, reply) => {
      async function* halves(): AsyncGenerator<string> {
        yield "half";
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error("the source broke");
      }
      reply.send(Readable.from(halves()));
    });
  });

  const socket = await sendAndStay(port, "/slow");
  await arrived.opened;
  assert.equal(inFlight(service), 1);
  socket.resetAndDestroy();
  const broken = await ask(port, "/breaks");

  await until("both are over", () => inFlight(service) === 0);
  assert.equal(broken.isComplete, false);
  // Fastify says nothing of the error to its hooks once the head is sent.
  assert.deepEqual(errors(service), {
    "GET /slow aborted (aborted)": 1,
    "GET /breaks exception (incomplete)": 1,
  });
});

test("fastify() knows the request of a call after its body was read", async (t) => {
  const service = testService();
  const port = await served(t, service, (app) => {
    app.post("/query", async (_request, reply) => {
      await new Promise((resolve) => setImmediate(resolve));
      service.rateLimited();
      return reply.code(429).send("later");
    });
  });
  const body = JSON.stringify({ question: "why" });
  const headers = { "content-type": "application/json" };

  await Promise.all(Array.from({ length: 20 }, () => ask(port, "/query", { method: "POST", body, headers })));

  assert.deepEqual(countsOf(service.registry, "http_rate_limited_total"), { "/query": 20 });
  assert.deepEqual(errors(service), {});
});

test("fastify() knows the request of a call whose body came later than its head", async (t) => {
  const service = testService();
  const arrived = gate();
  const port = await served(t, service, (app) => {
    app.addHook("onRequest", (_request, _reply, done) => {
      arrived.open();
      done();
    });
    app.post("/query", async (_request, reply) => {
      service.rateLimited();
      return reply.code(429).send("later");
    });
  });

  const socket = connect(port, "127.0.0.1");
  socket.write("POST /query HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n");
  await arrived.opened;
  socket.write("late");
  await once(socket, "data");
  socket.destroy();

  assert.deepEqual(countsOf(service.registry, "http_rate_limited_total"), { "/query": 1 });
});

test("fastify() counts requests that are injected without a connection", async (t) => {
  const service = testService();
  const app = createFastify();
  await app.register(service.fastify());
  app.get("/users/:id", async () => "user");
  t.after(() => app.close());

  await app.inject("/users/1");

  assert.deepEqual(requests(service), { "GET /users/:id 2xx": 1 });
  assert.equal(inFlight(service), 0);
});

test("fastifyMetrics() and fastifyMetricsJson() answer scrapes, which are no requests", async (t) => {
  const service = testService();
  const warnings: string[] = [];
  const port = await served(
    t,
    service,
    (app) => {
      app.get("/metrics", service.fastifyMetrics());
      app.get("/metrics.json", service.fastifyMetricsJson());
      app.get("/", async () => "fine");
    },
    { logger: { level: "warn", stream: { write: (line: string) => warnings.push(line) } } },
  );

  await ask(port, "/");
  const text = await ask(port, "/metrics", { headers: { accept: "application/openmetrics-text" } });
  const json = await ask(port, "/metrics.json");

  assert.equal(text.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.match(text.body, /http_requests_total\{method="GET",route="\/",status="2xx"\} 1\n/);
  assert.equal(JSON.parse(json.body).requests_total, 1);
  assert.deepEqual(warnings, []);
});

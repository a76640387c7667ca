import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type TestContext, test } from "node:test";
import express5, { type Next, type Response } from "express";
import express4 from "express4";
import { until } from "../../test/kit/until.js";
import { mountTemplate } from "./express-route.js";
import type { ServiceMetrics } from "./index.js";
import {
  ask,
  closing,
  countsOf,
  gate,
  inFlight,
  listening,
  sendAndStay,
  testService,
} from "./service.testkit.js";

const requests = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_requests_total");
const errors = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_request_errors_total");

for (const [name, express] of [
  ["Express 4", express4],
  ["Express 5", express5],
] as const) {
  type App = ReturnType<typeof express>;

  const served = async (
    t: TestContext,
    service: ServiceMetrics,
    add: (app: App) => void,
  ): Promise<number> => {
    const app = express();
    app.use(service.express());
    add(app);
    app.use(service.expressErrors());
    app.use((error: unknown, _request: object, response: Response, _next: Next) => {
      const { status = 500 } = error as { readonly status?: number };
      response.status(status).send("failed");
    });
    const server = createServer(app);
    t.after(() => closing(server));
    return await listening(server);
  };

  test(`${name}: routes are templates, the mounts of routers included`, async (t) => {
    const service = testService();
    const port = await served(t, service, (app) => {
      const inner = express.Router({ mergeParams: true });
      inner.get("/items/:item", (request, response) => response.send(Object.values(request.params).join()));
      inner.get("/", (_request, response) => response.send("all"));
      const outer = express.Router();
      outer.use("/shops/:shop", inner);
      app.use("/v:version", outer);
      app.use("/teams/:team", (_request, _response, next) => next());
      const own = express.Router();
      own.get("/", (_request, response) => response.send("my team"));
      app.use("/teams/mine", own);
      app.get("/users/:id", (_request, response) => response.send("user"));
    });

    for (const n of [1, 2, 3]) await ask(port, `/v1/shops/shop%20${n}/items/item${n}`);
    await ask(port, "/v2/shops/a");
    await ask(port, "/teams/mine");
    for (const n of [1, 2]) await ask(port, `/users/${n}?q=${n}`);
    await ask(port, "/secret/path");
    await ask(port, "/users/7", { method: "HEAD" });

    assert.deepEqual(requests(service), {
      "GET /v:version/shops/:shop/items/:item 2xx": 3,
      "GET /v:version/shops/:shop 2xx": 1,
      "GET /teams/mine 2xx": 1,
      "GET /users/:id 2xx": 2,
      "GET (none) 4xx": 1,
      "HEAD /users/:id 2xx": 1,
    });
    assert.equal(inFlight(service), 0);
  });

  test(`${name}: a mount in whatever letters its client writes it is one route`, async (t) => {
    const service = testService();
    const port = await served(t, service, (app) => {
      const router = express.Router();
      router.get("/items/:itemId", (_request, response) => response.send("item"));
      app.use("/api/:userId", router);
    });

    for (const mount of ["/api", "/API", "/aPi", "/Api"]) await ask(port, `${mount}/Ann/items/7`);

    assert.deepEqual(requests(service), { "GET /api/:userId/items/:itemId 2xx": 4 });
  });

  test(`${name}: errors keep their route and their name, whoever throws them and how`, async (t) => {
    const service = testService();
    const port = await served(t, service, (app) => {
      app.get("/throws", () => {
        throw new RangeError("sync");
      });
      app.get("/next", (_request, _response, next) =>
        next(Object.assign(new Error("later"), { code: "E_NEXT" })),
      );
      const router = express.Router();
      router.get("/in/:id", (_request, _response, next) =>
        next(Object.assign(new Error("no such"), { status: 422, code: "E_INPUT" })),
      );
      app.use("/mounted/:where", router);
      app.get("/answers", (_request, response) => response.status(503).send("busy"));
      app.get("/limited", (_request, response) => {
        service.rateLimited();
        response.status(429).send("later");
      });
    });

    for (const path of ["/throws", "/next", "/mounted/here/in/5", "/answers", "/limited"])
      await ask(port, path);

    assert.deepEqual(errors(service), {
      "GET /throws exception RangeError": 1,
      "GET /next exception E_NEXT": 1,
      "GET /mounted/:where/in/:id validation E_INPUT": 1,
      "GET /answers 5xx 503": 1,
    });
    assert.deepEqual(countsOf(service.registry, "http_rate_limited_total"), { "/limited": 1 });
    assert.equal(service.numbers().errors_total, 3);
  });

  test(`${name}: a rate limit in a middleware that has read the body finds its request`, async (t) => {
    const service = testService();
    const port = await served(t, service, (app) => {
      app.use(express.json());
      app.post("/query", (_request, response) => {
        service.rateLimited();
        response.status(429).send("later");
      });
    });

    await ask(port, "/query", {
      method: "POST",
      body: '{"a":1}',
      headers: { "content-type": "application/json" },
    });

    assert.deepEqual(countsOf(service.registry, "http_rate_limited_total"), { "/query": 1 });
  });

  test(`${name}: clients that leave, and answers that break, are counted once`, async (t) => {
    const service = testService();
    const arrived = gate();
    const port = await served(t, service, (app) => {
      app.get("/slow/:n", () => arrived.open());
      app.get("/breaks", (_request, response) => {
        response.write("half");
        setImmediate(() => response.destroy(Object.assign(new Error("broke"), { code: "E_BROKE" })));
      });
    });

    const socket = await sendAndStay(port, "/slow/1");
    await arrived.opened;
    socket.destroy();
    await ask(port, "/breaks");

    await until("both are over", () => inFlight(service) === 0);
    assert.deepEqual(errors(service), {
      "GET /slow/:n aborted (aborted)": 1,
      "GET /breaks exception E_BROKE": 1,
    });
  });

  test(`${name}: a server that is instrumented too counts nothing twice`, async (t) => {
    const service = testService();
    const app = express();
    app.use(service.express());
    app.get("/users/:id", (_request, response) => response.send("user"));
    app.get("/metrics.json", service.metricsJson());
    const server = createServer(app);
    service.instrument(server);
    t.after(() => closing(server));
    const port = await listening(server);

    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(port, `/users/${n}`)));
    const scraped = await ask(port, "/metrics.json");

    assert.ok(answers.every(({ status }) => status === 200));
    assert.deepEqual(requests(service), { "GET /users/:id 2xx": 50 });
    assert.equal(JSON.parse(scraped.body).requests_total, 50);
    assert.equal(inFlight(service), 0);
  });
}

test("Express 5: what a handler rejects with is an exception", async (t) => {
  const service = testService();
  const app = express5();
  app.use(service.express());
  app.get("/rejects", async () => {
    throw Object.assign(new Error("later"), { code: "E_LATER" });
  });
  app.use(service.expressErrors());
  app.use((_error: unknown, _request: object, response: Response, _next: Next) => {
    response.status(500).send("failed");
  });
  const server = createServer(app);
  t.after(() => closing(server));
  const port = await listening(server);

  await ask(port, "/rejects");

  assert.deepEqual(errors(service), { "GET /rejects exception E_LATER": 1 });
});

test("mountTemplate() never lets a parameter's value through", () => {
  assert.equal(mountTemplate("/users/42", { id: "42" }), "/users/:id");
  assert.equal(mountTemplate("/a%20b/x", { name: "a b" }), "/:name/x");
  assert.equal(mountTemplate("/files/a/b", { rest: ["a", "b"] }), "/files/*rest");
  assert.equal(mountTemplate("/users/42", { id: "another" }), "(mount)");
  assert.equal(mountTemplate("/api", {}), "/api");
  assert.equal(mountTemplate("/API/V1.a/Users", { userId: "Users", v: "1.a" }), "/api/v:v/:userId");
});

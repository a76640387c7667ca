import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type TestContext, test } from "node:test";
import { until } from "../../test/kit/until.js";
import type { ServiceMetrics } from "./index.js";
import {
  ask,
  closing,
  countsOf,
  gate,
  inFlight,
  keptAlive,
  listening,
  sendAndStay,
  testService,
} from "./service.testkit.js";

type Listener = Parameters<typeof createServer>[1] & object;

async function served(t: TestContext, service: ServiceMetrics, listener: Listener): Promise<number> {
  const server = createServer(listener);
  service.instrument(server);
  t.after(() => closing(server));
  return await listening(server);
}

const requests = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_requests_total");
const errors = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_request_errors_total");

test("instrument() counts each request by method, route and status class, never by path", async (t) => {
  const service = testService();
  const port = await served(t, service, (message, answer) => {
    if (message.url!.startsWith("/users/")) service.route("/users/:id");
    answer.statusCode = message.url === "/users/0" ? 404 : 200;
    answer.end("ok");
  });

  for (const id of ["0", "1", "2"]) await ask(port, `/users/${id}`);
  await ask(port, "/users/3", { method: "HEAD" });
  await ask(port, "/elsewhere", { method: "PROPFIND" });

  assert.deepEqual(requests(service), {
    "GET /users/:id 4xx": 1,
    "GET /users/:id 2xx": 2,
    "HEAD /users/:id 2xx": 1,
    "_OTHER (none) 2xx": 1,
  });
  assert.deepEqual(countsOf(service.registry, "http_request_duration_seconds"), {
    "GET /users/:id": 3,
    "HEAD /users/:id": 1,
    "_OTHER (none)": 1,
  });
  assert.deepEqual(errors(service), { "GET /users/:id 4xx 404": 1 });
  assert.equal(inFlight(service), 0);
});

test("instrument() counts kept-alive and pipelined requests one by one", async (t) => {
  const service = testService();
  const agent = keptAlive();
  t.after(() => agent.destroy());
  let listeners = 0;
  const port = await served(t, service, (message, answer) => {
    listeners = Math.max(listeners, message.socket.listenerCount("timeout"));
    answer.end("ok");
  });

  for (let n = 0; n < 5; n += 1) await ask(port, "/", { agent });
  const afterFive = listeners;
  const socket = await sendAndStay(port, "/");
  for (let n = 0; n < 20; n += 1) socket.write("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  await until("all pipelined requests have ended", () => requests(service)["GET (none) 2xx"] === 26);
  socket.destroy();

  assert.equal(inFlight(service), 0);
  assert.deepEqual(errors(service), {});
  assert.ok(afterFive <= 2 && listeners <= 2, `${listeners} listeners on one socket`);
});

for (const [what, isAnswered] of [
  ["wait for their handler", false],
  ["are written, and wait behind another answer", true],
] as const)
  test(`pipelined requests whose answers ${what} end with their connection`, async (t) => {
    const service = testService();
    const arrived = gate();
    let handled = 0;
    const port = await served(t, service, (message, answer) => {
      if (isAnswered && message.url !== "/slow") answer.end("ok");
      handled += 1;
      if (handled === 3) arrived.open();
    });

    const socket = await sendAndStay(port, "/slow");
    for (let n = 0; n < 2; n += 1) socket.write("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    await arrived.opened;
    assert.equal(inFlight(service), 3);
    socket.destroy();

    await until("all requests are over", () => inFlight(service) === 0);
    assert.deepEqual(errors(service), { "GET (none) aborted (aborted)": 3 });
    assert.equal(service.numbers().requests_total, 3);
  });

for (const how of ["destroy", "resetAndDestroy", "end"] as const)
  for (const isBegun of [false, true])
    test(`a client that leaves by ${how} ${isBegun ? "amid" : "before"} the answer is aborted, once`, async (t) => {
      const service = testService();
      const arrived = gate();
      const port = await served(t, service, (_message, answer) => {
        if (isBegun) answer.write("begun");
        arrived.open();
      });

      const socket = await sendAndStay(port, "/");
      await arrived.opened;
      assert.equal(inFlight(service), 1);
      assert.equal(service.numbers().requests_total, 1);
      if (isBegun) await once(socket, "data");
      socket[how]();

      await until("the request is over", () => inFlight(service) === 0);
      assert.deepEqual(requests(service), { [`GET (none) ${isBegun ? "2xx" : "(none)"}`]: 1 });
      assert.deepEqual(errors(service), { "GET (none) aborted (aborted)": 1 });
      assert.equal(service.numbers().errors_total, 0);
      socket.destroy();
    });

test("an answer that its service breaks off is an exception of the service, by the error's code", async (t) => {
  const service = testService();
  const port = await served(t, service, async (message, answer) => {
    if (message.url === "/silent") {
      answer.write("begun");
      setImmediate(() => answer.destroy());
      return;
    }
    async function* halves(): AsyncGenerator<string> {
      yield "half";
      await new Promise((resolve) => setImmediate(resolve));
      throw Object.assign(new Error("the source broke"), { code: "E_SOURCE" });
    }
    await pipeline(Readable.from(halves()), answer).catch(() => undefined);
  });

  const answers = [await ask(port, "/stream"), await ask(port, "/silent")];

  await until("both are over", () => inFlight(service) === 0);
  assert.deepEqual(
    answers.map(({ isComplete }) => isComplete),
    [false, false],
  );
  assert.deepEqual(errors(service), {
    "GET (none) exception E_SOURCE": 1,
    "GET (none) exception (incomplete)": 1,
  });
  assert.equal(service.numbers().errors_total, 2);
});

test("a connection whose time is over is a timeout, and ends as without being counted", async (t) => {
  const service = testService();
  const server = createServer(() => undefined);
  service.instrument(server);
  server.timeout = 30;
  t.after(() => closing(server));
  const port = await listening(server);

  const answer = await ask(port, "/");

  assert.equal(answer.status, 0);
  await until("it is over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), { "GET (none) timeout (timeout)": 1 });
});

test("listener() sees what is thrown and rejected, and hides nothing", async (t) => {
  const service = testService();
  const throwing = service.listener(() => {
    throw new RangeError("sync");
  }, "/sync");
  const rejecting = service.listener(async () => {
    throw Object.assign(new Error("async"), { code: "E_LATER" });
  }, "/async");
  const seen: string[] = [];
  const port = await served(t, service, async (message, answer) => {
    try {
      await (message.url === "/sync" ? throwing : rejecting)(message, answer);
    } catch (error) {
      seen.push((error as Error).message);
      answer.writeHead(500).end();
    }
  });

  await ask(port, "/sync");
  await ask(port, "/async");

  assert.deepEqual(seen, ["sync", "async"]);
  assert.deepEqual(errors(service), {
    "GET /sync exception RangeError": 1,
    "GET /async exception E_LATER": 1,
  });
  assert.deepEqual(requests(service), { "GET /sync 5xx": 1, "GET /async 5xx": 1 });
});

test("failed() keeps an error behind an answer that says all is well from being lost", async (t) => {
  const service = testService();
  const port = await served(t, service, async (_message, answer) => {
    await new Promise((resolve) => setImmediate(resolve));
    service.failed(new TypeError("the model is down"));
    answer.end("I could not find an answer.");
  });

  await ask(port, "/");

  assert.deepEqual(errors(service), { "GET (none) exception TypeError": 1 });
});

test("rateLimited() and a 429 of one request count once", async (t) => {
  const service = testService();
  const port = await served(t, service, async (message, answer) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (message.url !== "/answer") service.rateLimited();
    answer.writeHead(message.url === "/call" ? 503 : 429).end();
  });

  for (const path of ["/both", "/answer", "/call"]) await ask(port, path);
  service.rateLimited();

  assert.equal(service.numbers().rate_limited_total, 4);
  assert.deepEqual(errors(service), { "GET (none) 5xx 503": 1 });
});

test("an upgraded connection is no request", async (t) => {
  const service = testService();
  const server = createServer((_message, answer) => answer.end());
  server.on("upgrade", (_message, socket) => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  });
  service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  const asked = request({ port, headers: { connection: "Upgrade", upgrade: "x" } }).end();
  await once(asked, "upgrade");
  await ask(port, "/");

  assert.deepEqual(requests(service), { "GET (none) 2xx": 1 });
  assert.equal(inFlight(service), 0);
});

test("what instrument() answers ends it, requests under way excepted", async (t) => {
  const service = testService();
  const wait = gate();
  const arrived = gate();
  const server = createServer(async (message, answer) => {
    arrived.open();
    if (message.url === "/slow") await wait.opened;
    answer.end();
  });
  const stop = service.instrument(server);
  t.after(() => closing(server));
  const port = await listening(server);

  const slow = ask(port, "/slow");
  await arrived.opened;
  stop();
  await ask(port, "/");
  wait.open();
  await slow;

  assert.deepEqual(requests(service), { "GET (none) 2xx": 1 });
});

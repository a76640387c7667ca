import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { until } from "../../test/kit/until.js";
import type { ServiceMetrics } from "./index.js";
import { countsOf, gate, inFlight, testService } from "./service.testkit.js";

async function served(
  t: TestContext,
  service: ServiceMetrics,
  listener: (message: Http2ServerRequest, answer: Http2ServerResponse) => void,
): Promise<ClientHttp2Session> {
  const server = createServer(listener);
  service.instrument(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on("error", () => undefined);
  t.after(() => {
    session.destroy();
    server.close();
  });
  return session;
}

function sent(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  return session
    .request({ ":path": path })
    .on("error", () => undefined)
    .resume();
}

/** Other than `once`, no matter how. */
function closed(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

const errors = (service: ServiceMetrics): Record<string, number> =>
  countsOf(service.registry, "http_request_errors_total");

test("instrument() counts the streams of one connection of HTTP/2 one by one", async (t) => {
  const service = testService();
  let listeners = 0;
  const session = await served(t, service, (message, answer) => {
    listeners = Math.max(listeners, message.stream.session?.socket.listenerCount("timeout") ?? 0);
    answer.statusCode = message.url === "/1" ? 404 : 200;
    answer.end("fine");
  });

  await Promise.all(Array.from({ length: 30 }, (_, n) => closed(sent(session, `/${n}`))));

  await until("all are over", () => inFlight(service) === 0);
  assert.deepEqual(countsOf(service.registry, "http_requests_total"), {
    "GET (none) 4xx": 1,
    "GET (none) 2xx": 29,
  });
  assert.ok(listeners < 5, `${listeners} listeners on one socket`);
});

for (const [how, leave] of [
  ["cancels", (stream: ClientHttp2Stream): unknown => stream.close(8)],
  ["destroys its stream", (stream: ClientHttp2Stream): unknown => stream.destroy()],
  ["drops the connection", (stream: ClientHttp2Stream): unknown => stream.session?.destroy()],
] as const)
  test(`a client of HTTP/2 that ${how} is aborted, once`, async (t) => {
    const service = testService();
    const arrived = gate();
    const session = await served(t, service, (_message, answer) => {
      answer.write("begun");
      arrived.open();
    });

    const stream = sent(session, "/");
    await arrived.opened;
    assert.equal(inFlight(service), 1);
    await once(stream, "response");
    leave(stream);

    await until("it is over", () => inFlight(service) === 0);
    assert.deepEqual(errors(service), { "GET (none) aborted (aborted)": 1 });
  });

test("a client of HTTP/2 that cancels while much is still to be sent is aborted too", async (t) => {
  const service = testService();
  const session = await served(t, service, (_message, answer) => {
    answer.write(Buffer.alloc(4 * 2 ** 20));
  });

  const stream = session.request({ ":path": "/" }).on("error", () => undefined);
  await once(stream, "response");
  stream.pause();
  stream.close(8);

  await until("it is over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), { "GET (none) aborted (aborted)": 1 });
});

test("an answer of HTTP/2 that its service breaks off is an exception", async (t) => {
  const service = testService();
  const session = await served(t, service, (message, answer) => {
    answer.write("half");
    const error = Object.assign(new Error("broke"), { code: "E_BROKE" });
    setImmediate(() => message.stream.destroy(message.url === "/error" ? error : undefined));
  });

  for (const path of ["/error", "/silent"]) await closed(sent(session, path));

  await until("both are over", () => inFlight(service) === 0);
  assert.deepEqual(errors(service), {
    "GET (none) exception E_BROKE": 1,
    "GET (none) exception (incomplete)": 1,
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { FakeSource } from "../../test/kit/fake-source.js";
import { madeUpLetter, madeUpRequest, seededRandom } from "../../test/kit/feed.js";
import { ManualClock } from "../base/index.js";
import { openServer, type RunningServer, type ServerOptions, type WireFrame } from "./index.js";

const startMs = Date.UTC(2026, 0, 2, 12);
const token = "0123456789abcdef";

interface Setup extends AsyncDisposable {
  readonly source: FakeSource;
  readonly server: RunningServer;
}

async function setUp(options: Partial<ServerOptions> = {}): Promise<Setup> {
  const source = new FakeSource(startMs);
  const random = seededRandom(7);
  source.settle(Array.from({ length: 50 }, (_, i) => madeUpRequest(startMs - i * 100, random)));
  source.bury(madeUpLetter(1, startMs, '{"broken <b>'));
  const server = await openServer({ source, port: 0, ...options });
  return { source, server, [Symbol.asyncDispose]: () => server.close() };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** fetch() lets nobody choose Host or Origin. */
function ask(
  server: RunningServer,
  path: string,
  options: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = server;
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path,
        method: options.method ?? "GET",
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      },
    );
    request.on("error", reject).end(options.body);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into whatever JSON comes
async function json(server: RunningServer, path: string): Promise<{ status: number; body: any }> {
  const { status, text } = await ask(server, path);
  return { status, body: JSON.parse(text) };
}

test("GET /api/v1/query answers a window, a group and totals", async () => {
  await using set = await setUp();

  const totals = await json(set.server, "/api/v1/query?metric=requests");
  assert.equal(totals.body.all.value, 50);
  assert.deepEqual(totals.body.span, { kind: "total" });
  const minute = await json(set.server, "/api/v1/query?metric=latency&window=1m&groups=2");
  assert.equal(minute.body.span.toMs - minute.body.span.fromMs, 60_000);
  assert.equal(minute.body.groups.length, 2);
  const { route, status } = totals.body.groups[0].by;
  const group = await json(
    set.server,
    `/api/v1/query?metric=requests&by.route=${encodeURIComponent(route)}&by.status=${status}`,
  );
  assert.equal(group.body.all.value, totals.body.groups[0].value);
});

test("GET /api/v1/query writes numbers that do not exist as null", async () => {
  await using set = await setUp();
  set.source.events.length = 0;

  const { body } = await json(set.server, "/api/v1/query?metric=latency");

  assert.equal(body.all.p95, null);
  assert.equal(body.all.n, 0);
});

test("GET /api/v1/… refuses what it does not understand, with code, message and hint", async () => {
  await using set = await setUp();
  const expected: [string, number, string, RegExp][] = [
    ["query?metric=latencie", 404, "METRIC_UNKNOWN", /did you mean latency\?/],
    ["series?metric=request", 404, "METRIC_UNKNOWN", /did you mean requests\?/],
    ["query", 400, "QUERY_INVALID", /without the parameter "metric"/],
    ["query?metric=latency&window=1y", 400, "QUERY_INVALID", /expected a span such as/],
    ["query?metric=latency&window=1m&window=2m", 400, "QUERY_INVALID", /twice/],
    ["query?metric=latency&wndow=1m", 400, "QUERY_INVALID", /expected metric, window, groups, by\.FIELD/],
    ["query?metric=latency&by.coin=x", 400, "QUERY_INVALID", /grouped by route/],
    ["query?metric=latency&groups=0", 400, "QUERY_INVALID", /1\.\.10000/],
    ["series?metric=latency&window=24h&step=1s", 400, "QUERY_INVALID", /86400 points/],
    ["dead-letters/9", 404, "HTTP_NOT_FOUND", /none with this number/],
    ["dead-letters/abc", 404, "HTTP_NOT_FOUND", /none/],
    ["nothing", 404, "HTTP_NOT_FOUND", /nothing here/],
    ["%zz", 400, "HTTP_REQUEST_INVALID", /not a valid url/],
    [`dead-letters/${"1".repeat(200)}`, 414, "HTTP_REQUEST_INVALID", /exceed/],
    ["dead-letters?reason=parze", 400, "QUERY_INVALID", /parse, shape/],
    ["query?metric=latency&by.route=a&absent.route=", 400, "QUERY_INVALID", /both/],
  ];
  for (const [path, status, code, text] of expected) {
    const answer = await json(set.server, `/api/v1/${path}`);

    assert.equal(answer.status, status, path);
    assert.equal(answer.body.error.code, code, path);
    assert.match(`${answer.body.error.message} ${answer.body.error.hint ?? ""}`, text);
  }
});

test("GET /api/v1/dead-letters shows bytes as base64 and, where they are UTF-8, as text", async () => {
  await using set = await setUp();
  const odd = { ...madeUpLetter(2, startMs, ""), bytes: Uint8Array.of(0xff, 0, 0x41) };
  set.source.bury(odd);

  const { body } = await json(set.server, "/api/v1/dead-letters?limit=1");
  assert.equal(body.total, 2);
  assert.equal(body.next, 2);
  assert.deepEqual(Buffer.from(body.items[0].base64, "base64"), Buffer.from(odd.bytes));
  assert.ok(!("text" in body.items[0]));
  const one = await json(set.server, "/api/v1/dead-letters/1");
  assert.equal(one.body.text, '{"broken <b>');
  assert.equal(one.body.at.offset, 81_234);
});

test("GET /metrics answers each request in the format that its own Accept prefers", async () => {
  await using setup = await setUp();
  const textType = "text/plain; version=0.0.4; charset=utf-8";
  const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

  const accepts = [
    "application/openmetrics-text",
    "text/plain",
    undefined,
    "application/openmetrics-text",
    ";",
  ];
  const answers = await Promise.all(
    accepts.map((accept) =>
      ask(setup.server, "/metrics", accept === undefined ? {} : { headers: { accept } }),
    ),
  );

  const types = answers.map(({ headers }) => headers["content-type"]);
  assert.deepEqual(types, [openMetricsType, textType, textType, openMetricsType, textType]);
  for (const { status, headers, text } of answers) {
    assert.equal(status, 200);
    assert.equal(headers.vary, "accept");
    assert.match(text, /\nrequests_total\{route="/);
    assert.equal(text.endsWith("\n# EOF\n"), headers["content-type"] === openMetricsType);
  }
  const head = await ask(setup.server, "/metrics", { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-type"], head.text], [200, textType, ""]);
});

test("GET /metrics has the server's own requests, by route and not by path", async () => {
  await using setup = await setUp();

  await ask(setup.server, "/api/v1/dead-letters/77");
  await ask(setup.server, "/api/v1/dead-letters/78");
  await ask(setup.server, "/no/such/page");
  const { text } = await ask(setup.server, "/metrics");

  const counts = [...text.matchAll(/^poundlock_http_request_seconds_count\{(.*)\} (\d+)$/gm)].map(
    ([, labels, count]) => `${labels} ${count}`,
  );
  assert.deepEqual(counts.sort(), [
    'method="GET",route="(none)",status="404" 1',
    'method="GET",route="/api/v1/dead-letters/:id",status="404" 2',
  ]);
});

test("health says that the process lives and whether the store answers", async () => {
  await using set = await setUp();
  assert.equal((await ask(set.server, "/readyz")).status, 200);
  set.source.failure = new Error("gone");

  assert.equal((await ask(set.server, "/healthz")).status, 200);
  const ready = await json(set.server, "/readyz");
  assert.equal(ready.status, 503);
  assert.equal(ready.body.message, "gone");
  assert.equal((await ask(set.server, "/api/v1/ledger")).status, 500);
});

test("the first HTML has the numbers, escaped, under a strict policy", async () => {
  await using set = await setUp();
  set.source.settle([{ timeMs: startMs, route: "</script><img src=x>", status: "200", durationMs: 1 }]);

  const { text, headers } = await ask(set.server, "/?window=all");

  assert.match(text, /<th scope="row">app<\/th><td>52<\/td><td>51<\/td>/);
  assert.match(text, /&lt;\/script&gt;/);
  assert.ok(!text.includes("<img src=x>"));
  const data = /<script type="application\/json" id="first-frame">(.*?)<\/script>/s.exec(text)![1]!;
  assert.equal((JSON.parse(data) as WireFrame).parts["answer:requests"]!.all.value, 51);
  assert.match(
    String(headers["content-security-policy"]),
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
  );
  assert.equal(headers["x-content-type-options"], "nosniff");
});

test("requests from foreign pages and under foreign names get 403, also for a WebSocket", async () => {
  await using set = await setUp();
  const { server } = set;
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };

  for (const path of ["/api/v1/ledger", "/metrics", "/", "/ws"]) {
    const more = path === "/ws" ? upgrade : {};
    const rebound = await ask(server, path, { headers: { ...more, host: "evil.example:4600" } });
    assert.equal(rebound.status, 403, path);
    assert.equal(JSON.parse(rebound.text).error.code, "HTTP_HOST_REFUSED");
    const foreign = await ask(server, path, { headers: { ...more, origin: "http://evil.example" } });
    assert.equal(foreign.status, 403, path);
    assert.equal(JSON.parse(foreign.text).error.code, "HTTP_ORIGIN_REFUSED");
  }
  assert.equal((await ask(server, "/elsewhere", { headers: upgrade })).status, 404);
});

test("beyond loopback everything that tells about data needs the token; signing in sets a cookie that counts as one", async () => {
  await assert.rejects(setUp({ host: "0.0.0.0" }), { code: "SERVER_TOKEN_MISSING" });
  await using set = await setUp({ host: "0.0.0.0", token });
  const { server } = set;

  for (const path of ["/api/v1/ledger", "/api/v1/dead-letters/1", "/metrics", "/api/v1/snapshot"])
    assert.equal((await ask(server, path)).status, 401, path);
  const page = await ask(server, "/");
  assert.equal(page.status, 401);
  assert.match(page.text, /Token of this server/);
  assert.ok(!page.text.includes("latency"));
  assert.equal((await ask(server, "/healthz")).status, 200);

  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
  assert.equal((await ask(server, "/session", { ...form, body: "token=wrong" })).status, 401);
  const signedIn = await ask(server, "/session", { ...form, body: `token=${token}` });
  assert.equal(signedIn.status, 303);
  const cookie = String(signedIn.headers["set-cookie"]);
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  assert.equal(
    (await ask(server, "/api/v1/ledger", { headers: { cookie: cookie.split(";")[0]! } })).status,
    200,
  );
  assert.equal(
    (
      await ask(server, "/api/v1/ledger", {
        headers: { authorization: `Bearer ${token}`, host: "any.example" },
      })
    ).status,
    200,
  );
});

test("a body, a header or an upgrade that is too much is refused and the server goes on", async () => {
  await using set = await setUp({ token });
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };

  assert.equal(
    (await ask(set.server, "/session", { ...form, body: `token=${"x".repeat(20_000)}` })).status,
    413,
  );
  assert.equal(
    (await ask(set.server, "/api/v1/status", { headers: { "x-long": "x".repeat(20_000) } })).status,
    431,
  );
  const socket = connect(set.server.port, "127.0.0.1");
  socket.write("GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\n\r\n");
  const [reply] = await once(socket, "data");
  assert.match(String(reply), /^HTTP\/1\.1 4\d\d /);
  socket.destroy();
  assert.equal((await ask(set.server, "/healthz")).status, 200);
});

async function frames(socket: WebSocket, until: (frame: WireFrame) => boolean): Promise<WireFrame> {
  for (;;) {
    const [data] = await once(socket, "message");
    const frame = JSON.parse(String(data)) as WireFrame;
    if (until(frame)) return frame;
  }
}

test("/ws sends a snapshot, then changes as they are settled, and another window when asked", async () => {
  await using set = await setUp();
  const socket = new WebSocket(`ws://127.0.0.1:${set.server.port}/ws?window=1m`);

  const snapshot = await frames(socket, ({ type }) => type === "snapshot");
  assert.equal(snapshot.windowMs, 60_000);
  assert.equal(snapshot.parts["answer:requests"]!.all.value, 50);

  set.source.settle([madeUpRequest(startMs, seededRandom(1))]);
  const changes = await frames(socket, (frame) => frame.parts["answer:requests"] !== undefined);
  assert.equal(changes.type, "changes");
  assert.equal(changes.parts["answer:requests"]!.all.value, 51);

  socket.send('{"type":"window","windowMs":null}');
  const totals = await frames(socket, ({ type }) => type === "snapshot");
  assert.equal(totals.windowMs, null);
  assert.equal(totals.parts["answer:requests"]!.span.kind, "total");

  socket.send("nonsense");
  const refusal = await frames(socket, (frame) => (frame.type as string) === "refusal");
  assert.match(JSON.stringify(refusal), /Cannot understand the message/);
  const closed = once(socket, "close");
  await set.server.close();
  assert.equal((await closed)[0], 1001);
});

test("/ws costs a bounded amount for a client that reads nothing", async () => {
  await using set = await setUp({ clientBufferedBytesMax: 64 * 1024 });
  const stuck = connect(set.server.port, "127.0.0.1");
  stuck.write(
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await once(stuck, "data");
  stuck.pause();
  const lively = new WebSocket(`ws://127.0.0.1:${set.server.port}/ws`);
  await frames(lively, ({ type }) => type === "snapshot");

  for (let value = 51; value <= 56; value += 1) {
    set.source.settle([madeUpRequest(startMs, seededRandom(value))]);
    const frame = await frames(lively, ({ parts }) => parts["answer:requests"] !== undefined);
    assert.equal(frame.parts["answer:requests"]!.all.value, value);
  }

  stuck.destroy();
  lively.terminate();
});

test("GET /metrics hangs up on a scraper that takes nothing for a minute, and answers others meanwhile", async () => {
  const clock = new ManualClock(startMs);
  await using set = await setUp({ clock });
  const routes = Array.from({ length: 1000 }, (_, at) => `/route-${at}-${"x".repeat(200)}`);
  set.source.settle(routes.map((route) => ({ timeMs: startMs, route, status: "200", durationMs: 5 })));
  const stuck = connect(set.server.port, "127.0.0.1").on("error", () => {});
  stuck.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(stuck, "data");
  stuck.pause();

  const other = await ask(set.server, "/metrics");
  clock.advance(60_000);

  assert.ok(other.text.length > 5_000_000);
  // What was on its way is still read; then the connection is over, without the chunk that ends an answer.
  let end = "";
  stuck.on("data", (data) => {
    end = (end + data).slice(-10);
  });
  stuck.resume();
  await once(stuck, "close");
  assert.doesNotMatch(end, /\r\n0\r\n\r\n$/);
});

test("openServer() says who has the port", async () => {
  await using set = await setUp();

  await assert.rejects(setUp({ port: set.server.port }), (error: Error & { code: string; hint: string }) => {
    assert.equal(error.code, "SERVER_LISTEN_FAILED");
    assert.match(error.message, /another program has the port/);
    assert.match(error.hint, /--port/);
    return true;
  });
});

test("close() may be called twice and leaves nothing listening", async () => {
  const set = await setUp();

  await Promise.all([set.server.close(), set.server.close()]);

  await assert.rejects(ask(set.server, "/healthz"), { code: "ECONNREFUSED" });
});

/** A raw connection that is kept open on this side whatever the server does. */
async function rawAsk(port: number, lines: readonly string[]): Promise<{ socket: Socket; answer: string }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write(`${[lines[0], `Host: 127.0.0.1:${port}`, ...lines.slice(1)].join("\r\n")}\r\n\r\n`);
  const [data] = (await once(socket, "data")) as [Buffer];
  return { socket, answer: String(data) };
}

test("a refused WebSocket whose client never hangs up keeps no connection and does not keep the server from closing", async () => {
  const set = await setUp();
  const { socket, answer } = await rawAsk(set.server.port, [
    "GET /elsewhere HTTP/1.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
  ]);
  assert.match(answer, /^HTTP\/1\.1 404 /);

  const closed = set.server.close().then(() => "closed");

  assert.equal(await Promise.race([closed, once(socket, "close").then(() => closed)]), "closed");
  socket.destroy();
});

test("a client that offers HTTP/2 gets its answer over HTTP/1.1", async () => {
  await using set = await setUp();
  const { socket, answer } = await rawAsk(set.server.port, [
    "GET /api/v1/ledger HTTP/1.1",
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
  ]);
  socket.destroy();

  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  assert.match(answer, /"accepted":51/);
});

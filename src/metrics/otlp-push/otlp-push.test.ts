import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { messageType, plain } from "../../../test/kit/schemas.js";
import { until } from "../../../test/kit/until.js";
import { ManualClock, type Notice } from "../../base/index.js";
import { encodeOtlp } from "../formats/encode-otlp.js";
import type { MetricsSnapshot } from "../snapshot.js";
import { parseRetryAfter } from "./otlp-post.js";
import { type OtlpPusher, type OtlpPushOptions, pushOtlp } from "./otlp-push.js";

const service = "opentelemetry/proto/collector/metrics/v1/metrics_service.proto";
const requestType = messageType(
  service,
  "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
);
const responseType = messageType(
  service,
  "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse",
);
const startMs = 1_795_000_000_000;
const intervalMs = 60_000;

interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A receiver that answers as it is told, last words repeated. */
class Collector {
  readonly received: Received[] = [];
  readonly waiting: ServerResponse[] = [];
  mostAtOnce = 0;
  #atOnce = 0;
  #server: Server | undefined;
  port = 0;

  constructor(public answer: (response: ServerResponse) => void) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1/metrics?key=secret`;
  }

  async listen(): Promise<void> {
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    response.once("close", () => {
      this.#atOnce -= 1;
    });
    this.received.push({ headers: request.headers, body: await buffer(request) });
    this.answer(response);
  }
}

function accept(response: ServerResponse): void {
  response.setHeader("content-type", "application/x-protobuf");
  response.end();
}

interface Running {
  readonly collector: Collector;
  readonly pusher: OtlpPusher;
  readonly clock: ManualClock;
  readonly notices: Notice[];
  /** Waits for so many requests since the start. */
  received(count: number): Promise<void>;
  /** Waits until the pusher pauses, so that the clock may be moved. */
  outcomes(count: number): Promise<void>;
}

async function run(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  options: Partial<OtlpPushOptions> = {},
): Promise<Running> {
  const collector = new Collector(answer);
  await collector.listen();
  const clock = new ManualClock(startMs);
  const notices: Notice[] = [];
  const pusher = pushOtlp(
    () => growing(clock.now()),
    {
      url: collector.url,
      intervalMs,
      timeoutMs: 5000,
      onNotice: (notice) => notices.push(notice),
      ...options,
    },
    { clock, random: () => 0.5 },
  );
  t.after(async () => {
    await pusher.close();
    await collector.stop();
  });
  return {
    collector,
    pusher,
    clock,
    notices,
    received: async (count) => {
      await until(`${count} requests came`, () => collector.received.length >= count);
      assert.equal(collector.received.length, count);
    },
    outcomes: async (count) => {
      await until(`${count} pushes ended`, () => pusher.figures.pushed + pusher.figures.failed >= count);
      assert.equal(pusher.figures.pushed + pusher.figures.failed, count);
    },
  };
}

/** A counter whose value is the seconds since the start, and so much text that it is worth compressing. */
function growing(atMs: number): MetricsSnapshot {
  const points = [{ labels: ["x".repeat(2000)], startedMs: startMs, value: (atMs - startMs) / 1000 }];
  return {
    atMs,
    isExact: true,
    families: [{ kind: "counter", name: "seconds", help: "", labelNames: ["l"], points }],
  };
}

function valueIn({ body, headers }: Received): number {
  const bytes = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  const request = plain(requestType, requestType.decode(bytes));
  const [resource] = request.resourceMetrics as [
    { scopeMetrics: [{ metrics: [{ sum: { dataPoints: [{ asDouble: number }] } }] }] },
  ];
  return resource.scopeMetrics[0].metrics[0].sum.dataPoints[0].asDouble;
}

test("pushOtlp() sends everything at once and then each interval, in one request at a time", async (t) => {
  const headers = { authorization: "Bearer t", "Content-Type": "text/plain" };
  const { collector, pusher, clock, received, outcomes } = await run(t, accept, { headers });

  await outcomes(1);
  clock.advance(intervalMs / 2);
  await outcomes(2);
  clock.advance(intervalMs);
  await outcomes(3);

  await received(3);
  const [first] = collector.received;
  assert.deepEqual(
    [first!.headers["content-type"], first!.headers["content-encoding"], first!.headers.authorization],
    ["application/x-protobuf", "gzip", "Bearer t"],
  );
  assert.deepEqual(gunzipSync(first!.body), Buffer.from(encodeOtlp(growing(startMs))));
  assert.deepEqual(collector.received.map(valueIn), [0, 30, 90]);
  assert.equal(collector.mostAtOnce, 1);
  assert.deepEqual(pusher.figures, { pushed: 3, failed: 0, rejectedPoints: 0, pushedMs: startMs + 90_000 });
});

test("pushOtlp() sends JSON, and plain, when told to", async (t) => {
  const { collector, outcomes } = await run(t, accept, { encoding: "json", gzip: false });

  await outcomes(1);

  const [{ headers, body }] = collector.received as [Received];
  assert.deepEqual([headers["content-type"], headers["content-encoding"]], ["application/json", undefined]);
  assert.equal(body.toString(), encodeOtlp(growing(startMs), { encoding: "json" }));
});

test("pushOtlp() keeps on while the collector is away, waiting longer each time, and loses nothing", async (t) => {
  const { collector, pusher, clock, notices, outcomes } = await run(t, accept);
  await outcomes(1);
  await collector.stop();

  // The usual time; then, with random() = 0.5, three quarters of 1, 2, 4, … seconds.
  for (const [at, ms] of [30_000, 750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000].entries()) {
    clock.advance(ms - 1);
    await outcomes(at + 1);
    clock.advance(1);
    await outcomes(at + 2);
  }
  await collector.listen();
  clock.advance(45_000);
  await outcomes(11);

  assert.equal(pusher.figures.failed, 9);
  assert.equal(valueIn(collector.received.at(-1)!), (clock.now() - startMs) / 1000);
  assert.deepEqual(
    notices.map(({ name }) => name),
    [...new Array<string>(9).fill("metrics.push-failed"), "metrics.push-recovered"],
  );
  assert.match(
    notices[0]!.message!,
    /^Cannot push metrics to http:\/\/127.0.0.1:\d+\/v1\/metrics: ECONN(REFUSED|RESET)$/,
  );

  // It begins at one second again.
  collector.answer = (response) => response.writeHead(503).end();
  clock.advance(60_000);
  await outcomes(12);
  clock.advance(750);
  await outcomes(13);
});

for (const [status, retryAfter, waitsMs] of [
  [503, "7", 7000],
  [429, new Date(startMs + 90_000).toUTCString(), 90_000],
  [429, "1000000", 3_600_000],
  [502, "nonsense", 250],
  [504, undefined, 250],
] as const)
  test(`pushOtlp() comes back after status ${status} with Retry-After ${retryAfter}`, async (t) => {
    const { collector, clock, outcomes } = await run(t, (response) => {
      if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
      response.writeHead(status).end();
    });
    await outcomes(1);
    collector.answer = accept;

    // Half a second of jitter.
    clock.advance(waitsMs + 499);
    await outcomes(1);
    clock.advance(1);
    await outcomes(2);

    assert.equal(valueIn(collector.received[1]!), (waitsMs + 500) / 1000);
  });

test("pushOtlp() gives up a request that hangs", async (t) => {
  const { collector, clock, notices, received, outcomes } = await run(t, () => undefined);
  await received(1);
  clock.advance(4999);
  await outcomes(0);
  clock.advance(1);
  await outcomes(1);
  collector.answer = accept;

  clock.advance(750);
  await outcomes(2);

  assert.match(notices[0]!.message!, /no answer within 5000 ms$/);
  assert.equal(collector.mostAtOnce, 1);
});

test("pushOtlp() gives up an answer that hangs in its middle", async (t) => {
  const collector = new Collector((response) =>
    response.writeHead(200, { "content-length": 10 }).write("1234"),
  );
  await collector.listen();
  const notices: Notice[] = [];
  // On the real clock: that the client has read the beginning can't be seen from outside.
  const pusher = pushOtlp(() => growing(startMs), {
    url: collector.url,
    timeoutMs: 200,
    onNotice: (notice) => notices.push(notice),
  });
  t.after(() => Promise.all([pusher.close(), collector.stop()]));

  await until("it gave up", () => pusher.figures.failed === 1);

  assert.match(notices[0]!.message!, /no answer within 200 ms$/);
});

test("pushOtlp() sends nothing more before its usual time when a request is refused", async (t) => {
  // google.rpc.Status: code 3, message "no such tenant".
  const status = Buffer.concat([Buffer.from([8, 3, 18, 14]), Buffer.from("no such tenant")]);
  for (const [code, body, expected] of [
    [400, status, /status 400: no such tenant$/],
    [500, Buffer.from("<html>"), /status 500$/],
    [307, Buffer.alloc(0), /status 307$/],
    [200, Buffer.alloc(4 * 1024 * 1024 + 1), /more than 4194304 bytes$/],
  ] as const) {
    const { collector, pusher, clock, notices, outcomes } = await run(t, (response) => {
      response.writeHead(code, { "content-type": "application/x-protobuf", location: "/other" }).end(body);
    });
    await outcomes(1);
    collector.answer = accept;

    clock.advance(29_999);
    await outcomes(1);
    clock.advance(1);
    await outcomes(2);

    assert.equal(notices[0]!.name, "metrics.push-refused");
    assert.match(notices[0]!.message!, expected);
    assert.doesNotMatch(JSON.stringify(notices), /secret/);
    assert.equal(pusher.figures.pushed, 1);
  }
});

test("pushOtlp() tells of points that were not taken, and does not send them again", async (t) => {
  const partialSuccess = { rejectedDataPoints: 3, errorMessage: "too old" };
  const answers: [string, Uint8Array | string, number][] = [
    ["application/x-protobuf", responseType.encode(responseType.fromObject({ partialSuccess })).finish(), 3],
    [
      "application/json",
      JSON.stringify({ partialSuccess: { ...partialSuccess, rejectedDataPoints: "3" } }),
      3,
    ],
    ["application/json", '{"partialSuccess":{"errorMessage":"too old"}}', 0],
  ];
  for (const [type, body, rejected] of answers) {
    const { pusher, clock, notices, outcomes } = await run(t, (response) => {
      response.writeHead(200, { "content-type": type }).end(body);
    });
    await outcomes(1);

    clock.advance(29_999);
    await outcomes(1);

    assert.equal(pusher.figures.rejectedPoints, rejected);
    assert.deepEqual(
      notices.map(({ name, data }) => [name, data!.rejectedPoints]),
      [["metrics.push-partial", rejected]],
    );
    assert.match(notices[0]!.message!, new RegExp(`${rejected} points were not taken: too old`));
  }
});

test("pushOtlp() takes any answer with status 200 for a success", async (t) => {
  for (const [type, body] of [
    ["application/json", "{}"],
    ["application/json", "not JSON"],
    ["application/json", "null"],
    ["application/x-protobuf", "\u00ff\u00ff"],
    ["text/html", "<html>"],
  ]) {
    const { pusher, notices, outcomes } = await run(t, (response) => {
      response.writeHead(200, { "content-type": type }).end(body);
    });
    await outcomes(1);

    assert.deepEqual([pusher.figures.pushed, notices], [1, []]);
  }
});

test("OtlpPusher.drain() sends what is there by then, after the request on its way, and ends", async (t) => {
  const { collector, pusher, clock, received } = await run(t, (response) => collector.waiting.push(response));
  await received(1);
  clock.advance(1000);

  const drained = pusher.drain();
  collector.answer = accept;
  accept(collector.waiting[0]!);
  await drained;

  assert.deepEqual(collector.received.map(valueIn), [0, 1]);
  clock.advance(intervalMs * 3);
  await pusher.drain();
  await received(2);
});

test("OtlpPusher.drain() does not wait for the next time, and ends after a failure too", async (t) => {
  const { collector, pusher, clock, outcomes } = await run(t, accept);
  await outcomes(1);
  clock.advance(2000);
  collector.answer = (response) => response.writeHead(503).end();

  await pusher.drain();

  assert.deepEqual(collector.received.map(valueIn), [0, 2]);
  assert.equal(pusher.figures.failed, 1);
});

test("OtlpPusher.close() ends at once, in a request, a pause or a snapshot that never comes", async (t) => {
  const hanging = await run(t, () => undefined);
  await hanging.received(1);
  const pausing = await run(t, accept);
  await pausing.outcomes(1);
  const never = pushOtlp(() => new Promise(() => undefined), { url: "http://127.0.0.1:9/" });

  await Promise.all([hanging.pusher.close(), pausing.pusher.close(), never.close()]);

  pausing.clock.advance(intervalMs * 3);
  await pausing.received(1);
  assert.deepEqual([hanging.notices, pausing.notices], [[], []]);
});

test("pushOtlp() goes on when no snapshot can be taken", async (t) => {
  const collector = new Collector(accept);
  await collector.listen();
  const clock = new ManualClock(startMs);
  const notices: Notice[] = [];
  let calls = 0;
  const take = (): MetricsSnapshot => {
    calls += 1;
    if (calls === 1) throw new Error("not yet");
    return growing(clock.now());
  };
  const pusher = pushOtlp(
    take,
    { url: collector.url, onNotice: (notice) => notices.push(notice) },
    { clock, random: () => 0.5 },
  );
  t.after(() => Promise.all([pusher.close(), collector.stop()]));

  await until("it has failed", () => pusher.figures.failed === 1);
  clock.advance(750);
  await until("it has pushed", () => pusher.figures.pushed === 1);

  assert.match(notices[0]!.message!, /not yet$/);
});

test("pushOtlp() refuses options that can't work", () => {
  const take = (): MetricsSnapshot => growing(0);
  const url = "http://localhost:4318/v1/metrics";
  for (const options of [
    { url: "localhost:4318" },
    { url: "ftp://localhost/" },
    { url: "http://user:s3cret@localhost/" },
    { url, intervalMs: 99 },
    { url, timeoutMs: 0 },
    { url, headers: { "a b": "c" } },
    { url, headers: { authorization: "s3\ncret" } },
  ])
    assert.throws(
      () => pushOtlp(take, options),
      (error: Error & { code?: string }) => error.code === "OPTION_INVALID" && !/s3|cret/.test(error.message),
    );
});

test("parseRetryAfter() reads seconds and dates, and nothing else", () => {
  const nowMs = Date.UTC(2026, 0, 1);

  assert.deepEqual(
    [
      "0",
      " 12 ",
      "Thu, 01 Jan 2026 00:00:30 GMT",
      "Thu, 01 Jan 2015 00:00:30 GMT",
      "99999999",
      "1.5x",
      "",
      null,
    ].map((header) => parseRetryAfter(header, nowMs)),
    [0, 12_000, 30_000, 0, 3_600_000, undefined, undefined, undefined],
  );
});

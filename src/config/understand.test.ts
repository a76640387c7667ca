import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleLines } from "./sample.js";
import { understand } from "./understand.js";

const repeat = (count: number, line: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => line(i));

const orders = repeat(40, (i) =>
  JSON.stringify({
    time: `2024-07-26T08:31:${10 + i}.717`,
    user: `0xc64cc00b4610${i}`,
    status: ["open", "filled", "canceled"][i % 3],
    order: {
      coin: ["INJ", "BTC"][i % 2],
      side: ["A", "B"][(i >> 1) % 2],
      limitPx: ["25.381", "25.382"][i % 2],
      oid: 12_212_359_592 + i,
      timestamp: 1_721_982_700_270 + i,
      triggerCondition: "N/A",
    },
  }),
);

test("understand() takes order lines for what they are", () => {
  const { formatText, time, metrics, unsure, failed } = understand(orders);

  assert.equal(formatText, "json");
  assert.deepEqual(time, { kind: "field", path: "time", format: "iso" });
  assert.deepEqual(
    metrics.map(({ name, kind, by }) => [name, kind, ...by]),
    [
      ["events", "count", "status"],
      ["events_by_order.coin", "count", "order.coin"],
      ["events_by_order.side", "count", "order.side"],
    ],
  );
  assert.deepEqual(unsure, []);
  assert.deepEqual(failed, { lines: 0, of: 40 });
});

test("understand() is not moved by bad lines, and says how many there were", () => {
  const mixed = [...repeat(60, (i) => `  at frame ${i}`), ...orders];
  const { formatText, metrics, failed } = understand(mixed);

  assert.equal(formatText, "json");
  assert.equal(metrics[0]?.by[0], "status");
  assert.equal(failed.lines, 60);
  assert.equal(failed.first?.line, "  at frame 0");
});

const access = repeat(
  40,
  (i) =>
    `127.0.0.${i} - - [26/Jul/2024:08:31:${10 + i} +0000] "GET /item/${i % 3} HTTP/1.1" ${[200, 404, 500][i % 3]} ${i * 7} "-" "curl/8" 0.${100 + i}`,
);

test("understand() reads an access log and says which unit a convention gave", () => {
  const { formatText, time, metrics, understood, unsure } = understand(access);

  assert.equal(formatText, "combined");
  assert.deepEqual(time, { kind: "field", path: "time", format: "clf" });
  assert.deepEqual(
    metrics.map(({ name, kind }) => [name, kind]),
    [
      ["events", "count"],
      ["events_by_path", "count"],
      ["errors", "ratio"],
      ["bytes", "distribution"],
      ["request_time", "distribution"],
    ],
  );
  assert.ok(understood.includes("errors = status >= 500"));
  assert.deepEqual(unsure, [
    { says: '"request_time" is taken as s, as nginx writes it', settle: "--value request_time=UNIT" },
  ]);
});

test("understand() splits errors by another field than the one that makes them", () => {
  const errors = understand(access).metrics.find(({ name }) => name === "errors");

  assert.deepEqual(errors, {
    name: "errors",
    kind: "ratio",
    from: [],
    by: ["path"],
    of: "events_by_path",
    where: "status >= 500",
  });
});

test("understand() reads logfmt, levels as they are spelled, and units from names", () => {
  const lines = repeat(
    20,
    (i) =>
      `ts=${1_721_982_700 + i} level=${["INFO", "ERROR"][i % 2]} route=/${i % 3} took_us=${i * 10} msg="hello you"`,
  );
  const { formatText, time, metrics, understood } = understand(lines);

  assert.equal(formatText, "logfmt");
  assert.deepEqual(time, { kind: "field", path: "ts", format: "s" });
  assert.ok(understood.includes("duration = took_us (us)"));
  assert.match(JSON.stringify(metrics.find(({ name }) => name === "errors")), /level in \[\\"ERROR\\"/);
});

test("understand() never measures a duration whose unit nothing says", () => {
  const lines = repeat(10, (i) =>
    JSON.stringify({ ts: "2024-07-26T08:31:48Z", latency: i * 184, route: `/r${i % 2}` }),
  );
  const { metrics, unsure } = understand(lines);

  assert.deepEqual(
    metrics.map(({ name }) => name),
    ["events"],
  );
  assert.deepEqual(unsure, [
    {
      says: '"latency" could be s or ms (largest 1656), so it is not measured',
      settle: "--value latency=ms",
    },
  ]);
});

test("understand() takes units from names in any style, and no settings or points in time", () => {
  const event = {
    "@timestamp": 1_721_982_700_270,
    durationMs: 1,
    "http.elapsed_seconds": 2,
    gcNanos: 3,
    timeout_ms: 4,
    startMs: 5,
    createdMs: 1_721_982_700_270,
    s: 6,
  };
  const { time, metrics } = understand(repeat(4, () => JSON.stringify(event)));

  assert.deepEqual(time, { kind: "field", path: "@timestamp", format: "ms" });
  assert.deepEqual(
    metrics.flatMap((rule) => (rule.kind === "distribution" ? [[rule.name, rule.unit, rule.value]] : [])),
    [
      ["durationMs", "ms", "durationMs"],
      ["http.elapsed_seconds", "s", "http.elapsed_seconds"],
      ["gcNanos", "ns", "gcNanos"],
    ],
  );
});

test("understand() finds the time and group of an agent's transcript, and leaves tokens alone", () => {
  const lines = repeat(20, (i) =>
    JSON.stringify({
      type: ["user", "assistant"][i % 2],
      timestamp: "2026-02-10T21:11:59.186Z",
      sessionId: `5560466${i % 2}`,
      message: { id: `m${i >> 1}`, usage: { input_tokens: 3, output_tokens: 13 } },
      ...(i === 19 ? { durationMs: 341_765 } : {}),
    }),
  );
  const { time, metrics, unsure } = understand(lines);

  assert.deepEqual(time, { kind: "field", path: "timestamp", format: "iso" });
  assert.deepEqual(
    metrics.map(({ name, by }) => [name, ...by]),
    [
      ["events", "type"],
      ["durationMs", "type"],
    ],
  );
  assert.match(unsure[0]?.says ?? "", /message\.usage\.input_tokens.*not added up/);
});

test("understand() reads text lines that begin with a time, and counts any others whole", () => {
  const timed = understand(repeat(10, (i) => `2024-07-26 08:31:48,123 ${["INFO", "WARN"][i % 2]} step ${i}`));
  const plain = understand(repeat(10, (i) => `nothing known ${i}`));

  assert.deepEqual(timed.time, { kind: "field", path: "time", format: "iso" });
  assert.deepEqual(timed.metrics[0]?.by, ["level"]);
  assert.deepEqual(plain.time, { kind: "arrival" });
  assert.equal(plain.formatText, "(?<line>.*)");
  assert.equal(plain.metrics.length, 1);
  assert.equal(plain.unsure.length, 2);
});

test("understand() does as it is told about format and time", () => {
  const lines = repeat(6, (i) => `${i}|${["a", "b"][i % 2]}|1721982700${i}00`);
  const { time, metrics } = understand(lines, {
    format: String.raw`^\d+\|(?<kind>\w)\|(?<when>\d+)$`,
    time: "when",
  });

  assert.deepEqual(time, { kind: "field", path: "when", format: "ms" });
  assert.deepEqual(metrics[0]?.by, ["kind"]);
});

test("understand() of no lines counts events", () => {
  const { formatText, metrics } = understand([]);

  assert.equal(formatText, "json");
  assert.deepEqual(
    metrics.map(({ name, by }) => [name, by]),
    [["events", []]],
  );
});

test("sampleLines() leaves out blank lines, a BOM, CR and a line that is not complete", () => {
  const bytes = Buffer.from("\uFEFFa\r\n\r\n \nb\nc");

  assert.deepEqual(sampleLines(bytes, false), ["a", "b"]);
  assert.deepEqual(sampleLines(bytes, true), ["a", "b", "c"]);
});

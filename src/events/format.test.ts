import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDecoder } from "./decoder.js";
import { FormatError } from "./errors.js";
import { parsePath, wholeEvent } from "./field-path.js";
import { parseFormat } from "./format.js";
import { collect } from "./sink.testkit.js";

const combinedFields =
  "host ident user time method path protocol status bytes referer agent request_time".split(" ");

function combined(line: string): Record<string, unknown> {
  const decoder = compileDecoder(parseFormat("combined"), combinedFields.map(parsePath));
  const { events, failures } = collect(decoder, line);
  assert.deepEqual(failures, []);
  return Object.fromEntries(
    combinedFields.map((name, i) => [name, events[0]![i]]).filter(([, value]) => value !== undefined),
  );
}

test("combined reads Apache's example line", () => {
  const fields = combined(
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
  );

  assert.deepEqual(fields, {
    host: "127.0.0.1",
    ident: "-",
    user: "frank",
    time: "10/Oct/2000:13:55:36 -0700",
    method: "GET",
    path: "/apache_pb.gif",
    protocol: "HTTP/1.0",
    status: 200,
    bytes: 2326,
    referer: "http://www.example.com/start.html",
    agent: "Mozilla/4.08 [en] (Win98; I ;Nav)",
  });
});

test("combined reads the common format, HTTP/0.9, IPv6, users with spaces and absent bytes", () => {
  const fields = combined('::1 - John Doe [10/Oct/2000:13:55:36 +0000] "GET /" 304 -');

  assert.deepEqual(fields, {
    host: "::1",
    ident: "-",
    user: "John Doe",
    time: "10/Oct/2000:13:55:36 +0000",
    method: "GET",
    path: "/",
    status: 304,
  });
});

test("combined keeps lines with broken requests, without method, path and protocol", () => {
  for (const request of ["-", "", "\\x16\\x03\\x01\\x02", "\\n", "\x16\x03", 'quoted \\" and more', "GET"]) {
    const fields = combined(`10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "${request}" 400 0 "-" "-"`);

    assert.equal(fields.status, 400, request);
    assert.equal(fields.bytes, 0);
    assert.equal("method" in fields || "path" in fields || "protocol" in fields, false, request);
  }
});

test("combined reads paths with spaces and escaped quotes, and quoted agents", () => {
  const fields = combined(
    '1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] "GET /a b?q=\\"x\\" HTTP/2.0" 200 5 "-" "say \\"hi\\""',
  );

  assert.equal(fields.path, '/a b?q=\\"x\\"');
  assert.equal(fields.protocol, "HTTP/2.0");
  assert.equal(fields.agent, 'say \\"hi\\"');
});

test("combined reads a trailing request time, also behind a forwarded-for field, and ignores the rest", () => {
  const line = '1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"';

  assert.equal(combined(`${line} 0.012`).request_time, 0.012);
  assert.equal(combined(`${line} "9.9.9.9" 0.5`).request_time, 0.5);
  assert.equal(combined(`${line} 12345 upstream=x`).request_time, 12345);
  assert.equal(combined(`${line} rest of it`).request_time, undefined);
});

test("combined refuses what is no access line", () => {
  const decoder = compileDecoder(parseFormat("combined"), [parsePath("status")]);

  const { events, failures } = collect(decoder, "Jan 1 00:00:00 host kernel: hello");

  assert.deepEqual(events, []);
  assert.equal(failures[0]!.reason, "parse");
  assert.match(failures[0]!.message, /combined/);
});

test("a pattern is searched, not anchored, and its groups stay strings", () => {
  const format = parseFormat(
    String.raw`status: (?<status>\d+) len: (?<len>\d+) time: (?<seconds>[\d.]+)(?<none>x)?`,
  );
  const decoder = compileDecoder(format, [..."status seconds none".split(" ").map(parsePath), wholeEvent]);

  const { events } = collect(decoder, '1 INFO "GET /v2 HTTP/1.1" status: 200 len: 1893 time: 0.2477829');

  assert.deepEqual(events, [
    ["200", "0.2477829", undefined, { status: "200", len: "1893", seconds: "0.2477829" }],
  ]);
});

test("a pattern's dot matches every character of the line", () => {
  const decoder = compileDecoder(parseFormat("^(?<all>.*)$"), [parsePath("all")]);

  assert.deepEqual(collect(decoder, "a\u2028b\rc").events, [["a\u2028b\rc"]]);
});

test("parseFormat() refuses names it does not know and patterns without named groups", () => {
  for (const text of ["jsno", "(a)(b)", "", "x".repeat(5000)]) {
    assert.throws(
      () => parseFormat(text),
      (error: FormatError) => error.code === "EVENTS_FORMAT" && /named group/.test(error.hint!),
    );
  }
});

test("parseFormat() says where a pattern is wrong", () => {
  const columns: [string, number][] = [
    ["(?<ok>x)(?<bad", 11],
    ["(?<a>x", 1],
    ["(?<a>[0-9)", 6],
    ["(?<a>x))", 8],
    ["(?<a>x)**", 9],
    ["(?<a>x{3,1})", 11],
    ["abc\\", 4],
    ["(?<a>\\(x", 1],
  ];
  for (const [text, column] of columns) {
    assert.throws(
      () => parseFormat(text),
      (error: FormatError) => error instanceof FormatError && error.column === column,
      `${text} at ${column}`,
    );
  }
});

test("parseFormat() knows the other spelling of named groups", () => {
  assert.throws(
    () => parseFormat("(?P<status>x)"),
    (error: FormatError) => /\(\?P</.test(error.hint!),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDecoder } from "./decoder.js";
import { parsePath, wholeEvent } from "./field-path.js";
import { collect } from "./sink.testkit.js";

function fields(line: string): unknown {
  const { events, failures } = collect(compileDecoder({ kind: "logfmt" }, [wholeEvent]), line);
  assert.deepEqual(failures, []);
  return events[0]![0];
}

test("logfmt reads words, numbers, booleans, bare keys and quotes", () => {
  const line =
    'at=info method=GET path="/a b" n=12 ratio=-0.5 e=1e3 big=007 ok=true no=false fast url=/?a=b empty= q="5"';

  assert.deepEqual(fields(line), {
    at: "info",
    method: "GET",
    path: "/a b",
    n: 12,
    ratio: -0.5,
    e: 1000,
    big: "007",
    ok: true,
    no: false,
    fast: true,
    url: "/?a=b",
    empty: "",
    q: "5",
  });
});

test("logfmt reads escapes in quotes and leaves unknown ones alone", () => {
  assert.deepEqual(fields(String.raw`m="a \"b\" \\ \n \t \u00e9 C:\dir" k=1`), {
    m: 'a "b" \\ \n \t é C:\\dir',
    k: 1,
  });
});

test("logfmt takes the last of equal keys and keys with dots", () => {
  const decoder = compileDecoder({ kind: "logfmt" }, [parsePath("http.status"), parsePath("a")]);

  assert.deepEqual(collect(decoder, "a=1 http.status=200 a=2").events, [[200, 2]]);
  assert.deepEqual(collect(decoder, "b=1").events, [[undefined, undefined]]);
});

test("logfmt keeps __proto__ a plain field", () => {
  const event = fields("__proto__=x a=1") as object;

  assert.equal(Object.getPrototypeOf(event), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(event, "__proto__")!.value, "x");
});

test("logfmt refuses lines that are not of the format", () => {
  const decoder = compileDecoder({ kind: "logfmt" }, []);
  for (const [line, message] of [
    ["just some words", /no key=value/],
    ['a="open', /quote at column 3 has no end/],
    ["a=1 =b", /expected a key at column 5/],
    ['a="x"y', /expected a space at column 6/],
    ['a"b=1', /quote inside a key at column 2/],
  ] as const) {
    const { events, failures } = collect(decoder, line);
    assert.deepEqual(events, []);
    assert.match(failures[0]!.message, message);
  }
});

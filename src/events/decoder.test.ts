import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDecoder } from "./decoder.js";
import { parsePath, wholeEvent } from "./field-path.js";
import { collect } from "./sink.testkit.js";

const orderLine =
  '{"time":"2024-07-26T08:31:48.717","user":"0xc64cc00b46101bd40aa1c3121195e85c0b0918d8","status":"canceled","order":{"coin":"INJ","side":"A","limitPx":"25.381","sz":"257.0","oid":12212359592,"timestamp":1721982700270,"triggerCondition":"N/A","isTrigger":false,"triggerPx":"0.0","children":[],"isPositionTpsl":false,"reduceOnly":false,"orderType":"Limit","origSz":"257.0","tif":"Alo","cloid":null}}';

function decode(line: string, ...paths: string[]): ReturnType<typeof collect> {
  return collect(compileDecoder({ kind: "json" }, paths.map(parsePath)), line);
}

test("json takes out what the paths want, of every type", () => {
  const { events, failures } = decode(
    orderLine,
    "status",
    "order.coin",
    "order.oid",
    "order.isTrigger",
    "order.cloid",
    "order.children",
    "none",
    "order.none",
  );

  assert.deepEqual(failures, []);
  assert.deepEqual(events, [["canceled", "INJ", 12212359592, false, null, [], undefined, undefined]]);
});

test("json hands out the whole event and whole objects in it", () => {
  const decoder = compileDecoder({ kind: "json" }, [wholeEvent, parsePath("a"), parsePath("a.b")]);

  assert.deepEqual(collect(decoder, ' {"a":{"b":[1,{"c":"d"}]}} ').events, [
    [{ a: { b: [1, { c: "d" }] } }, { b: [1, { c: "d" }] }, [1, { c: "d" }]],
  ]);
});

test("json makes one event of each element of an array, and failures of elements that are no objects", () => {
  const { events, failures } = decode('["0xuser",{"coin":"A"},null,{"coin":"B"},[1]]', "coin");

  assert.deepEqual(events, [["A"], ["B"]]);
  assert.deepEqual(
    failures.map(({ reason, index }) => [reason, index]),
    [
      ["shape", 0],
      ["shape", 2],
      ["shape", 4],
    ],
  );
  assert.match(failures[2]!.message, /expected an object, found an array/);
  assert.deepEqual(decode("[]", "coin"), { events: [], failures: [] });
});

test("json refuses scalars as events", () => {
  for (const line of ["1", '"text"', "null", " true "]) {
    const { events, failures } = decode(line, "a");
    assert.deepEqual(events, []);
    assert.equal(failures[0]!.reason, "shape");
  }
});

test("json says what is wrong with a line and where", () => {
  for (const [line, message] of [
    ['{"a":1', /expected "," or "}" at column 7, found the end of the line/],
    ['{"a":}', /expected a value at column 6, found "}"/],
    ['{"a":1,}', /expected a key in quotes at column 8/],
    ['{"a" 1}', /expected ":" at column 6, found "1"/],
    ["{'a':1}", /a key in quotes or "}" at column 2/],
    ['{"a":01}', /expected "," or "}" at column 7, found "1"/],
    ['{"a":1.}', /expected a digit at column 8/],
    ['{"a":"x\ty"}', /U\+0009 in a string at column 8/],
    ['{"a":"\\x"}', /bad escape in a string at column 7/],
    ['{"a":"x}', /string that begins at column 6 has no end/],
    ['{"a":1}{"a":2}', /expected the end of the line at column 8/],
    ["[1,2", /expected "," or "]" at column 5/],
    ['{"a":nul}', /expected a value at column 6/],
    ["\u00a0{}", /U\+00A0/],
  ] as const) {
    const { events, failures } = decode(line, "a");
    assert.deepEqual(events, [], line);
    assert.equal(failures[0]!.reason, "parse");
    assert.match(failures[0]!.message, message, line);
  }
});

test("json with explode makes events of an inner array, whose fields fall back to the line around it", () => {
  const decoder = compileDecoder({ kind: "json", explode: parsePath("events") }, [
    ...["coin", "block_number", "time"].map(parsePath),
    wholeEvent,
  ]);

  const { events, failures } = collect(
    decoder,
    '{"block_number":7,"time":"outer","events":[{"coin":"A","time":"inner"},5,{"coin":"B","block_number":null}]}',
  );

  assert.deepEqual(
    events.map((values) => values.slice(0, 3)),
    [
      ["A", 7, "inner"],
      ["B", null, "outer"],
    ],
  );
  assert.deepEqual(Object.keys(events[0]![3] as object), ["block_number", "time", "events", "coin"]);
  assert.deepEqual(failures, [
    {
      reason: "shape",
      index: 1,
      message: "Cannot take an event from events: expected an object, found a number",
    },
  ]);
});

test("json with explode refuses a line without the array and takes an empty one as no event", () => {
  const decoder = compileDecoder({ kind: "json", explode: parsePath("events") }, [parsePath("a")]);

  assert.match(
    collect(decoder, '{"a":1}').failures[0]!.message,
    /from events: expected an array, found nothing/,
  );
  assert.deepEqual(collect(decoder, '{"events":[]}'), { events: [], failures: [] });
});
